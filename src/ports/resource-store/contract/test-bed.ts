// What the promises of a resource store are tried with.
import type { Resource } from '../../../model/kubernetes/resource.ts'
import type { Change, ResourceKey, ResourceScope, ResourceStore, StoreRevision } from '../port.ts'

/** Opens an empty store that keeps at least this many changes for watches. */
export type OpenStore = (options?: { historyChangesMax?: number }) => Promise<ResourceStore>

export const key = (name: string): ResourceKey => ({ resource: 'triggers', namespace: 'default', name })

export const aTrigger = (name: string, broker = 'default'): Resource => ({
  apiVersion: 'eventing.knative.dev/v1',
  kind: 'Trigger',
  metadata: { name, namespace: 'default' },
  spec: { broker },
})

export const revisionOf = (resource: Resource): StoreRevision => resource.metadata.resourceVersion!
export const namesOf = (changes: Change[]): string[] => changes.map(({ key: { name } }) => name)

/** The first changes that a watch tells. */
export async function take(
  store: ResourceStore,
  scope: ResourceScope,
  from: StoreRevision,
  count: number,
): Promise<Change[]> {
  const changes: Change[] = []
  const stop = new AbortController()
  for await (const change of store.watch(scope, { from, signal: stop.signal })) {
    if (changes.push(change) === count) stop.abort()
  }
  return changes
}
