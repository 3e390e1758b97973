// What a controller keeps of one object between reconciles: its workers, and its own writes that the cache has yet to show.
import type { Resource } from '../../model/kubernetes/resource.ts'
import { WorkerSet } from './workers.ts'

export class ObjectState {
  readonly uid: string | undefined
  readonly workers = new WorkerSet()
  /** When it was first seen, on the steady clock; long ago if it was there before us. */
  readonly addedMs: number
  #written: Resource | undefined
  /** Versions that our last write follows directly. */
  #supersedes = new Set<string | undefined>()
  #isWriting = false
  /** A version that the cache showed while a write was under way. */
  #seenMeanwhile: string | undefined

  constructor({ metadata }: Resource, addedMs = Number.NEGATIVE_INFINITY) {
    this.uid = metadata.uid
    this.addedMs = addedMs
  }

  /** The cached object, or our own write if that is all the cache lacks. */
  newest(cached: Resource): Resource {
    const { resourceVersion } = cached.metadata
    return this.#written !== undefined && this.#supersedes.has(resourceVersion) ? this.#written : cached
  }

  /** Whether a change in the cache is what we wrote, or may be: then {@link write} tells. */
  isOwnWrite({ metadata: { resourceVersion } }: Resource): boolean {
    if (this.#isWriting) {
      this.#seenMeanwhile = resourceVersion
      return true
    }
    if (this.#written?.metadata.resourceVersion !== resourceVersion) return this.#supersedes.has(resourceVersion)
    this.#supersedes.clear()
    return true
  }

  /** Runs a write based on `base`. `missedOther`: the cache showed another change meanwhile. */
  async write(base: Resource, write: () => Promise<Resource>): Promise<{ written: Resource; missedOther: boolean }> {
    this.#isWriting = true
    this.#seenMeanwhile = undefined
    let written: Resource
    try {
      written = await write()
    } finally {
      // A failed write leads to another reconcile in any case.
      this.#isWriting = false
    }
    const { resourceVersion } = written.metadata
    const baseVersion = base.metadata.resourceVersion
    if (resourceVersion === baseVersion) return { written, missedOther: this.#seenMeanwhile !== undefined }
    if (this.#written?.metadata.resourceVersion !== baseVersion) this.#supersedes.clear()
    this.#supersedes.add(baseVersion)
    this.#written = written
    const seen: string | undefined = this.#seenMeanwhile
    if (seen === resourceVersion) this.#supersedes.clear()
    return { written, missedOther: seen !== undefined && seen !== resourceVersion && !this.#supersedes.has(seen) }
  }
}
