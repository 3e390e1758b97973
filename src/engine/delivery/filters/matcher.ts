// Which of many filters an event passes, without asking each: an index over all of one Broker's Triggers.
import type { AttributeValue, CloudEvent } from '../../../model/cloudevents/event.ts'
import { AttributeColumn } from './attribute-column.ts'
import type { Fact, ValueClass } from './attribute-column.ts'
import type { CompiledFilter } from './compile.ts'
import type { Condition, Predicate } from './condition.ts'
import { barOf, evaluate, planOf } from './formula.ts'
import type { Formula } from './formula.ts'
import { filterAttributeReader, specialColumnName } from './filter-attribute.ts'
import type { Explanation } from './verdict.ts'

/**
 * Filters by name. Changes take effect with the next event and cost what the changed filter costs, not the others.
 *
 * How it works: an event's attribute values fall into classes, each the set of facts (`type` is "a", `source` starts
 * with "b") that are true of them. What follows from a combination of classes is decided once, for the filters that
 * one of these facts wakes, and remembered. Only what no index can know, such as a data filter, is run per event.
 */
export interface Matcher {
  /** Adds a filter or replaces the one of that name. */
  set(name: string, filter: CompiledFilter): void
  /** Fine when there is none. */
  delete(name: string): void
  /** The names of the filters that the event passes, in the order of their UTF-16 units. Do not change the set. */
  match(event: CloudEvent): ReadonlySet<string>
  /** Why the event passes the named filter or does not; `undefined` when there is no such filter. */
  explain(name: string, event: CloudEvent): Explanation | undefined
  readonly size: number
}

export function createMatcher(): Matcher {
  return new IndexedMatcher()
}

/** Combinations of value classes, and filters in their outcomes, that are remembered; beyond it the matcher starts anew. */
const rememberedCombinationsMax = 16_384
const rememberedOutcomesMax = 1_000_000

interface Entry {
  readonly name: string
  readonly filter: CompiledFilter
  readonly formula: EntryFormula
  /** The facts of which one is true of each event that passes; `undefined` when there are none to rely on. */
  readonly keys: ReadonlySet<EntryFact> | undefined
  /** Without keys: a fact that is false of each event that passes. */
  readonly bar: EntryFact | undefined
  /** The numbers of the decisions that looked at it last, and that found it passing or open. */
  seenIn: number
  foundIn: number
  /** What that decision found: `undefined` means it has to be run. */
  truth: boolean | undefined
}

type EntryFact = Fact<Entry>
type Column = AttributeColumn<Entry>

type EntryFormula = Formula<Entry>

/** A combination of value classes: the one before and one class more. */
interface Combination {
  readonly before: Combination | undefined
  readonly added: ValueClass<Entry> | undefined
  next: Map<ValueClass<Entry>, Combination> | undefined
  decision: Decision | undefined
}

interface Decision {
  /** Filters that each event of these classes passes. */
  passed: ReadonlySet<string>
  /** Filters that have to be run, in the order of their names. */
  open: readonly Entry[]
}

class IndexedMatcher implements Matcher {
  #entries = new Map<string, Entry>()
  /** By name. */
  #sorted: Entry[] = []
  /** Entries that neither a fact wakes nor one bars: looked at for each new combination. */
  #unindexed = new Set<Entry>()
  /** Facts that bar entries. */
  #bars = new Set<EntryFact>()
  /** Attributes read as they are, by name, and those that filters see in another way. */
  #columns = new Map<string, Column>()
  #specialColumns = new Map<string, { column: Column; read: (event: CloudEvent) => AttributeValue | undefined }>()
  #start = newCombination(undefined, undefined)
  #combinationCount = 0
  #outcomeCount = 0
  #decisionCount = 0

  get size(): number {
    return this.#entries.size
  }

  set(name: string, filter: CompiledFilter): void {
    this.delete(name)
    const formula = this.#formulaOf(filter.condition)
    const keys = planOf(formula)?.keys
    const bar = keys === undefined ? barOf(formula) : undefined
    const entry: Entry = { name, filter, formula, keys, bar, seenIn: 0, foundIn: 0, truth: undefined }
    this.#entries.set(name, entry)
    this.#sorted.splice(placeOf(this.#sorted, name), 0, entry)
    if (keys !== undefined) for (const fact of keys) fact.wakes.add(entry)
    else if (bar === undefined) this.#unindexed.add(entry)
    else {
      this.#bars.add(bar)
      bar.bars.add(entry)
    }
    this.#forgetDecisions()
  }

  delete(name: string): void {
    const entry = this.#entries.get(name)
    if (entry === undefined) return
    this.#entries.delete(name)
    this.#sorted.splice(placeOf(this.#sorted, name), 1)
    this.#unindexed.delete(entry)
    for (const fact of entry.keys ?? []) fact.wakes.delete(entry)
    if (entry.bar?.bars.delete(entry) === true && entry.bar.bars.size === 0) this.#bars.delete(entry.bar)
    this.#release(entry.formula)
    this.#forgetDecisions()
  }

  match(event: CloudEvent): ReadonlySet<string> {
    if (this.#combinationCount >= rememberedCombinationsMax || this.#outcomeCount >= rememberedOutcomesMax) {
      this.#forgetDecisions()
    }
    const combination = this.#classify(event)
    const { passed, open } = (combination.decision ??= this.#decide(combination))
    if (open.length === 0) return passed
    const more: string[] = []
    for (const { name, filter } of open) if (filter.passes(event)) more.push(name)
    return more.length === 0 ? passed : merged(passed, more)
  }

  explain(name: string, event: CloudEvent): Explanation | undefined {
    return this.#entries.get(name)?.filter.explain(event)
  }

  #classify(event: CloudEvent): Combination {
    let combination = this.#start
    const { attributes } = event
    if (this.#columns.size <= attributes.size) {
      for (const [name, column] of this.#columns) {
        const value = attributes.get(name)
        if (value !== undefined) combination = this.#with(combination, column.classOf(value, event))
      }
    } else {
      for (const [name, value] of attributes) {
        const column = this.#columns.get(name)
        if (column !== undefined) combination = this.#with(combination, column.classOf(value, event))
      }
    }
    for (const { column, read } of this.#specialColumns.values()) {
      const value = read(event)
      if (value !== undefined) combination = this.#with(combination, column.classOf(value, event))
    }
    return combination
  }

  #with(before: Combination, added: ValueClass<Entry>): Combination {
    if (added.facts.length === 0) return before
    before.next ??= new Map()
    let combination = before.next.get(added)
    if (combination === undefined) {
      before.next.set(added, (combination = newCombination(before, added)))
      this.#combinationCount++
    }
    return combination
  }

  #decide(combination: Combination): Decision {
    const number = ++this.#decisionCount
    const facts: EntryFact[] = []
    for (let step: Combination | undefined = combination; step !== undefined; step = step.before) {
      for (const fact of step.added?.facts ?? []) {
        fact.trueIn = number
        facts.push(fact)
      }
    }
    const found: Entry[] = []
    const lookAt = (entries: Iterable<Entry>): void => {
      for (const entry of entries) {
        if (entry.seenIn === number) continue
        entry.seenIn = number
        entry.truth = evaluate(entry.formula, number)
        if (entry.truth === false) continue
        entry.foundIn = number
        found.push(entry)
      }
    }
    for (const fact of facts) lookAt(fact.wakes)
    for (const fact of this.#bars) if (fact.trueIn !== number) lookAt(fact.bars)
    lookAt(this.#unindexed)

    const passed = new Set<string>()
    const open: Entry[] = []
    for (const entry of this.#inOrder(found, number)) {
      if (entry.truth === true) passed.add(entry.name)
      else open.push(entry)
    }
    this.#outcomeCount += found.length
    return { passed, open }
  }

  /** Sorting many is slower than walking past all, which are sorted. */
  #inOrder(found: Entry[], number: number): Entry[] {
    if (found.length * walkedPerSorted < this.#sorted.length) return found.sort((a, b) => compare(a.name, b.name))
    return this.#sorted.filter(({ foundIn }) => foundIn === number)
  }

  #formulaOf(condition: Condition): EntryFormula {
    switch (condition.kind) {
      case 'test':
        return condition
      case 'expression':
        return this.#formulaOf(condition.condition)
      case 'fact':
        return {
          kind: 'fact',
          fact: this.#column(condition.predicate).mention(condition.predicate),
          wanted: condition.wanted,
        }
      default:
        return { kind: condition.kind, parts: condition.parts.map((part) => this.#formulaOf(part)) }
    }
  }

  #column({ column: name }: Predicate): Column {
    const special = specialColumnName(name)
    const known = special === undefined ? this.#columns.get(name) : this.#specialColumns.get(name)?.column
    if (known !== undefined) return known
    const column: Column = new AttributeColumn()
    if (special === undefined) this.#columns.set(name, column)
    else this.#specialColumns.set(name, { column, read: filterAttributeReader(special) })
    return column
  }

  #release(formula: EntryFormula): void {
    if (formula.kind === 'all' || formula.kind === 'any') for (const part of formula.parts) this.#release(part)
    if (formula.kind !== 'fact') return
    const { column: name } = formula.fact.predicate
    const column = this.#column(formula.fact.predicate)
    column.release(formula.fact)
    if (!column.isEmpty) return
    this.#columns.delete(name)
    this.#specialColumns.delete(name)
  }

  #forgetDecisions(): void {
    this.#start = newCombination(undefined, undefined)
    this.#combinationCount = 0
    this.#outcomeCount = 0
  }
}

/** How many entries are walked past in the time that one takes to be sorted. */
const walkedPerSorted = 32

const newCombination = (before: Combination | undefined, added: ValueClass<Entry> | undefined): Combination => ({
  before,
  added,
  next: new Map(),
  decision: undefined,
})

/** Where a name stands in the sorted list, or would stand. */
function placeOf(sorted: readonly Entry[], name: string): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]!.name < name) low = middle + 1
    else high = middle
  }
  return low
}

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)

/** Both in their order. */
function merged(passed: ReadonlySet<string>, more: string[]): ReadonlySet<string> {
  if (passed.size === 0) return new Set(more)
  const result = new Set<string>()
  let next = 0
  for (const name of passed) {
    while (next < more.length && more[next]! < name) result.add(more[next++]!)
    result.add(name)
  }
  while (next < more.length) result.add(more[next++]!)
  return result
}
