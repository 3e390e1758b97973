// A clock that moves only when told to: a day of waiting runs in a millisecond of test.
import type { Clock, CancelTimer } from './clock.ts'

interface FakeTimer {
  dueMs: number
  order: number
  fire: () => void
}

/** Time for tests and simulations. Timers fire in order of due time, then of creation. */
export class FakeClock implements Clock {
  #nowMs: number
  #startMs: number
  #order = 0
  #timers = new Set<FakeTimer>()

  /** @param startMs milliseconds since 1970. @default 2026-01-01T00:00:00Z */
  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs
    this.#startMs = startMs
  }

  now(): number {
    return this.#nowMs
  }

  monotonicMs(): number {
    return this.#nowMs - this.#startMs
  }

  setTimer(delayMs: number, fire: () => void): CancelTimer {
    const timer: FakeTimer = { dueMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, fire }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  /** How many timers are waiting. */
  get pendingTimers(): number {
    return this.#timers.size
  }

  /** Moves time on, firing what falls due; promise callbacks run between two timers. */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.#nowMs + byMs
    await settle()
    for (let next = this.#next(untilMs); next !== undefined; next = this.#next(untilMs)) {
      this.#timers.delete(next)
      this.#nowMs = Math.max(this.#nowMs, next.dueMs)
      next.fire()
      await settle()
    }
    this.#nowMs = untilMs
  }

  #next(untilMs: number): FakeTimer | undefined {
    let next: FakeTimer | undefined
    for (const timer of this.#timers) {
      if (timer.dueMs > untilMs) continue
      if (next === undefined || timer.dueMs < next.dueMs || (timer.dueMs === next.dueMs && timer.order < next.order)) {
        next = timer
      }
    }
    return next
  }
}

/** Lets promise callbacks and immediates that are already queued run. */
export async function settle(turns = 3): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
}
