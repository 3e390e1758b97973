// How the parts of an object merge: which lists are keyed, which are sets, which are taken as a whole.
import type { Schema } from '../../../model/kubernetes/schema.ts'
import type { KindDefinition } from '../../kind.ts'
import { isObject, own } from '../json-value.ts'
import { schemasOf } from '../metadata-schema.ts'
import { fieldSchema } from '../schema-check.ts'

/** `atomic`, a set of plain values, or the fields that name an item. */
export type ListMerge = 'atomic' | 'set' | readonly string[]

/** What is known about one place in an object. */
export interface Structure {
  list: ListMerge
  /** Whether the field is one of the type's own, and not a key of a map. */
  names(field: string): boolean
  field(name: string): Structure
  item(): Structure
  /** The key fields of a list item with their values, sorted by name; absent ones have their default, or null. */
  keyOf(item: unknown, keys: readonly string[]): Record<string, unknown>
}

/** The structure of the kind's objects. Unknown parts of custom kinds have atomic lists. */
export function structureOf(kind: KindDefinition, version: string): Structure {
  return structure(schemasOf(kind, version).whole, kind.builtIn === true, '', '')
}

function structure(schema: Schema | undefined, builtIn: boolean, field: string, parent: string): Structure {
  const { items } = schema ?? {}
  return {
    list: listMerge(schema) ?? (builtIn ? builtInListMerge(field, parent) : 'atomic'),
    names: (name) => schema?.properties !== undefined && Object.hasOwn(schema.properties, name),
    field: (name) => structure(schema && fieldSchema(schema, name), builtIn, name, field),
    item: () => structure(items, builtIn, field, parent),
    keyOf: (item, keys) =>
      Object.fromEntries([...keys].sort().map((key) => [key, keyValue(item, key, items && fieldSchema(items, key))])),
  }
}

function listMerge(schema: Schema | undefined): ListMerge | undefined {
  const type = schema?.['x-kubernetes-list-type']
  return type === 'map' ? (schema?.['x-kubernetes-list-map-keys'] ?? []) : type
}

function keyValue(item: unknown, key: string, schema: Schema | undefined): unknown {
  const value = isObject(item) ? own(item, key) : undefined
  return value ?? schema?.default ?? (key === 'protocol' ? 'TCP' : null)
}

const containerLists = ['containers', 'initContainers', 'ephemeralContainers']

/** Merge keys that Kubernetes' Go types carry as tags; the first one is what strategic merge goes by. */
function builtInListMerge(field: string, parent: string): ListMerge {
  if (containerLists.includes(field)) return ['name']
  if (field === 'ports') return containerLists.includes(parent) ? ['containerPort', 'protocol'] : ['port', 'protocol']
  return builtInLists.get(field) ?? 'atomic'
}

const builtInLists = new Map<string, ListMerge>(
  Object.entries({
    conditions: ['type'],
    env: ['name'],
    finalizers: 'set',
    hostAliases: ['ip'],
    imagePullSecrets: ['name'],
    ownerReferences: ['uid'],
    podIPs: ['ip'],
    secrets: ['name'],
    topologySpreadConstraints: ['topologyKey', 'whenUnsatisfiable'],
    volumeDevices: ['devicePath'],
    volumeMounts: ['mountPath'],
    volumes: ['name'],
  }),
)
