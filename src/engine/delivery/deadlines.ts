// Ends what takes too long, or what its signal cuts. One timer and one listener a signal watch over everything: most
// requests are answered long before, and a timer for each would cost every event.
import type { CancelTimer, Clock } from '../../base/clock.ts'
import { UnorderedSet } from '../../base/unordered-set.ts'
import type { Member } from '../../base/unordered-set.ts'

export interface Limited extends Member {
  /** On the clock's monotonic time. */
  readonly deadlineMs: number
  readonly signal: AbortSignal | undefined
  /** The deadline has passed. Leaves the watch. */
  expire(): void
  /** The signal was aborted. Leaves the watch. */
  abort(): void
}

export class Deadlines {
  #clock: Clock
  #watched = new UnorderedSet<Limited>()
  #signals = new WeakSet<AbortSignal>()
  #soonestMs = Infinity
  #cancelTimer: CancelTimer | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Not called for one whose signal is aborted already. */
  watch(limited: Limited): void {
    this.#watched.add(limited)
    if (limited.deadlineMs < this.#soonestMs) this.#arm(limited.deadlineMs)
    const { signal } = limited
    if (signal !== undefined && !this.#signals.has(signal)) this.#listen(signal)
  }

  leave(limited: Limited): void {
    this.#watched.delete(limited)
    // What is watched keeps the process alive; an empty watch must not.
    if (this.#watched.size === 0) this.#arm(Infinity)
  }

  #listen(signal: AbortSignal): void {
    this.#signals.add(signal)
    const end = (): void => {
      for (const limited of this.#watched.toArray()) if (limited.signal === signal) limited.abort()
    }
    signal.addEventListener('abort', end, { once: true })
  }

  #arm(soonestMs: number): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    this.#soonestMs = soonestMs
    if (soonestMs === Infinity) return
    this.#cancelTimer = this.#clock.setTimer(soonestMs - this.#clock.monotonicMs(), () => this.#sweep())
  }

  #sweep(): void {
    const nowMs = this.#clock.monotonicMs()
    let soonestMs = Infinity
    for (const limited of this.#watched.toArray()) {
      if (limited.deadlineMs <= nowMs) limited.expire()
      else soonestMs = Math.min(soonestMs, limited.deadlineMs)
    }
    this.#arm(soonestMs)
  }
}
