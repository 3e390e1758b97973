// What is wrong with a Trigger's filters, in upstream's words where upstream objects, in ours where it keeps silent.
// Source: knative/eventing pkg/apis/eventing/v1 trigger_validation.go.
import { KnodeError } from '../../../base/errors.ts'
import { at, fieldError, invalidKeyName, invalidValue } from '../../../model/kubernetes/field-error.ts'
import type { FieldError } from '../../../model/kubernetes/field-error.ts'
import { checkCesql } from './cesql/check.ts'
import { parseCesql } from './cesql/parser.ts'
import { compileDataFilter } from './data-filter.ts'
import { dataFilterAnnotation, filterCountMax, filterDepthMax } from './spec.ts'

const dialects = ['exact', 'prefix', 'suffix', 'all', 'any', 'not', 'cesql'] as const
type Dialect = (typeof dialects)[number]

/**
 * Checks a list of filters. Paths start with `path`: in a Trigger's spec that is `filters`.
 *
 * Upstream puts a list's index before the errors of all elements so far, so that an error in element 0 of two is told
 * as `filters[1][0]`. What upstream refuses has upstream's paths; what only Knode refuses has the right ones.
 */
export function validateFilters(filters: readonly unknown[], path = 'filters'): FieldError[] {
  const { upstream, own } = validateList(filters, 1, { count: 0, tooMany: false })
  return at(path, [...upstream, ...own])
}

/** Checks `filter` of the older form. Paths start with `path`. */
export function validateLegacyFilter(filter: unknown, path = 'filter'): FieldError[] {
  if (!isObject(filter) || !isObject(filter['attributes'])) return []
  return at(`${path}.attributes`, validateNames(filter['attributes']))
}

/** Checks the CEL expression of the data filter annotation. */
export function validateDataFilter(text: string): FieldError[] {
  try {
    compileDataFilter(text)
    return []
  } catch (error) {
    if (!(error instanceof KnodeError)) throw error
    return [invalidValue(shown(text), `metadata.annotations[${dataFilterAnnotation}]`, detailsOf(error))]
  }
}

interface Walk {
  count: number
  tooMany: boolean
}

/** Refusals that upstream shares, and those that are Knode's own. */
interface Refusals {
  upstream: FieldError[]
  own: FieldError[]
}

const within = (prefix: string, { upstream, own }: Refusals): Refusals => ({
  upstream: at(prefix, upstream),
  own: at(prefix, own),
})
const owned = (...own: FieldError[]): Refusals => ({ upstream: [], own })

function validateList(filters: readonly unknown[], depth: number, walk: Walk): Refusals {
  let upstream: FieldError[] = []
  const own: FieldError[] = []
  for (const [index, filter] of filters.entries()) {
    const found = validateFilter(filter, depth, walk)
    upstream = at(`[${index}]`, [...upstream, ...found.upstream])
    own.push(...at(`[${index}]`, found.own))
  }
  return { upstream, own }
}

function validateFilter(filter: unknown, depth: number, walk: Walk): Refusals {
  if (!isObject(filter)) return owned(invalidValue(typeName(filter), '', 'a filter is an object with one dialect'))
  if (++walk.count > filterCountMax) {
    if (walk.tooMany) return owned()
    walk.tooMany = true
    return owned(fieldError(`more filters than filterCountMax (${filterCountMax})`, ['']))
  }
  if (depth > filterDepthMax)
    return owned(fieldError(`filters nest deeper than filterDepthMax (${filterDepthMax})`, ['']))
  const known = `known are ${dialects.join(', ')}`
  const unknown = Object.keys(filter).filter((key) => !isDialect(key))
  const refusals = owned(...unknown.map((key) => fieldError(`unknown filter dialect "${key}"`, [key], known)))
  const present = dialects.filter((dialect) => filter[dialect] !== undefined && filter[dialect] !== null)
  if (present.length > 1) {
    const details = `found ${present.join(' and ')}: make them separate filters, all of which must hold`
    refusals.own.push(fieldError('multiple dialects found, filters can have only one dialect set', [''], details))
  }
  if (present.length === 0 && unknown.length === 0) {
    const details = `a filter without a dialect says nothing: give it one of ${dialects.join(', ')}, or remove it`
    refusals.own.push(fieldError('empty filter', [''], details))
  }
  for (const dialect of present) {
    const { upstream, own } = validateDialect(dialect, filter[dialect], depth, walk)
    refusals.upstream.push(...upstream)
    refusals.own.push(...own)
  }
  return refusals
}

const isDialect = (key: string): key is Dialect => (dialects as readonly string[]).includes(key)

function validateDialect(dialect: Dialect, value: unknown, depth: number, walk: Walk): Refusals {
  switch (dialect) {
    case 'exact':
    case 'prefix':
    case 'suffix':
      return within(dialect, validateMap(dialect, value))
    case 'all':
    case 'any':
      if (!Array.isArray(value)) return owned(invalidValue(typeName(value), dialect, 'expected a list of filters'))
      if (value.length === 0) return owned(fieldError('empty filter', [dialect], 'list at least one filter'))
      return within(dialect, validateList(value, depth + 1, walk))
    case 'not':
      return within('not', validateFilter(value, depth + 1, walk))
    case 'cesql':
      if (typeof value !== 'string') return owned(invalidValue(typeName(value), 'cesql', 'expected a string'))
      return { upstream: validateCesql(value), own: [] }
  }
}

function validateMap(dialect: string, value: unknown): Refusals {
  if (!isObject(value)) return owned(invalidValue(typeName(value), '', 'expected a map of attribute names to texts'))
  if (Object.keys(value).length === 0) return owned(fieldError('empty filter', [''], 'name at least one attribute'))
  const own: FieldError[] = []
  for (const [name, text] of Object.entries(value)) {
    if (typeof text !== 'string') own.push(invalidValue(typeName(text), `[${name}]`, 'expected a string'))
    else if (text === '') {
      const instead = `to ask that the attribute is there, use cesql: EXISTS ${name}`
      const details = `an empty value would switch the whole ${dialect} filter off; ${instead}`
      own.push(fieldError('empty value', [`[${name}]`], details))
    }
  }
  return { upstream: validateNames(value), own }
}

const attributeName = /^[a-z][a-z0-9]*$/

function validateNames(attributes: Record<string, unknown>): FieldError[] {
  const details = 'Attribute name must start with a letter and can only contain lowercase alphanumeric'
  return Object.keys(attributes)
    .filter((name) => !attributeName.test(name))
    .map((name) => invalidKeyName(name, `[${name}]`, details))
}

function validateCesql(text: string): FieldError[] {
  try {
    const problems = checkCesql(text, parseCesql(text))
    return problems.map(({ level, message }) =>
      level === 'error'
        ? invalidValue(shown(text), 'cesql', message)
        : { ...fieldError(`CESQL expression ${shown(text)}: ${message}`, ['cesql']), level },
    )
  } catch (error) {
    if (!(error instanceof KnodeError)) throw error
    return [invalidValue(shown(text), 'cesql', detailsOf(error))]
  }
}

const detailsOf = ({ message, hint }: KnodeError): string => (hint === undefined ? message : `${message} (${hint})`)

const shownMax = 1_000
const shown = (text: string): string => (text.length > shownMax ? `${text.slice(0, shownMax)}…` : text)

const typeName = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value)

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
