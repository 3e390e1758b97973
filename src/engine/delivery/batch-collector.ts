// Gathers a consumer's events into batches; what failed together comes back together.
import type { CancelTimer, Clock } from '../../base/clock.ts'
import type { Delivery } from '../../ports/event-transport/port.ts'

export interface BatchLimits {
  /** Events in a batch. */
  eventsMax: number
  /** How long the first event waits for others, in milliseconds. */
  waitMs: number
  /** Bytes of data in a batch; a larger event goes alone. */
  bytesMax: number
  /** How long the first event of a failed batch waits for the rest of it, in milliseconds. */
  reunionMs: number
  /** Events remembered as parts of failed batches; of more it is not known which belonged together. */
  returningMax: number
}

interface Batch {
  deliveries: Delivery[]
  bytes: number
  cancelTimer: CancelTimer
}

/** A batch that failed: `size` events will come again. */
interface FailedBatch {
  key: string
  size: number
}

/** Hands over each batch when it is full or has waited long enough. Those of one batch share attempt and specversion. */
export class BatchCollector {
  #limits: BatchLimits
  #clock: Clock
  #go: (batch: Delivery[]) => void
  #open = new Map<string, Batch>()
  #returning = new Map<number, FailedBatch>()
  #failed = 0

  constructor(limits: BatchLimits, clock: Clock, go: (batch: Delivery[]) => void) {
    this.#limits = limits
    this.#clock = clock
    this.#go = go
  }

  add(delivery: Delivery): void {
    const { eventsMax, waitMs, bytesMax, reunionMs } = this.#limits
    const { offset, attempt, message } = delivery
    const failed = this.#returning.get(offset)
    this.#returning.delete(offset)
    // A JSON batch has one specversion throughout.
    const key = failed?.key ?? `${attempt} ${String(message.event.attributes.get('specversion'))}`
    const bytes = message.event.data?.length ?? 0
    let batch = this.#open.get(key)
    if (batch !== undefined && failed === undefined && batch.bytes + bytes > bytesMax) {
      this.#close(key)
      batch = undefined
    }
    if (batch === undefined) {
      const cancelTimer = this.#clock.setTimer(attempt === 1 ? waitMs : Math.max(waitMs, reunionMs), () =>
        this.#close(key),
      )
      this.#open.set(key, (batch = { deliveries: [], bytes: 0, cancelTimer }))
    }
    batch.deliveries.push(delivery)
    batch.bytes += bytes
    if (batch.deliveries.length >= (failed?.size ?? eventsMax)) this.#close(key)
  }

  /** These failed and will be handed over once more: as one batch again. */
  expectAgain(deliveries: readonly Delivery[]): void {
    if (this.#returning.size + deliveries.length > this.#limits.returningMax) return
    const failed = { key: `failed ${this.#failed++}`, size: deliveries.length }
    for (const { offset } of deliveries) this.#returning.set(offset, failed)
  }

  /** Hands over nothing any more. */
  stop(): void {
    for (const { cancelTimer } of this.#open.values()) cancelTimer()
    this.#open.clear()
  }

  #close(key: string): void {
    const batch = this.#open.get(key)
    if (batch === undefined) return
    this.#open.delete(key)
    batch.cancelTimer()
    this.#go(batch.deliveries)
  }
}
