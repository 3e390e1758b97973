// Rings when the soonest event falls due by the clock on the wall, whatever happens to that clock meanwhile.
import type { CancelTimer, Clock } from '../../../base/clock.ts'

/** Timers may ring a little before their time; by more than this, in milliseconds, the clock was set back. */
const setBackMsMin = 1_000
/** A clock may also be set forward: after this long, in milliseconds, it is looked at again. */
const lookMsMax = 60_000

export interface WakeUpOptions {
  clock: Clock
  /** It may be time. */
  ring: () => void
  /** The clock was found set back by so many milliseconds. What waits has waited all the same. */
  onSetBack: (byMs: number) => void
}

export class WakeUp {
  #options: WakeUpOptions
  #dueMs = Infinity
  #cancelTimer: CancelTimer | undefined
  /** Wall clock less steady clock, when last looked at. */
  #skewMs: number

  constructor(options: WakeUpOptions) {
    this.#options = options
    this.#skewMs = options.clock.now() - options.clock.monotonicMs()
  }

  /** The time, in milliseconds since 1970. To be asked when something begins to wait, lest it is taken to wait longer. */
  now(): number {
    const { clock, onSetBack } = this.#options
    const nowMs = clock.now()
    const skewMs = nowMs - clock.monotonicMs()
    const setBackMs = this.#skewMs - skewMs
    this.#skewMs = skewMs
    if (setBackMs > setBackMsMin) onSetBack(setBackMs)
    return nowMs
  }

  /** Rings at this time, in milliseconds since 1970; Infinity is never. */
  set(dueMs: number): void {
    if (dueMs === this.#dueMs) return
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    this.#dueMs = dueMs
    if (dueMs === Infinity) return
    const { clock, ring } = this.#options
    this.#cancelTimer = clock.setTimer(Math.min(dueMs - clock.now(), lookMsMax), () => {
      this.#dueMs = Infinity
      this.now()
      ring()
    })
  }
}
