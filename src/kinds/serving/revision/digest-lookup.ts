// Finds out which image a tag means, in the background and again until it is known, so that all instances of a Revision
// run the same. Source: knative/serving pkg/reconciler/revision/background.go, resolve.go.
import { messageOf } from '../../../base/errors.ts'
import type { CancelTimer, Clock } from '../../../base/clock.ts'
import type { WorkloadSpec } from '../../../ports/workload-runtime/port.ts'

export type LookupState =
  | { phase: 'asking' }
  /** `message` is for people and names the image. It is tried again. */
  | { phase: 'failed'; message: string }
  /** `NAME@sha256:…` by image as it was given; `''` where there is no digest. */
  | { phase: 'found'; digests: ReadonlyMap<string, string> }

export interface DigestLookupOptions {
  containers: readonly WorkloadSpec[]
  /** `undefined`: the image has no digest. @throws when it cannot be had */
  ask: (container: WorkloadSpec) => Promise<string | undefined>
  /** Longest wait for one answer. */
  timeoutMs: number
  /** Called when `state` has changed; must not throw. */
  onChange: () => void
  clock: Clock
}

const retryMsMin = 1_000
const retryMsMax = 1_000_000

export class DigestLookup implements AsyncDisposable {
  #options: DigestLookupOptions
  #state: LookupState = { phase: 'asking' }
  #cancelRetry: CancelTimer | undefined
  /** Of the answers that are waited for. */
  #cancels = new Set<CancelTimer>()
  #isClosed = false

  constructor(options: DigestLookupOptions) {
    this.#options = options
    void this.#run(retryMsMin)
  }

  get state(): LookupState {
    return this.#state
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    this.#cancelRetry?.()
    for (const cancel of this.#cancels) cancel()
    return Promise.resolve()
  }

  async #run(retryMs: number): Promise<void> {
    const { containers, onChange, clock } = this.#options
    const byImage = new Map(containers.map((container) => [container.image, container]))
    const found = await Promise.all([...byImage.values()].map((container) => this.#one(container)))
    if (this.#isClosed) return
    const failed = found.find((each) => 'message' in each)
    if (failed === undefined) {
      const digests = new Map(found.flatMap((each) => ('digest' in each ? [[each.image, each.digest] as const] : [])))
      this.#state = { phase: 'found', digests }
    } else {
      this.#state = { phase: 'failed', message: failed.message }
      const next = Math.min(retryMs * 2, retryMsMax)
      this.#cancelRetry = clock.setTimer(retryMs, () => void this.#run(next))
    }
    onChange()
  }

  /** Never rejects. */
  async #one(container: WorkloadSpec): Promise<{ image: string; digest: string } | { message: string }> {
    const { image } = container
    const { ask, timeoutMs, clock } = this.#options
    const late = Promise.withResolvers<never>()
    const cancel = clock.setTimer(timeoutMs, () => late.reject(new Error(`no answer within ${timeoutMs / 1_000}s`)))
    this.#cancels.add(cancel)
    try {
      return { image, digest: (await Promise.race([ask(container), late.promise])) ?? '' }
    } catch (thrown) {
      return { message: `Unable to fetch image "${image}": ${messageOf(thrown)}` }
    } finally {
      cancel()
      this.#cancels.delete(cancel)
    }
  }
}
