// Sets of fields of an object, as `managedFields` writes them. Source: kubernetes-sigs/structured-merge-diff fieldpath.
import { isObject, own, setOwn } from '../json-value.ts'
import type { JsonObject } from '../json-value.ts'

/**
 * A tree of path elements: `f:name` a field, `k:{…}` an item of a keyed list, `v:…` one of a set. A place belongs to the
 * set when it is a `member`, whatever is below it.
 */
export interface FieldSet {
  readonly member: boolean
  readonly children: ReadonlyMap<string, FieldSet>
}

const none: ReadonlyMap<string, FieldSet> = new Map()

export const emptySet: FieldSet = { member: false, children: none }

/** The set of exactly this place. */
export const thisPlace: FieldSet = { member: true, children: none }

export const isEmptySet = ({ member, children }: FieldSet): boolean => !member && children.size === 0

/** A set from its parts; children that are empty are left out. */
export function fieldSet(member: boolean, children: Iterable<readonly [string, FieldSet]>): FieldSet {
  const kept = [...children].filter(([, child]) => !isEmptySet(child))
  return kept.length === 0 ? (member ? thisPlace : emptySet) : { member, children: new Map(kept) }
}

export const unite = (a: FieldSet, b: FieldSet): FieldSet => combine(a, b, (inA, inB) => inA || inB)
export const intersect = (a: FieldSet, b: FieldSet): FieldSet => combine(a, b, (inA, inB) => inA && inB)
/** What is in `a` but not in `b`, place by place: a child of a place in `b` stays unless it is in `b` itself. */
export const subtract = (a: FieldSet, b: FieldSet): FieldSet => combine(a, b, (inA, inB) => inA && !inB)

function combine(a: FieldSet, b: FieldSet, decide: (inA: boolean, inB: boolean) => boolean): FieldSet {
  if (a === emptySet && b === emptySet) return emptySet
  const elements = new Set([...a.children.keys(), ...b.children.keys()])
  const children = [...elements].map(
    (element) => [element, combine(childOf(a, element), childOf(b, element), decide)] as const,
  )
  return fieldSet(decide(a.member, b.member), children)
}

export const childOf = (set: FieldSet, element: string): FieldSet => set.children.get(element) ?? emptySet

export const sameSet = (a: FieldSet, b: FieldSet): boolean => isEmptySet(subtract(a, b)) && isEmptySet(subtract(b, a))

/** Paths as conflicts name them: `.spec.containers[name="app"].image`. */
export function pathTexts(set: FieldSet, prefix = ''): string[] {
  const below = [...set.children].flatMap(([element, child]) => pathTexts(child, prefix + elementText(element)))
  return set.member ? [prefix, ...below] : below
}

function elementText(element: string): string {
  const content = element.slice(2)
  if (element.startsWith('f:')) return `.${content}`
  if (element.startsWith('v:')) return `[=${content}]`
  const keys = JSON.parse(content) as JsonObject
  const texts = Object.entries(keys).map(([name, value]) => `${name}=${JSON.stringify(value)}`)
  return `[${texts.join(',')}]`
}

/** The set as `fieldsV1`, elements sorted. */
export function toFieldsV1({ member, children }: FieldSet): JsonObject {
  const fields: JsonObject = member && children.size > 0 ? { '.': {} } : {}
  for (const [element, child] of [...children].sort(([a], [b]) => (a < b ? -1 : 1))) {
    setOwn(fields, element, toFieldsV1(child))
  }
  return fields
}

/** The set that `fieldsV1` means. @throws {Error} when it is not of that form. */
export function fromFieldsV1(fields: unknown, isRoot = true): FieldSet {
  if (!isObject(fields)) throw new Error('fieldsV1 must be an object')
  const children = Object.entries(fields).flatMap(([element, child]) => {
    if (element === '.') return []
    if (!isElement(element)) throw new Error(`"${element}" is no path element`)
    return [[element, fromFieldsV1(child, false)] as const]
  })
  const member = !isRoot && (children.length === 0 || own(fields, '.') !== undefined)
  return fieldSet(member, children)
}

function isElement(element: string): boolean {
  if (element.startsWith('f:')) return true
  if (!/^[kv]:/.test(element)) return false
  try {
    const content: unknown = JSON.parse(element.slice(2))
    return element.startsWith('v:') || isObject(content)
  } catch {
    return false
  }
}
