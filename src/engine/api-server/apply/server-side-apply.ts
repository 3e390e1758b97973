// Server-side apply: the fields given are set and owned, fields given up are removed, fields of others are respected.
// Source: Kubernetes documentation, "Server-Side Apply"; kubernetes-sigs/structured-merge-diff merge/update.go.
import { isDeepStrictEqual } from 'node:util'
import type { ManagedFieldsEntry, ObjectMeta, Resource } from '../../../model/kubernetes/resource.ts'
import { isObject, own, setOwn } from '../json-value.ts'
import type { JsonObject } from '../json-value.ts'
import { interleave } from '../patch/list-order.ts'
import { structureOf } from '../patch/structure.ts'
import type { Structure } from '../patch/structure.ts'
import { compare, elementOf, fieldsOf, partsOf, written } from './compare.ts'
import { conflictError } from './conflict-error.ts'
import type { Conflict } from './conflict-error.ts'
import { childOf, emptySet, intersect, isEmptySet, subtract, unite } from './field-set.ts'
import type { FieldSet } from './field-set.ts'
import { isSameManager, parseManagers, printManagers, withFields } from './managers.ts'
import type { Manager, ManagerId } from './managers.ts'
import { managedPart } from './track-update.ts'
import type { Writer } from './track-update.ts'

/** Owns what was there before anybody was asked to manage it. */
const beforeFirstApply = 'before-first-apply'

const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration'

export interface Applied {
  object: Resource
  managedFields: ManagedFieldsEntry[]
}

/**
 * Applies `config` to `live` (absent: to nothing), both in the writer's version.
 * @throws {StatusError} 409 naming every field that another manager owns with another value, unless `force`.
 */
export function applyConfig(writer: Writer, live: Resource | undefined, config: Resource, force: boolean): Applied {
  const { kind, version, manager, subresource, time } = writer
  const structure = structureOf(kind, version)
  const before = live === undefined ? { metadata: {} } : managedPart(kind, live, subresource)
  const wanted = managedPart(kind, config, subresource)
  const id: ManagerId = { name: manager, operation: 'Apply', apiVersion: config.apiVersion, subresource }
  const managers = managersOf(live, before, structure)
  const last = managers.find((candidate) => isSameManager(candidate, id))?.fields ?? emptySet
  const others = managers.filter((candidate) => !isSameManager(candidate, id))
  const fields = withoutRoots(fieldsOf(wanted, structure))
  const owned = others.reduce((all, other) => unite(all, other.fields), fields)
  const merged = removeGivenUp(mergeConfig(before, wanted, structure), last, owned, structure) as JsonObject
  const difference = compare(before, merged, structure)
  const taken = written(difference)
  const conflicts = others
    .map((other) => ({ manager: other, fields: intersect(other.fields, taken) }))
    .filter((conflict) => !isEmptySet(conflict.fields))
  if (!force && conflicts.length > 0 && !isMigration(writer, live, before, conflicts, structure)) {
    throw conflictError(conflicts)
  }
  const lost = unite(taken, difference.removed)
  const left = others.map((other) => ({ ...other, fields: subtract(other.fields, lost) }))
  const all = [...left, ...managers.filter((candidate) => isSameManager(candidate, id))]
  return {
    object: rebuilt(live, config, merged, subresource),
    managedFields: printManagers(withFields(all, id, fields, time)),
  }
}

function managersOf(live: Resource | undefined, before: JsonObject, structure: Structure): Manager[] {
  if (live === undefined) return []
  const managers = parseManagers(live.metadata.managedFields ?? []) ?? []
  if (managers.length > 0) return managers
  const fields = withoutRoots(fieldsOf(before, structure))
  return [{ name: beforeFirstApply, operation: 'Update', apiVersion: live.apiVersion, subresource: '', fields }]
}

/**
 * kubectl may go from client-side to server-side apply: what its last client-side apply set, and nobody changed since, is
 * its own. Source: kubernetes/apimachinery pkg/util/managedfields/internal/lastappliedmanager.go.
 */
function isMigration(
  { kind, manager, subresource }: Writer,
  live: Resource | undefined,
  before: JsonObject,
  conflicts: Conflict[],
  structure: Structure,
): boolean {
  const text = live?.metadata.annotations?.[lastAppliedAnnotation]
  if (manager !== 'kubectl' || text === undefined) return false
  const lastApplied = parsedObject(text)
  if (lastApplied === undefined || lastApplied.apiVersion !== live?.apiVersion) return false
  const part = managedPart(kind, lastApplied, subresource)
  const { modified, added, removed } = compare(part, before, structure)
  const own = [modified, added, removed].reduce(subtract, fieldsOf(part, structure))
  return conflicts.every(({ fields }) => isEmptySet(subtract(fields, own)))
}

function parsedObject(text: string): Resource | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) && isObject(value['metadata']) ? (value as unknown as Resource) : undefined
  } catch {
    return undefined
  }
}

/** Nobody owns an object, or its metadata, as such. */
function withoutRoots({ children }: FieldSet): FieldSet {
  const metadata = childOf({ member: false, children }, 'f:metadata')
  const rest = [...children].filter(([element]) => element !== 'f:metadata')
  const kept = metadata.children.size === 0 ? [] : [['f:metadata', { ...metadata, member: false }] as const]
  return { member: false, children: new Map([...rest, ...kept]) }
}

/** `live` with everything that `config` says; keyed lists and sets merge item by item. */
function mergeConfig(live: unknown, config: unknown, structure: Structure): unknown {
  if (isObject(config) && isObject(live)) {
    const merged = { ...live }
    for (const [key, value] of Object.entries(config)) {
      setOwn(merged, key, mergeConfig(own(live, key), value, structure.field(key)))
    }
    return merged
  }
  if (!Array.isArray(config) || !Array.isArray(live) || structure.list === 'atomic') return config
  const elements = live.map((item) => elementOf(item, structure))
  const place = (item: unknown): number => elements.indexOf(elementOf(item, structure))
  const wanted = config.map((item) => (place(item) < 0 ? item : mergeConfig(live[place(item)], item, structure.item())))
  const wantedElements = new Set(wanted.map((item) => elementOf(item, structure)))
  const others = live.filter((_, index) => !wantedElements.has(elements[index]!))
  return interleave(wanted, others, place)
}

/** Without the fields of `last` that nobody owns any more; items of lists go whole. */
function removeGivenUp(value: unknown, last: FieldSet, owned: FieldSet, structure: Structure): unknown {
  const parts = partsOf(value, structure)
  if (parts === undefined || last.children.size === 0) return value
  const kept: [string, unknown][] = []
  for (const [element, part] of parts) {
    const before = childOf(last, element)
    const now = childOf(owned, element)
    if (before.member && isEmptySet(now)) continue
    const child = removeGivenUp(part.value, before, now, part.structure)
    const emptied = !isDeepStrictEqual(child, part.value) && isEmptyContainer(child) && isEmptySet(now)
    if (!emptied) kept.push([element, child])
  }
  return Array.isArray(value)
    ? kept.map(([, item]) => item)
    : Object.fromEntries(kept.map(([element, child]) => [element.slice('f:'.length), child]))
}

const isEmptyContainer = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0

/** The whole object again; what belongs to the server is filled in where it is stored. */
function rebuilt(live: Resource | undefined, config: Resource, merged: JsonObject, subresource: string): Resource {
  const { name, namespace, uid, resourceVersion } = config.metadata
  const identity: ObjectMeta = {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  }
  const { apiVersion, kind } = config
  if (subresource === 'status' && live !== undefined) {
    return { ...live, ...merged, metadata: { ...live.metadata, ...identity } }
  }
  return { apiVersion, kind, ...merged, metadata: { ...(merged['metadata'] as object), ...identity } }
}
