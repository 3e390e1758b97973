// Which fields an object has, and which differ between two. Source: kubernetes-sigs/structured-merge-diff typed.
import { isDeepStrictEqual } from 'node:util'
import { isObject } from '../json-value.ts'
import type { Structure } from '../patch/structure.ts'
import { emptySet, fieldSet, thisPlace, unite } from './field-set.ts'
import type { FieldSet } from './field-set.ts'

/** One part of an object that can have an owner of its own. */
export interface Part {
  value: unknown
  structure: Structure
  /** Whether the place itself belongs to the fields of an object that has it: list items and keys of maps do. */
  isItem: boolean
}

/** The parts of a value by path element; undefined for a value that is owned as a whole. */
export function partsOf(value: unknown, structure: Structure): Map<string, Part> | undefined {
  if (isObject(value)) {
    return new Map(
      Object.entries(value).map(([key, child]) => [
        `f:${key}`,
        { value: child, structure: structure.field(key), isItem: !structure.names(key) },
      ]),
    )
  }
  if (!Array.isArray(value) || structure.list === 'atomic') return undefined
  return new Map(
    value.map((item) => [elementOf(item, structure), { value: item, structure: structure.item(), isItem: true }]),
  )
}

/** The path element of an item of a keyed list or a set. */
export function elementOf(item: unknown, structure: Structure): string {
  if (typeof structure.list === 'string') return `v:${JSON.stringify(item)}`
  return `k:${JSON.stringify(structure.keyOf(item, structure.list))}`
}

/** The fields that an applied configuration claims. */
export function fieldsOf(value: unknown, structure: Structure, isItem = false): FieldSet {
  const parts = partsOf(value, structure)
  if (parts === undefined || parts.size === 0) return thisPlace
  const children = [...parts].map(
    ([element, part]) => [element, fieldsOf(part.value, part.structure, part.isItem)] as const,
  )
  return fieldSet(isItem, children)
}

export interface Comparison {
  added: FieldSet
  modified: FieldSet
  removed: FieldSet
}

const noDifference: Comparison = { added: emptySet, modified: emptySet, removed: emptySet }

/** What changed from `before` to `after`; `undefined` is absent. */
export function compare(before: unknown, after: unknown, structure: Structure): Comparison {
  if (before === after || (before === undefined && after === undefined)) return noDifference
  const left = before === undefined ? undefined : partsOf(before, structure)
  const right = after === undefined ? undefined : partsOf(after, structure)
  if (before !== undefined && after !== undefined && (left === undefined || right === undefined)) {
    return replaced(before, after, left, right, structure)
  }
  const elements = new Set([...(left?.keys() ?? []), ...(right?.keys() ?? [])])
  const below = [...elements].map((element) => {
    const part = (right?.get(element) ?? left?.get(element))!
    return [element, compare(left?.get(element)?.value, right?.get(element)?.value, part.structure)] as const
  })
  return {
    added: fieldSet(before === undefined, pick(below, 'added')),
    modified: fieldSet(false, pick(below, 'modified')),
    removed: fieldSet(after === undefined, pick(below, 'removed')),
  }
}

/** A value without parts took the place of another, or became one with parts. */
function replaced(
  before: unknown,
  after: unknown,
  left: Map<string, Part> | undefined,
  right: Map<string, Part> | undefined,
  structure: Structure,
): Comparison {
  if (isDeepStrictEqual(before, after)) return noDifference
  const gone = left === undefined ? emptySet : fieldSet(false, compare(before, undefined, structure).removed.children)
  const come = right === undefined ? emptySet : fieldSet(false, compare(undefined, after, structure).added.children)
  return { added: come, modified: thisPlace, removed: gone }
}

const pick = (below: (readonly [string, Comparison])[], which: keyof Comparison): (readonly [string, FieldSet])[] =>
  below.map(([element, comparison]) => [element, comparison[which]] as const)

/** Everything that differs in what is there afterwards. */
export const written = ({ added, modified }: Comparison): FieldSet => unite(added, modified)
