// Sets the replicas of one Deployment: only where they differ, one write at a time, the newest wish last.
import { messageOf } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { StatusError } from '../../model/kubernetes/status-error.ts'
import type { ScalerOptions } from '../autoscaler.ts'
import type { Caches, ResourceClient } from '../reconciler.ts'

interface Scalable extends Resource {
  spec: { replicas?: number }
}

export interface ReplicaWriterOptions {
  namespace: string
  target: ScalerOptions['target']
  caches: Caches
  client: Pick<ResourceClient, 'patch'>
  log: Logger
}

export class ReplicaWriter {
  #options: ReplicaWriterOptions
  /** Our last write, until the cache shows it or a later one. */
  #written: Scalable | undefined
  #wanted: number | undefined
  #writing: Promise<void> | undefined

  constructor(options: ReplicaWriterOptions) {
    this.#options = options
  }

  /** As stored; `undefined` when there is no such Deployment. */
  get stored(): number | undefined {
    const { caches, namespace, target } = this.#options
    const cached = caches.get<Scalable>(target.kind, namespace, target.name)
    if (cached === undefined || cached.metadata.deletionTimestamp !== undefined) return undefined
    if (this.#written !== undefined && !isOlder(cached, this.#written)) this.#written = undefined
    // Kubernetes' default.
    return (this.#written ?? cached).spec.replicas ?? 1
  }

  get isSettled(): boolean {
    return this.#writing === undefined && (this.#wanted === undefined || this.stored === this.#wanted)
  }

  /** A write that fails is not repeated by itself: ask again. */
  set(replicas: number): void {
    this.#wanted = replicas
    if (this.#writing !== undefined || this.stored === undefined || this.stored === replicas) return
    this.#writing = this.#write().finally(() => (this.#writing = undefined))
  }

  /** Waits for the write that is under way. */
  async close(): Promise<void> {
    this.#wanted = undefined
    await this.#writing
  }

  async #write(): Promise<void> {
    const { client, namespace, target, log } = this.#options
    while (this.#wanted !== undefined && this.stored !== undefined && this.stored !== this.#wanted) {
      const replicas = this.#wanted
      try {
        const patch = { spec: { replicas } }
        this.#written = await client.patch<Scalable>(target.kind, namespace, target.name, patch)
      } catch (thrown) {
        // Who deletes it, or makes it anew, is heard of through the cache.
        if (thrown instanceof StatusError && thrown.code === 404) return
        log.warn('replicas could not be set', { replicas, err: messageOf(thrown) })
        return
      }
    }
  }
}

/** Versions of one store are rising decimals. Another uid is another object: whatever the cache has of it is newer. */
function isOlder(cached: Resource, written: Resource): boolean {
  if (cached.metadata.uid !== written.metadata.uid) return false
  return Number(cached.metadata.resourceVersion) < Number(written.metadata.resourceVersion)
}
