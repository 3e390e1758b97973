// One cache over all kinds, kept up to date by an informer for each.
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/log.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import type { ResourceStore } from '../../ports/resource-store/port.ts'
import { kindId, resourceName } from '../kind.ts'
import type { KindDefinition, KindId } from '../kind.ts'
import type { Caches } from '../reconciler.ts'
import { Informer } from './informer.ts'
import type { InformerChange } from './informer.ts'
import { KindCache } from './kind-cache.ts'

export interface CacheChange extends InformerChange {
  kind: KindId
}

export interface OpenCaches extends Caches, AsyncDisposable {
  /** Objects of a kind whose controller has that uid, by namespace and name. */
  controlledBy<Object extends Resource>(kind: KindId, uid: string): Object[]
  /** Calls `listener` after each change of the cache. Disposing ends it. A listener must not throw. */
  onChange(listener: (change: CacheChange) => void): Disposable
  /** Resolves when the cache shows all that is stored at some moment after the call. */
  caughtUp(): Promise<void>
}

export interface CachesOptions {
  store: ResourceStore
  kinds: readonly KindDefinition[]
  clock: Clock
  log: Logger
}

/** Resolves when all kinds are synced. Objects are in the version they are stored in. */
export async function openCaches({ store, kinds, clock, log }: CachesOptions): Promise<OpenCaches> {
  const caches = new Map(kinds.map((kind) => [kindId(kind), new KindCache()]))
  const listeners = new Set<(change: CacheChange) => void>()
  const informers = kinds.map((definition) => {
    const kind = kindId(definition)
    const cache = caches.get(kind)!
    const onChange = (change: InformerChange): void => {
      if (change.type === 'deleted') cache.delete(change.resource)
      else cache.set(change.resource)
      for (const listener of listeners) listener({ ...change, kind })
    }
    return new Informer({ store, resource: resourceName(definition), clock, log, onChange })
  })
  await Promise.all(informers.map(({ synced }) => synced))

  const onChange: OpenCaches['onChange'] = (listener) => {
    listeners.add(listener)
    return { [Symbol.dispose]: () => void listeners.delete(listener) }
  }
  const showsAll = async (): Promise<boolean> => {
    for (const kind of kinds) {
      const { items } = await store.list({ resource: resourceName(kind) })
      const known = caches.get(kindId(kind))!.list()
      if (!isSameState(items, known)) return false
    }
    return true
  }
  return {
    get: <Object extends Resource>(kind: KindId, namespace: string, name: string) =>
      caches.get(kind)?.get(namespace, name) as Object | undefined,
    list: <Object extends Resource>(kind: KindId, namespace?: string) =>
      (caches.get(kind)?.list(namespace) ?? []) as Object[],
    controlledBy: <Object extends Resource>(kind: KindId, uid: string) =>
      (caches.get(kind)?.controlledBy(uid) ?? []) as Object[],
    onChange,
    async caughtUp() {
      for (;;) {
        const changed = Promise.withResolvers<void>()
        using _ = onChange(() => changed.resolve())
        if (await showsAll()) return
        await changed.promise
      }
    },
    async [Symbol.asyncDispose]() {
      listeners.clear()
      await Promise.all(informers.map((informer) => informer[Symbol.asyncDispose]()))
    },
  }
}

function isSameState(stored: readonly Resource[], known: readonly Resource[]): boolean {
  const versions = new Set(known.map(versionOf))
  return stored.length === known.length && stored.every((resource) => versions.has(versionOf(resource)))
}

const versionOf = ({ metadata }: Resource): string =>
  `${metadata.namespace ?? ''}/${metadata.name}@${metadata.resourceVersion}`
