// Keys to work on: each once, in order, never two at a time of one key. Source: client-go util/workqueue.
import { isDoneWithin } from '../../base/clock.ts'
import type { CancelTimer, Clock } from '../../base/clock.ts'
import { createTurns } from './turns.ts'
import type { Turns } from './turns.ts'

export interface WorkQueueOptions {
  clock: Clock
  /** Works on one key. Must not reject. */
  process(key: string): Promise<void>
  /** Keys worked on at a time. @default 4 */
  reconcilesMax?: number
  /** Whom it takes turns with. @default nobody */
  turns?: Turns
  /** How long closing waits for what is being worked on, in milliseconds. @default 10_000 */
  drainMs?: number
  /** Told of keys that were still being worked on by then. */
  onAbandoned?(keys: string[]): void
}

/** Back-off of a key that failed: the first wait, doubled with each failure up to the most, in milliseconds. */
const backoffDelayMs = 100
const backoffDelayMsMax = 60_000

interface Delayed {
  dueMs: number
  cancel: CancelTimer
}

export class WorkQueue implements AsyncDisposable {
  #options: Required<WorkQueueOptions>
  #waiting = new Set<string>()
  #running = new Set<string>()
  /** Keys added again while they were worked on. */
  #dirty = new Set<string>()
  #delayed = new Map<string, Delayed>()
  #failures = new Map<string, number>()
  #isStarting = false
  #closed = false
  #closing: Promise<void> | undefined
  #idle: PromiseWithResolvers<void> | undefined

  constructor(options: WorkQueueOptions) {
    this.#options = {
      reconcilesMax: 4,
      turns: createTurns(options.clock),
      drainMs: 10_000,
      onAbandoned: () => undefined,
      ...options,
    }
  }

  /** Keys that wait for their turn; those with a delay do not count. */
  get depth(): number {
    return this.#waiting.size
  }

  /** Nothing waits and nothing runs; delayed keys may remain. */
  get isIdle(): boolean {
    return this.#waiting.size === 0 && this.#running.size === 0
  }

  /** Resolves when the queue is idle. */
  whenIdle(): Promise<void> {
    if (this.isIdle) return Promise.resolve()
    this.#idle ??= Promise.withResolvers<void>()
    return this.#idle.promise
  }

  /** Works on the key as soon as there is room; a delay it has is cut short. */
  add(key: string): void {
    if (this.#closed) return
    this.#cancelDelay(key)
    if (this.#running.has(key)) {
      this.#dirty.add(key)
      return
    }
    this.#waiting.add(key)
    this.#startSoon()
  }

  /** Adds the key after a while; of several delays the earliest wins. */
  addAfter(key: string, delayMs: number): void {
    if (this.#closed) return
    if (delayMs <= 0) return this.add(key)
    const dueMs = this.#options.clock.monotonicMs() + delayMs
    const delayed = this.#delayed.get(key)
    if (delayed !== undefined && delayed.dueMs <= dueMs) return
    delayed?.cancel()
    const cancel = this.#options.clock.setTimer(delayMs, () => {
      this.#delayed.delete(key)
      this.add(key)
    })
    this.#delayed.set(key, { dueMs, cancel })
  }

  /** Adds the key after its back-off, which grows with each call until {@link forget}. Returns the number of failures. */
  retry(key: string): number {
    const failures = (this.#failures.get(key) ?? 0) + 1
    this.#failures.set(key, failures)
    this.addAfter(key, Math.min(backoffDelayMs * 2 ** (failures - 1), backoffDelayMsMax))
    return failures
  }

  /** The key is well: its next failure backs off from the start. */
  forget(key: string): void {
    this.#failures.delete(key)
  }

  /** Works on the keys that wait, too, and then closes: all within `drainMs`. */
  async finish(): Promise<void> {
    if (this.#closing === undefined) await this.#drain()
    this.#closing ??= Promise.resolve()
    this.#close()
  }

  /** Takes no more keys, drops those that wait, and resolves when the running ones are done, or after `drainMs`. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#close()
    return (this.#closing ??= this.#drain())
  }

  async #drain(): Promise<void> {
    const { clock, drainMs, onAbandoned } = this.#options
    if (await isDoneWithin(clock, drainMs, this.whenIdle())) return
    onAbandoned([...this.#running])
  }

  #close(): void {
    this.#closed = true
    this.#waiting.clear()
    this.#dirty.clear()
    for (const key of this.#delayed.keys()) this.#cancelDelay(key)
    this.#tellIdle()
  }

  /**
   * Not before the next turn of the event loop: many adds in a row are one, and objects that keep changing each other
   * do not starve the rest of the process.
   */
  #startSoon(): void {
    if (this.#isStarting) return
    this.#isStarting = true
    this.#options.turns(() => {
      this.#isStarting = false
      this.#startNext()
    })
  }

  #startNext(): void {
    for (const key of this.#waiting) {
      if (this.#running.size >= this.#options.reconcilesMax) return
      this.#waiting.delete(key)
      this.#running.add(key)
      void this.#work(key)
    }
  }

  async #work(key: string): Promise<void> {
    try {
      await this.#options.process(key)
    } finally {
      this.#running.delete(key)
      if (this.#dirty.delete(key)) this.add(key)
      this.#startSoon()
      this.#tellIdle()
    }
  }

  #tellIdle(): void {
    if (!this.isIdle) return
    this.#idle?.resolve()
    this.#idle = undefined
  }

  #cancelDelay(key: string): void {
    this.#delayed.get(key)?.cancel()
    this.#delayed.delete(key)
  }
}
