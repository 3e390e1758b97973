// Strategic merge patch, for Kubernetes' own kinds: keyed lists merge item by item, directives say the rest.
// Source: Kubernetes documentation, "Update API Objects in Place Using kubectl patch".
import { isDeepStrictEqual } from 'node:util'
import { isObject, own, setOwn } from '../json-value.ts'
import type { JsonObject } from '../json-value.ts'
import { interleave } from './list-order.ts'
import type { Structure } from './structure.ts'

const elementOrder = '$setElementOrder/'
const deleteFromList = '$deleteFromPrimitiveList/'

/** `live` with the patch merged in. Changes neither. @throws {Error} naming the directive that is not understood. */
export function strategicMerge(live: unknown, patch: unknown, structure: Structure): unknown {
  if (!isObject(patch)) return patch
  return mergeObject(isObject(live) ? live : {}, patch, structure)
}

function mergeObject(live: JsonObject, patch: JsonObject, structure: Structure): JsonObject {
  const directive = own(patch, '$patch')
  if (directive === 'delete') return {}
  if (directive === 'replace') return withoutDirectives(patch)
  if (directive !== undefined && directive !== 'merge') throw unknownDirective(directive)
  const merged = retained(live, own(patch, '$retainKeys'))
  for (const [key, values] of Object.entries(patch)) {
    if (key.startsWith(deleteFromList)) removeValues(merged, key.slice(deleteFromList.length), values)
  }
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$')) continue
    if (value === null) delete merged[key]
    else setOwn(merged, key, mergeValue(own(merged, key), value, structure.field(key)))
  }
  for (const [key, order] of Object.entries(patch)) {
    const name = key.slice(elementOrder.length)
    const list = key.startsWith(elementOrder) ? own(merged, name) : undefined
    if (!Array.isArray(list) || !Array.isArray(order)) continue
    setOwn(merged, name, ordered(list, order, own(live, name), structure.field(name)))
  }
  return merged
}

function mergeValue(live: unknown, patch: unknown, structure: Structure): unknown {
  if (isObject(patch)) return mergeObject(isObject(live) ? live : {}, patch, structure)
  if (!Array.isArray(patch)) return patch
  const items = Array.isArray(live) ? live : []
  if (structure.list === 'atomic') return patch
  if (structure.list === 'set') return [...items, ...patch.filter((value) => !includes(items, value))]
  return mergeKeyedList(items, patch, structure.list, structure)
}

function mergeKeyedList(live: unknown[], patch: unknown[], keys: readonly string[], structure: Structure): unknown[] {
  const replaces = patch.some((item) => isObject(item) && item['$patch'] === 'replace')
  const result = replaces ? [] : [...live]
  const item = structure.item()
  for (const change of patch) {
    if (!isObject(change) || (change['$patch'] === 'replace' && !hasKey(change, keys))) continue
    const at = result.findIndex((candidate) => sameKey(candidate, change, keys))
    if (change['$patch'] === 'delete') {
      if (at >= 0) result.splice(at, 1)
    } else if (at < 0) result.push(mergeObject({}, change, item))
    else result[at] = mergeValue(result[at], change, item)
  }
  return result
}

/** Strategic merge names items by one field, the first of the keys. */
const nameOf = (item: unknown, [key = '']: readonly string[]): unknown => (isObject(item) ? own(item, key) : undefined)
const hasKey = (item: unknown, keys: readonly string[]): boolean => nameOf(item, keys) !== undefined
const sameKey = (a: unknown, b: unknown, keys: readonly string[]): boolean =>
  hasKey(a, keys) && isDeepStrictEqual(nameOf(a, keys), nameOf(b, keys))

/** `list` in the order that the patch asks for; items it does not mention keep their place among the others. */
function ordered(list: unknown[], order: unknown[], live: unknown, { list: merge }: Structure): unknown[] {
  const same = (a: unknown, b: unknown): boolean =>
    typeof merge === 'string' ? isDeepStrictEqual(a, b) : sameKey(a, b, merge)
  const rank = (among: unknown[], item: unknown): number => among.findIndex((candidate) => same(candidate, item))
  const wanted = list.filter((item) => rank(order, item) >= 0).sort((a, b) => rank(order, a) - rank(order, b))
  const others = list.filter((item) => rank(order, item) < 0)
  const liveItems = Array.isArray(live) ? live : []
  return interleave(wanted, others, (item) => rank(liveItems, item))
}

function retained(live: JsonObject, keys: unknown): JsonObject {
  if (keys === undefined) return { ...live }
  if (!Array.isArray(keys)) throw unknownDirective('$retainKeys without a list')
  return Object.fromEntries(Object.entries(live).filter(([key]) => keys.includes(key)))
}

function removeValues(target: JsonObject, name: string, values: unknown): void {
  const list = own(target, name)
  if (!Array.isArray(list) || !Array.isArray(values)) return
  setOwn(
    target,
    name,
    list.filter((item) => !includes(values, item)),
  )
}

const includes = (list: unknown[], value: unknown): boolean => list.some((item) => isDeepStrictEqual(item, value))

function withoutDirectives(patch: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(patch).filter(([key]) => !key.startsWith('$')))
}

const unknownDirective = (directive: unknown): Error => new Error(`unknown patch directive: ${String(directive)}`)
