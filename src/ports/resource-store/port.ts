// The first door: where resources live.
import type { Resource } from '../../model/kubernetes/resource.ts'

/** A decimal number that rises with every change of the store. It is written into `metadata.resourceVersion`. */
export type StoreRevision = string

export interface ResourceKey {
  /** Plural and group, `triggers.eventing.knative.dev`; core kinds have no group: `configmaps`. */
  resource: string
  /** `''` for cluster-scoped objects. */
  namespace: string
  name: string
}

/** Objects of one resource, in one namespace or (absent) in all; without `resource`, every object. */
export interface ResourceScope {
  resource?: string
  namespace?: string
}

export interface ResourceList {
  /** Sorted by resource, namespace, name. */
  items: Resource[]
  /** The state of the store that the list shows: watch from here to miss nothing. */
  revision: StoreRevision
}

export interface Change {
  type: 'added' | 'modified' | 'deleted'
  key: ResourceKey
  /** The object after the change; for `deleted` its last state. Its resourceVersion is that of this change. */
  resource: Resource
  /** The object before the change; absent for `added`. */
  previous?: Resource
  revision: StoreRevision
}

/**
 * Kubernetes-shaped optimistic concurrency over objects. Returned objects are shared and must not be changed.
 * A change is visible to `get`, `list` and `watch` only once it is as safe as the driver makes it.
 */
export interface ResourceStore extends AsyncDisposable {
  get(key: ResourceKey): Promise<Resource | undefined>
  list(scope: ResourceScope): Promise<ResourceList>
  /** The newest revision. */
  revision(): Promise<StoreRevision>
  /**
   * Stores `resource` (the store takes ownership) and returns it with its new resourceVersion.
   * `expected`: the revision it must still have, or `null` when it must not exist; without it, last write wins.
   * @throws {ConflictError} when that does not hold.
   */
  put(key: ResourceKey, resource: Resource, options?: { expected?: StoreRevision | null }): Promise<Resource>
  /**
   * Removes the object and returns its last state with the revision of the deletion, or `undefined` if there was none.
   * @throws {ConflictError} when `expected` is not its revision.
   */
  delete(key: ResourceKey, options?: { expected?: StoreRevision }): Promise<Resource | undefined>
  /**
   * Every change after `from`, in order, until `signal` aborts (then it ends without an error).
   * @throws {GoneError} when the history from there is no longer kept.
   */
  watch(scope: ResourceScope, options: { from: StoreRevision; signal: AbortSignal }): AsyncIterable<Change>
}
