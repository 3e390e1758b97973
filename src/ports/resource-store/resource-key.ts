// Keys of the store as text, and which keys a scope holds.
import type { ResourceKey, ResourceScope } from './port.ts'

/** A key as one string that sorts as the store lists: by resource, namespace, name. */
export const keyText = ({ resource, namespace, name }: ResourceKey): string =>
  `${resource}\u0000${namespace}\u0000${name}`

/** A key as messages name it: `triggers.eventing.knative.dev default/orders`. */
export const keyLabel = ({ resource, namespace, name }: ResourceKey): string =>
  `${resource} ${namespace === '' ? name : `${namespace}/${name}`}`

export const isInScope = (key: ResourceKey, { resource, namespace }: ResourceScope): boolean =>
  (resource === undefined || key.resource === resource) && (namespace === undefined || key.namespace === namespace)
