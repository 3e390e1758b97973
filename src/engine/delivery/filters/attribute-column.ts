// All facts that filters state about one attribute, and which of them are true of a value.
import type { AttributeValue, CloudEvent } from '../../../model/cloudevents/event.ts'
import type { Predicate } from './condition.ts'
import { PatternTrie } from './pattern-trie.ts'

/** Values whose facts a column remembers; beyond it starts anew. The sender chooses values, so there must be a bound. */
const rememberedValuesMax = 4_096

/** Longer values are not remembered, in UTF-16 units. */
const rememberedTextMax = 256

/** A predicate that filters share; `Owner` is such a filter. */
export interface Fact<Owner> {
  readonly predicate: Predicate
  /** How many times filters mention it. */
  mentions: number
  /** Filters to look at when it is true. */
  readonly wakes: Set<Owner>
  /** Filters that cannot pass when it is true, and have to be looked at when it is not. */
  readonly bars: Set<Owner>
  /** The number of the decision in which it was last true. */
  trueIn: number
  /** The class of values of which only this fact is true. */
  readonly alone: ValueClass<Owner>
}

/** The values of which the same facts are true are all alike: one class stands for them. */
export interface ValueClass<Owner> {
  readonly facts: readonly Fact<Owner>[]
}

/** The facts about one attribute. */
export class AttributeColumn<Owner> {
  #facts = new Map<string, Fact<Owner>>()
  #exact = new Map<string, Fact<Owner>>()
  #prefixes = new PatternTrie<Fact<Owner>>()
  #suffixes = new PatternTrie<Fact<Owner>>()
  #others = new Set<Fact<Owner>>()
  /** Facts beside `exact` ones. */
  #inexactCount = 0
  readonly #nothing: ValueClass<Owner> = { facts: [] }
  #classes = new Map<string, ValueClass<Owner>>()
  #remembered = new Map<AttributeValue, ValueClass<Owner>>()
  #numbers = new Map<Fact<Owner>, number>()
  #nextNumber = 0

  get isEmpty(): boolean {
    return this.#facts.size === 0
  }

  /** The fact that stands for the predicate, mentioned once more. */
  mention(predicate: Predicate): Fact<Owner> {
    const key = `${predicate.kind} ${predicate.text}`
    let fact = this.#facts.get(key)
    if (fact === undefined) {
      const facts: Fact<Owner>[] = []
      fact = { predicate, mentions: 0, wakes: new Set(), bars: new Set(), trueIn: 0, alone: { facts } }
      facts.push(fact)
      this.#facts.set(key, fact)
      this.#numbers.set(fact, this.#nextNumber++)
      this.#index(fact, true)
    }
    fact.mentions++
    return fact
  }

  /** Takes one mention back; a fact that nobody mentions is forgotten. */
  release(fact: Fact<Owner>): void {
    if (--fact.mentions > 0) return
    this.#facts.delete(`${fact.predicate.kind} ${fact.predicate.text}`)
    this.#numbers.delete(fact)
    this.#index(fact, false)
  }

  /** Which facts are true of the value that `event` has here. */
  classOf(value: AttributeValue, event: CloudEvent): ValueClass<Owner> {
    if (this.#inexactCount === 0) return this.#exact.get(textOf(value))?.alone ?? this.#nothing
    const remembered = this.#remembered.get(value)
    if (remembered !== undefined) return remembered
    const found = this.#classOfNew(value, event)
    if (typeof value !== 'string' || value.length <= rememberedTextMax) {
      if (this.#remembered.size >= rememberedValuesMax) this.#remembered.clear()
      this.#remembered.set(value, found)
    }
    return found
  }

  #classOfNew(value: AttributeValue, event: CloudEvent): ValueClass<Owner> {
    const text = textOf(value)
    const facts: Fact<Owner>[] = []
    const add = (fact: Fact<Owner>): void => void facts.push(fact)
    const exact = this.#exact.get(text)
    if (exact !== undefined) add(exact)
    if (!this.#prefixes.isEmpty) this.#prefixes.forEachPrefixOf(text, add)
    if (!this.#suffixes.isEmpty) this.#suffixes.forEachPrefixOf(reversed(text), add)
    for (const fact of this.#others) if (fact.predicate.holds(event)) add(fact)
    if (facts.length === 0) return this.#nothing
    if (facts.length === 1) return facts[0]!.alone
    const key = facts.map((fact) => this.#numbers.get(fact)).join(' ')
    let found = this.#classes.get(key)
    if (found === undefined) {
      if (this.#classes.size >= rememberedValuesMax) this.#classes.clear()
      this.#classes.set(key, (found = { facts }))
    }
    return found
  }

  #index(fact: Fact<Owner>, isNew: boolean): void {
    const { kind, text } = fact.predicate
    this.#remembered.clear()
    this.#classes.clear()
    if (kind !== 'exact') this.#inexactCount += isNew ? 1 : -1
    if (kind === 'exact') change(this.#exact, text, fact, isNew)
    else if (kind === 'prefix') change(this.#prefixes, text, fact, isNew)
    else if (kind === 'suffix') change(this.#suffixes, reversed(text), fact, isNew)
    else if (isNew) this.#others.add(fact)
    else this.#others.delete(fact)
  }
}

interface Changeable<Value> {
  set(key: string, value: Value): unknown
  delete(key: string): unknown
}

function change<Value>(index: Changeable<Value>, key: string, value: Value, isNew: boolean): void {
  if (isNew) index.set(key, value)
  else index.delete(key)
}

const textOf = (value: AttributeValue): string => (typeof value === 'string' ? value : String(value))

function reversed(text: string): string {
  let result = ''
  for (let index = text.length - 1; index >= 0; index--) result += text[index]!
  return result
}
