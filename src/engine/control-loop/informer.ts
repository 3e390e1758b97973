// Follows one resource of the store: lists it, watches on from there, and tells each difference once.
import { sleep } from '../../base/clock.ts'
import type { Clock } from '../../base/clock.ts'
import { GoneError } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import type { ResourceStore, StoreRevision } from '../../ports/resource-store/port.ts'

export interface InformerChange {
  type: 'added' | 'modified' | 'deleted'
  /** The object after the change; for `deleted` its last known state. */
  resource: Resource
  /** The object as it was known before; absent for `added`. */
  previous?: Resource
}

export interface InformerOptions {
  store: ResourceStore
  /** `triggers.eventing.knative.dev`, `configmaps`. */
  resource: string
  clock: Clock
  log: Logger
  /** Must not throw. */
  onChange(change: InformerChange): void
}

/** Wait before the store is asked again after a failure, in milliseconds; doubled up to the most. */
const retryDelayMs = 100
const retryDelayMsMax = 30_000

/** Starts following at once; disposing it ends that. */
export class Informer implements AsyncDisposable {
  /** Resolves when everything that was there at the start has been told. Never rejects. */
  readonly synced: Promise<void>
  #options: InformerOptions
  #known = new Map<string, Resource>()
  #stop = new AbortController()
  #run: Promise<void>

  constructor(options: InformerOptions) {
    this.#options = options
    const synced = Promise.withResolvers<void>()
    this.synced = synced.promise
    this.#run = this.#follow(synced.resolve)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#run
  }

  async #follow(synced: () => void): Promise<void> {
    const { signal } = this.#stop
    const { log, resource } = this.#options
    let from: StoreRevision | undefined
    let failures = 0
    while (!signal.aborted) {
      try {
        from ??= await this.#relist()
        synced()
        for await (const revision of this.#watch(from)) {
          from = revision
          failures = 0
        }
      } catch (thrown) {
        if (thrown instanceof GoneError) {
          from = undefined
          log.info('history was compacted away, listing again', { resource })
          continue
        }
        if (!signal.aborted) log.warn('cannot follow a resource, trying again', { resource, err: thrown })
      }
      const delayMs = Math.min(retryDelayMs * 2 ** failures++, retryDelayMsMax)
      await sleep(this.#options.clock, delayMs, signal).catch(() => undefined)
    }
    synced()
  }

  async *#watch(from: StoreRevision): AsyncGenerator<StoreRevision> {
    const { store, resource } = this.#options
    for await (const change of store.watch({ resource }, { from, signal: this.#stop.signal })) {
      if (this.#stop.signal.aborted) return
      if (change.type === 'deleted') this.#forget(keyOf(change.resource), change.resource)
      else this.#learn(change.resource)
      yield change.revision
    }
  }

  /** Tells the difference between what is known and what is there. */
  async #relist(): Promise<StoreRevision> {
    const { store, resource } = this.#options
    const { items, revision } = await store.list({ resource })
    const gone = new Set(this.#known.keys())
    for (const item of items) {
      gone.delete(keyOf(item))
      this.#learn(item)
    }
    for (const key of gone) this.#forget(key)
    return revision
  }

  #learn(resource: Resource): void {
    const key = keyOf(resource)
    const previous = this.#known.get(key)
    if (previous?.metadata.resourceVersion === resource.metadata.resourceVersion && previous !== undefined) return
    this.#known.set(key, resource)
    // Deleted and created again while nobody looked: two changes, so that nobody takes it for the old one.
    if (previous !== undefined && previous.metadata.uid !== resource.metadata.uid) {
      this.#options.onChange({ type: 'deleted', resource: previous, previous })
      this.#options.onChange({ type: 'added', resource })
    } else if (previous === undefined) this.#options.onChange({ type: 'added', resource })
    else this.#options.onChange({ type: 'modified', resource, previous })
  }

  #forget(key: string, last?: Resource): void {
    const previous = this.#known.get(key)
    if (previous === undefined) return
    this.#known.delete(key)
    this.#options.onChange({ type: 'deleted', resource: last ?? previous, previous })
  }
}

const keyOf = ({ metadata }: Resource): string => `${metadata.namespace ?? ''}/${metadata.name}`
