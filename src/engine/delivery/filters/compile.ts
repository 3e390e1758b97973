// Compiles what a Trigger says about events into one function, once. Source: CloudEvents Subscriptions API, "Filters".
import type { CloudEvent } from '../../../model/cloudevents/event.ts'
import { compileCesql } from './cesql/compile.ts'
import { cesqlConditions } from './cesql-condition.ts'
import { allOf, always, anyOf, attributePredicate, compileCondition, fact } from './condition.ts'
import type { Condition } from './condition.ts'
import { compileDataFilter } from './data-filter.ts'
import type { FilterFault } from './data-filter.ts'
import { hasEntries, isSet } from './spec.ts'
import type { FilterSpec, LegacyFilter, SubscriptionsFilter } from './spec.ts'
import { explainFilters } from './verdict.ts'
import type { Explanation } from './verdict.ts'

export interface CompiledFilter {
  /** Whether the event is wanted. Never throws. */
  readonly passes: (event: CloudEvent) => boolean
  /** Why it is, or is not. Slower than `passes`. */
  readonly explain: (event: CloudEvent) => Explanation
  /** The same as a formula, for the matcher's index. */
  readonly condition: Condition
}

export interface CompileOptions {
  /** Called when a data filter is false only because the data could not be read or the expression failed. */
  onFault?: (fault: FilterFault, event: CloudEvent) => void
}

/**
 * Compiles filters that validation has let through.
 * @throws {KnodeError} BAD_FILTER when an expression does not parse.
 */
export function compileFilters(spec: FilterSpec, options: CompileOptions = {}): CompiledFilter {
  const { filter, filters = [], dataFilter: dataText } = spec
  const parts = filters.length > 0 ? filters.map((one) => conditionsOf(one)?.pass ?? always) : [legacyCondition(filter)]
  const condition = allOf(parts)
  if (dataText === undefined) {
    const passes = compileCondition(condition)
    return { passes, condition, explain: (event) => explainFilters(spec, undefined, event) }
  }
  const dataFilter = compileDataFilter(dataText)
  const test = (event: CloudEvent): boolean => {
    const { passes, fault } = dataFilter(event)
    if (fault !== undefined) options.onFault?.(fault, event)
    return passes
  }
  const both = allOf([condition, { kind: 'test', test }])
  return {
    passes: compileCondition(both),
    condition: both,
    explain: (event) => explainFilters(spec, dataFilter, event),
  }
}

/** When a filter lets an event pass and when it stops it; an expression that fails does neither. */
interface Conditions {
  pass: Condition
  fail: Condition
}

/** `undefined` for a filter that says nothing, such as `{}`: it is as if it were not there. */
function conditionsOf(filter: SubscriptionsFilter): Conditions | undefined {
  const { exact, prefix, suffix, all, any, not, cesql } = filter
  if (hasEntries(exact)) return attributeConditions('exact', exact)
  if (hasEntries(prefix)) return attributeConditions('prefix', prefix)
  if (hasEntries(suffix)) return attributeConditions('suffix', suffix)
  if (isSet(all) && all.length > 0) {
    const parts = said(all)
    return parts && { pass: allOf(parts.map(({ pass }) => pass)), fail: anyOf(parts.map(({ fail }) => fail)) }
  }
  if (isSet(any) && any.length > 0) {
    const parts = said(any)
    return parts && { pass: anyOf(parts.map(({ pass }) => pass)), fail: allOf(parts.map(({ fail }) => fail)) }
  }
  if (isSet(not)) {
    const inner = conditionsOf(not)
    return inner && { pass: inner.fail, fail: inner.pass }
  }
  return isSet(cesql) && cesql !== '' ? expressionConditions(cesql) : undefined
}

function said(filters: SubscriptionsFilter[]): Conditions[] | undefined {
  const parts = filters.map(conditionsOf).filter((part) => part !== undefined)
  return parts.length === 0 ? undefined : parts
}

function attributeConditions(
  kind: 'exact' | 'prefix' | 'suffix',
  wanted: Record<string, string>,
): Conditions | undefined {
  const entries = Object.entries(wanted)
  if (entries.some(([, text]) => text === '')) return undefined
  const predicates = entries.map(([name, text]) => attributePredicate(name, kind, text))
  return {
    pass: allOf(predicates.map((predicate) => fact(predicate))),
    fail: anyOf(predicates.map((predicate) => fact(predicate, false))),
  }
}

function expressionConditions(text: string): Conditions {
  const { node, passes, fails } = compileCesql(text)
  const { pass, fail } = cesqlConditions(node)
  return {
    pass: { kind: 'expression', test: passes, condition: pass },
    fail: { kind: 'expression', test: fails, condition: fail },
  }
}

function legacyCondition(filter: LegacyFilter | undefined): Condition {
  return allOf(
    Object.entries(filter?.attributes ?? {}).map(([name, text]) =>
      fact(text === '' ? attributePredicate(name, 'filled') : attributePredicate(name, 'exact', text)),
    ),
  )
}
