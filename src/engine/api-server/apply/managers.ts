// Who manages which fields: the entries of `metadata.managedFields`.
// Source: Kubernetes documentation, "Server-Side Apply"; kubernetes/apimachinery pkg/util/managedfields.
import type { ManagedFieldsEntry } from '../../../model/kubernetes/resource.ts'
import { emptySet, fromFieldsV1, isEmptySet, sameSet, toFieldsV1, unite } from './field-set.ts'
import type { FieldSet } from './field-set.ts'

export interface Manager {
  name: string
  operation: 'Apply' | 'Update'
  apiVersion: string
  /** `''` for the object itself. */
  subresource: string
  time?: string
  fields: FieldSet
}

export type ManagerId = Omit<Manager, 'time' | 'fields'>

/** Most managers with operation Update; older ones become one. */
const updateManagersMax = 10
const ancientManager = 'ancient-changes'

/** Appliers are the same whatever version they apply in. */
export const isSameManager = (a: ManagerId, b: ManagerId): boolean =>
  a.name === b.name &&
  a.operation === b.operation &&
  a.subresource === b.subresource &&
  (a.operation === 'Apply' || a.apiVersion === b.apiVersion)

/** Undefined when an entry is not understood. */
export function parseManagers(entries: readonly ManagedFieldsEntry[]): Manager[] | undefined {
  try {
    return entries.map(parseManager)
  } catch {
    return undefined
  }
}

function parseManager(entry: ManagedFieldsEntry): Manager {
  const { manager = '', operation, apiVersion = '', subresource = '', time, fieldsType, fieldsV1 } = entry
  if (operation !== 'Apply' && operation !== 'Update') throw new Error(`unknown operation ${operation}`)
  if (fieldsType !== 'FieldsV1' || apiVersion === '') throw new Error('not an entry of managed fields')
  const fields = fromFieldsV1(fieldsV1 ?? {})
  return { name: manager, operation, apiVersion, subresource, fields, ...(time === undefined ? {} : { time }) }
}

/** The entries to store: those without fields are gone, appliers come first, then the older ones. */
export function printManagers(managers: Manager[]): ManagedFieldsEntry[] {
  return capped(managers.filter(({ fields }) => !isEmptySet(fields)))
    .sort(inOrder)
    .map(({ name, operation, apiVersion, subresource, time, fields }) => ({
      manager: name,
      operation,
      apiVersion,
      ...(time === undefined ? {} : { time }),
      fieldsType: 'FieldsV1',
      fieldsV1: toFieldsV1(fields),
      ...(subresource === '' ? {} : { subresource }),
    }))
}

function capped(managers: Manager[]): Manager[] {
  const updates = managers.filter(({ operation }) => operation === 'Update').sort(inOrder)
  const surplus = updates.slice(0, Math.max(0, updates.length - updateManagersMax))
  if (surplus.length === 0) return managers
  // One goes for the entry that takes them in.
  const ancient = updates.slice(0, surplus.length + 1)
  const newest = ancient.at(-1)!
  const fields = ancient.reduce((all, manager) => unite(all, manager.fields), emptySet)
  return [...managers.filter((manager) => !ancient.includes(manager)), { ...newest, name: ancientManager, fields }]
}

const inOrder = (a: Manager, b: Manager): number =>
  byText(a.operation, b.operation) || byText(a.time ?? '', b.time ?? '') || byText(a.name, b.name)
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** The managers with one of them owning `fields` from now on; its time moves only when they change. */
export function withFields(managers: Manager[], id: ManagerId, fields: FieldSet, time: string): Manager[] {
  const before = managers.find((manager) => isSameManager(manager, id))
  const unchanged = before !== undefined && sameSet(before.fields, fields) && before.apiVersion === id.apiVersion
  const others = managers.filter((manager) => manager !== before)
  return [...others, unchanged ? before : { ...id, time, fields }]
}
