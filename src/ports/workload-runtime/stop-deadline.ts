// When an instance that was asked to end is forced to: at the earliest time that anybody has asked for.
import type { CancelTimer, Clock } from '../../base/clock.ts'

export class StopDeadline implements Disposable {
  #clock: Clock
  #force: () => void
  /** On the steady clock. */
  #dueMs = Number.POSITIVE_INFINITY
  #cancel: CancelTimer = () => undefined
  #isOver = false

  constructor(clock: Clock, force: () => void) {
    this.#clock = clock
    this.#force = force
  }

  /** Forces the end after `graceMs`, unless that is asked for sooner already. */
  within(graceMs: number): void {
    const dueMs = this.#clock.monotonicMs() + graceMs
    if (this.#isOver || dueMs >= this.#dueMs) return
    this.#dueMs = dueMs
    this.#cancel()
    if (graceMs <= 0) this.#force()
    else this.#cancel = this.#clock.setTimer(graceMs, this.#force)
  }

  /** The instance has ended. */
  [Symbol.dispose](): void {
    this.#isOver = true
    this.#cancel()
  }
}
