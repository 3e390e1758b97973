// Says of an event whether a filter wants it, and why: which clause, which value. Walks the filters as they are written.
import type { CloudEvent } from '../../../model/cloudevents/event.ts'
import { compileCesql } from './cesql/compile.ts'
import type { DataFilter } from './data-filter.ts'
import { filterAttributeReader } from './filter-attribute.ts'
import { dataFilterAnnotation, hasEntries, isSet } from './spec.ts'
import type { FilterSpec, SubscriptionsFilter } from './spec.ts'

/**
 * `ignored` filters say nothing, such as `{}`. A filter in `error` can neither be passed nor be negated into passing:
 * its expression failed on this event.
 */
type Outcome = 'pass' | 'fail' | 'error' | 'ignored'

/** What became of one clause. */
interface Verdict {
  /** Where the clause stands: `spec.filters[0].exact[type]`. */
  path: string
  outcome: Outcome
  /** Why, naming the value: `type is "a", not "b"`. */
  message: string
  /** The clauses inside. */
  parts: Verdict[]
}

export interface Explanation {
  passes: boolean
  /** One sentence that names the clause that decided. */
  reason: string
  verdicts: Verdict[]
}

/** Explains a whole spec; `dataFilter` is the compiled form of `spec.dataFilter`. */
export function explainFilters(spec: FilterSpec, dataFilter: DataFilter | undefined, event: CloudEvent): Explanation {
  const { filter, filters = [] } = spec
  const verdicts =
    filters.length > 0
      ? filters.map((one, index) => judge(one, `spec.filters[${index}]`, event))
      : Object.entries(filter?.attributes ?? {}).map(([name, text]) => judgeLegacy(name, text, event))
  if (dataFilter !== undefined && verdicts.every(({ outcome }) => outcome === 'pass' || outcome === 'ignored')) {
    verdicts.push(judgeData(spec.dataFilter ?? '', dataFilter, event))
  }
  const blocking = verdicts.find(({ outcome }) => outcome === 'fail' || outcome === 'error')
  if (blocking !== undefined) return { passes: false, reason: reasonOf(blocking), verdicts }
  const passed = verdicts.filter(({ outcome }) => outcome === 'pass')
  const reason = passed.length === 0 ? 'there is no filter' : passed.map(reasonOf).join('; ')
  return { passes: true, reason, verdicts }
}

function judge(filter: SubscriptionsFilter, path: string, event: CloudEvent): Verdict {
  const { exact, prefix, suffix, all, any, not, cesql } = filter
  if (hasEntries(exact)) return judgeAttributes('exact', exact, `${path}.exact`, event)
  if (hasEntries(prefix)) return judgeAttributes('prefix', prefix, `${path}.prefix`, event)
  if (hasEntries(suffix)) return judgeAttributes('suffix', suffix, `${path}.suffix`, event)
  if (isSet(all) && all.length > 0) return judgeAll(all, `${path}.all`, event)
  if (isSet(any) && any.length > 0) return judgeAny(any, `${path}.any`, event)
  if (isSet(not)) return judgeNot(not, `${path}.not`, event)
  if (isSet(cesql) && cesql !== '') return judgeCesql(cesql, `${path}.cesql`, event)
  return { path, outcome: 'ignored', message: 'the filter is empty', parts: [] }
}

const tests = {
  exact: { holds: (value: string, text: string) => value === text, yes: 'is', no: 'is not' },
  prefix: {
    holds: (value: string, text: string) => value.startsWith(text),
    yes: 'starts with',
    no: 'does not start with',
  },
  suffix: { holds: (value: string, text: string) => value.endsWith(text), yes: 'ends with', no: 'does not end with' },
}

function judgeAttributes(
  dialect: keyof typeof tests,
  wanted: Record<string, string>,
  path: string,
  event: CloudEvent,
): Verdict {
  const entries = Object.entries(wanted)
  if (entries.some(([, text]) => text === '')) {
    return { path, outcome: 'ignored', message: 'an empty value switches the filter off', parts: [] }
  }
  const { holds, yes, no } = tests[dialect]
  const parts = entries.map(([name, text]): Verdict => {
    const value = filterAttributeReader(name)(event)
    const passes = value !== undefined && holds(value, text)
    const message = value === undefined ? `${name} is missing` : `${name} ${said(value, passes ? yes : no, text)}`
    return { path: `${path}[${name}]`, outcome: passes ? 'pass' : 'fail', message, parts: [] }
  })
  return together(path, parts)
}

function said(value: string, relation: string, text: string): string {
  if (relation === 'is') return `is ${shown(value)}`
  return relation === 'is not' ? `is ${shown(value)}, not ${shown(text)}` : `${shown(value)} ${relation} ${shown(text)}`
}

function judgeLegacy(name: string, text: string, event: CloudEvent): Verdict {
  const path = `spec.filter.attributes[${name}]`
  const value = filterAttributeReader(name)(event)
  const passes = text === '' ? value !== undefined && value !== '' : value === text
  const relation = text !== '' && !passes ? `, not ${shown(text)}` : ''
  const message = value === undefined ? `${name} is missing` : `${name} is ${shown(value)}${relation}`
  return { path, outcome: passes ? 'pass' : 'fail', message, parts: [] }
}

function judgeAll(filters: SubscriptionsFilter[], path: string, event: CloudEvent): Verdict {
  return together(
    path,
    filters.map((one, index) => judge(one, `${path}[${index}]`, event)),
  )
}

/** One failure decides; without one, an error does. */
function together(path: string, parts: Verdict[]): Verdict {
  const decisive = parts.find(({ outcome }) => outcome === 'fail') ?? parts.find(({ outcome }) => outcome === 'error')
  if (decisive !== undefined) return { path, outcome: decisive.outcome, message: reasonOf(decisive), parts }
  const passed = parts.filter(({ outcome }) => outcome === 'pass')
  if (passed.length === 0) return { path, outcome: 'ignored', message: 'all filters inside are empty', parts }
  return { path, outcome: 'pass', message: passed.map(reasonOf).join(' and '), parts }
}

/** One success decides; without one, an error does. */
function judgeAny(filters: SubscriptionsFilter[], path: string, event: CloudEvent): Verdict {
  const parts = filters.map((one, index) => judge(one, `${path}[${index}]`, event))
  const decisive = parts.find(({ outcome }) => outcome === 'pass') ?? parts.find(({ outcome }) => outcome === 'error')
  if (decisive !== undefined) return { path, outcome: decisive.outcome, message: reasonOf(decisive), parts }
  const failed = parts.filter(({ outcome }) => outcome === 'fail')
  if (failed.length === 0) return { path, outcome: 'ignored', message: 'all filters inside are empty', parts }
  return { path, outcome: 'fail', message: `no alternative holds: ${failed.map(reasonOf).join('; ')}`, parts }
}

const opposite: Record<Outcome, Outcome> = { pass: 'fail', fail: 'pass', error: 'error', ignored: 'ignored' }

function judgeNot(filter: SubscriptionsFilter, path: string, event: CloudEvent): Verdict {
  const inner = judge(filter, path, event)
  return { path, outcome: opposite[inner.outcome], message: reasonOf(inner), parts: [inner] }
}

function judgeCesql(text: string, path: string, event: CloudEvent): Verdict {
  const { value, error } = compileCesql(text).evaluate(event)
  const parts: Verdict[] = []
  if (error !== undefined) {
    return { path, outcome: 'error', message: `${shown(text)} failed with ${error.type}: ${error.message}`, parts }
  }
  if (typeof value !== 'boolean') {
    return { path, outcome: 'error', message: `${shown(text)} is ${shown(value)}, not a Boolean`, parts }
  }
  return { path, outcome: value ? 'pass' : 'fail', message: `${shown(text)} is ${value}`, parts }
}

function judgeData(text: string, dataFilter: DataFilter, event: CloudEvent): Verdict {
  const path = `metadata.annotations[${dataFilterAnnotation}]`
  const { passes, message } = dataFilter(event)
  if (message !== undefined) return { path, outcome: 'error', message: `${shown(text)} failed: ${message}`, parts: [] }
  return { path, outcome: passes ? 'pass' : 'fail', message: `${shown(text)} is ${passes}`, parts: [] }
}

/** The message of the innermost clause is already inside those around it; only its path is added. */
function reasonOf({ path, message, parts }: Verdict): string {
  return parts.length > 0 ? message : `${path}: ${message}`
}

const shownMax = 120

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined'
  return text.length > shownMax ? `${text.slice(0, shownMax)}…"` : text
}
