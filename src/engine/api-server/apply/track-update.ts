// What a write that is no apply does to `managedFields`: the writer takes what it changed, others lose it.
// Source: kubernetes-sigs/structured-merge-diff merge/update.go.
import type { ManagedFieldsEntry, Resource } from '../../../model/kubernetes/resource.ts'
import { hasStatus } from '../../kind.ts'
import type { KindDefinition } from '../../kind.ts'
import type { JsonObject } from '../json-value.ts'
import { structureOf } from '../patch/structure.ts'
import { compare, written } from './compare.ts'
import { emptySet, subtract, unite } from './field-set.ts'
import { isSameManager, parseManagers, printManagers, withFields } from './managers.ts'
import type { Manager } from './managers.ts'

export interface Writer {
  kind: KindDefinition
  /** The request's version, which both objects are in. */
  version: string
  manager: string
  /** `''` for the object itself. */
  subresource: string
  /** RFC 3339, second precision. */
  time: string
}

/** The entries after `writer` made `draft` of `live` (absent for a create). */
export function trackUpdate(writer: Writer, live: Resource | undefined, draft: Resource): ManagedFieldsEntry[] {
  const managers = managersBefore(writer, live, draft)
  // Whoever clears the list wants the object to be left alone.
  if (managers.length === 0 && live !== undefined) return []
  const { kind, version, manager, subresource, time } = writer
  const before = live === undefined ? { metadata: {} } : managedPart(kind, live, subresource)
  const difference = compare(before, managedPart(kind, draft, subresource), structureOf(kind, version))
  const id = { name: manager, operation: 'Update', apiVersion: draft.apiVersion, subresource } as const
  const own = managers.find((candidate) => isSameManager(candidate, id))?.fields ?? emptySet
  const fields = unite(subtract(own, difference.removed), written(difference))
  const lost = unite(written(difference), difference.removed)
  const others = managers.map((other) =>
    isSameManager(other, id) ? other : { ...other, fields: subtract(other.fields, lost) },
  )
  return printManagers(withFields(others, id, fields, time))
}

/** The stored managers, or those that the request puts in their place: no list keeps, `[]` and `[{}]` clear. */
function managersBefore({ subresource }: Writer, live: Resource | undefined, { metadata }: Resource): Manager[] {
  const stored = parseManagers(live?.metadata.managedFields ?? []) ?? []
  const { managedFields } = metadata
  if (managedFields === undefined || subresource !== '' || live === undefined) return stored
  const [first] = managedFields
  if (first === undefined || (managedFields.length === 1 && Object.keys(first).length === 0)) return []
  return parseManagers(managedFields) ?? stored
}

const serverFields = [
  'name',
  'namespace',
  'creationTimestamp',
  'selfLink',
  'uid',
  'generation',
  'resourceVersion',
  'managedFields',
]

/** The part of an object that managers share: not its identity, and status only through its own door. */
export function managedPart(kind: KindDefinition, object: Resource, subresource: string): JsonObject {
  const { apiVersion: _, kind: __, metadata, status, ...content } = object
  if (subresource === 'status') return status === undefined ? {} : { status }
  const shared = Object.entries(metadata).filter(([name]) => !serverFields.includes(name))
  const part: JsonObject = { ...content, metadata: Object.fromEntries(shared) }
  return hasStatus(kind) || status === undefined ? part : { ...part, status }
}
