// A filter as a boolean formula over facts about single attributes: what the matcher can index.
import type { CloudEvent } from '../../../model/cloudevents/event.ts'
import { columnName, filterAttributeReader } from './filter-attribute.ts'

/** A fact about one attribute; never true of an event without it. */
export interface Predicate {
  /** Facts of one column read the same attribute in the same way. */
  readonly column: string
  /** `present`: the attribute is there; `filled`: and not empty; `expression`: anything else. */
  readonly kind: 'exact' | 'prefix' | 'suffix' | 'present' | 'filled' | 'expression'
  /** What `kind` compares with. Column, kind and text together tell predicates apart. */
  readonly text: string
  readonly holds: (event: CloudEvent) => boolean
}

export type Condition =
  | { kind: 'all'; parts: Condition[] }
  | { kind: 'any'; parts: Condition[] }
  | { kind: 'fact'; predicate: Predicate; wanted: boolean }
  /** Only running it tells. */
  | { kind: 'test'; test: (event: CloudEvent) => boolean }
  /** Two forms of the same: one quick to run, one to index. */
  | { kind: 'expression'; test: (event: CloudEvent) => boolean; condition: Condition }

export const always: Condition = { kind: 'all', parts: [] }
export const never: Condition = { kind: 'any', parts: [] }

const isAlways = (condition: Condition): boolean => condition.kind === 'all' && condition.parts.length === 0
const isNever = (condition: Condition): boolean => condition.kind === 'any' && condition.parts.length === 0

/** All of the parts, flattened. */
export function allOf(parts: Condition[]): Condition {
  const flat = parts.flatMap((part) => (part.kind === 'all' ? part.parts : [part]))
  if (flat.some(isNever)) return never
  return flat.length === 1 ? flat[0]! : { kind: 'all', parts: flat }
}

/** At least one of the parts, flattened. */
export function anyOf(parts: Condition[]): Condition {
  const flat = parts.flatMap((part) => (part.kind === 'any' ? part.parts : [part]))
  if (flat.some(isAlways)) return always
  return flat.length === 1 ? flat[0]! : { kind: 'any', parts: flat }
}

export const fact = (predicate: Predicate, wanted = true): Condition => ({ kind: 'fact', predicate, wanted })

/** A fact as the dialects of the Subscriptions API state it. */
export function attributePredicate(name: string, kind: Exclude<Predicate['kind'], 'expression'>, text = ''): Predicate {
  return textPredicate(columnName(name), kind, text, filterAttributeReader(name))
}

/** A fact about the canonical text of what `read` finds. */
export function textPredicate(
  column: string,
  kind: Exclude<Predicate['kind'], 'expression'>,
  text: string,
  read: (event: CloudEvent) => string | undefined,
): Predicate {
  const shared = { column, kind, text }
  switch (kind) {
    case 'exact':
      return { ...shared, holds: (event) => read(event) === text }
    case 'prefix':
      return { ...shared, holds: (event) => read(event)?.startsWith(text) === true }
    case 'suffix':
      return { ...shared, holds: (event) => read(event)?.endsWith(text) === true }
    case 'present':
      return { ...shared, holds: (event) => read(event) !== undefined }
    case 'filled':
      return { ...shared, holds: (event) => (read(event) ?? '') !== '' }
  }
}

/** A function that says whether the condition is true of an event. */
export function compileCondition(condition: Condition): (event: CloudEvent) => boolean {
  switch (condition.kind) {
    case 'test':
    case 'expression':
      return condition.test
    case 'fact': {
      const { predicate, wanted } = condition
      return wanted ? predicate.holds : (event) => !predicate.holds(event)
    }
    case 'all': {
      const tests = condition.parts.map(compileCondition)
      return (event) => {
        for (const test of tests) if (!test(event)) return false
        return true
      }
    }
    case 'any': {
      const tests = condition.parts.map(compileCondition)
      return (event) => {
        for (const test of tests) if (test(event)) return true
        return false
      }
    }
  }
}
