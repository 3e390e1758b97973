// One timer for all scalers that have something to do; none while nobody has.
import type { CancelTimer, Clock } from '../../base/clock.ts'

export interface Ticked {
  /** Its time has come. It says anew when it wants to be called again. Must not throw. */
  tick(): void
}

/** Timers of the system may fire a little early, in milliseconds. */
export const earlyMsMax = 5

export class Ticker implements Disposable {
  #clock: Clock
  #due = new Map<Ticked, number>()
  #armedMs = Number.POSITIVE_INFINITY
  #cancel: CancelTimer = () => undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Calls `who` once at `dueMs` on the steady clock, in place of when it was to be called before. */
  set(who: Ticked, dueMs: number): void {
    this.#due.set(who, dueMs)
    if (dueMs < this.#armedMs) this.#arm(dueMs)
  }

  has(who: Ticked): boolean {
    return this.#due.has(who)
  }

  delete(who: Ticked): void {
    this.#due.delete(who)
    if (this.#due.size === 0) this[Symbol.dispose]()
  }

  [Symbol.dispose](): void {
    this.#cancel()
    this.#armedMs = Number.POSITIVE_INFINITY
    this.#due.clear()
  }

  #arm(dueMs: number): void {
    this.#cancel()
    this.#armedMs = dueMs
    this.#cancel = this.#clock.setTimer(dueMs - this.#clock.monotonicMs(), () => this.#fire())
  }

  #fire(): void {
    const nowMs = this.#clock.monotonicMs() + earlyMsMax
    this.#armedMs = Number.POSITIVE_INFINITY
    for (const [who, dueMs] of [...this.#due].filter(([, atMs]) => atMs <= nowMs)) {
      // One that was called before may have called it off.
      if (this.#due.get(who) !== dueMs) continue
      this.#due.delete(who)
      who.tick()
    }
    let next = Number.POSITIVE_INFINITY
    for (const dueMs of this.#due.values()) next = Math.min(next, dueMs)
    if (next < this.#armedMs) this.#arm(next)
  }
}
