// Objects between the versions of their kind: stored in one, asked for in any.
import { apiVersionOf, parseApiVersion } from '../../model/kubernetes/resource.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { storageVersion } from '../kind.ts'
import type { KindDefinition } from '../kind.ts'

/** The object in another version; the same object when it is in that version already. Never changes the given one. */
export function convertTo(kind: KindDefinition, object: Resource, version: string): Resource {
  if (parseApiVersion(object.apiVersion).version === version) return object
  const converted = kind.convert === undefined ? object : kind.convert(structuredClone(object), version)
  return { ...converted, apiVersion: apiVersionOf(kind.group, version) }
}

export const toStorage = (kind: KindDefinition, object: Resource): Resource =>
  convertTo(kind, object, storageVersion(kind))
