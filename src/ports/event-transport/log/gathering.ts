// Group commit under medium load: a write costs the same with one event or with ten, so that it is worth waiting for the
// few that are about to come. Never where it would only delay: when few come, and when senders wait for their answers.
import type { Clock } from '../../../base/clock.ts'

/** A write wants the events of so many milliseconds. */
const worthMs = 0.6
/** Fewer than these are not waited for, in events: five a millisecond is where it begins. */
const wantedMin = 3
/** Arrivals are counted for this long before they say something new, in milliseconds. */
const windowMs = 10
/** What one such count weighs against those before. */
const windowWeight = 0.3
/** Writes that do not wait after waits that were in vain, at most. */
const skipMax = 1_024

export class Gathering {
  #clock: Clock
  #waitMsMax: number
  #perMs = 0
  #arrived = 0
  #sinceMs: number
  /** Writes that are not to wait now, and how many there will be after the next wait in vain. */
  #skip = 0
  #nextSkip = 1
  #wanted = Infinity
  #enough: () => void = () => undefined

  /** @param waitMsMax how long one write waits, at most; 0: not at all. */
  constructor(clock: Clock, waitMsMax: number) {
    this.#clock = clock
    this.#waitMsMax = waitMsMax
    this.#sinceMs = clock.monotonicMs()
  }

  /** Takes note of an event that came. `pending`: those that wait to be written, this one included. */
  arrived(pending: number): void {
    this.#arrived++
    if (pending >= this.#wanted) this.#enough()
  }

  /** Resolves when enough events wait to be written; `undefined` where that is so, or not worth waiting for. */
  wait(pending: number): Promise<void> | undefined {
    if (this.#waitMsMax === 0) return undefined
    this.#measure()
    const wanted = this.#perMs * worthMs
    if (wanted < wantedMin || pending >= wanted) return undefined
    if (this.#skip > 0) {
      this.#skip--
      return undefined
    }
    return this.#waitFor(wanted)
  }

  async #waitFor(wanted: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const cancel = this.#clock.setTimer(this.#waitMsMax, () => resolve(false))
    this.#enough = () => resolve(true)
    this.#wanted = wanted
    const hadEnough = await promise
    this.#wanted = Infinity
    cancel()
    // Few senders that each wait for their answer never come to be enough, however fast they are.
    this.#nextSkip = hadEnough ? 1 : Math.min(2 * this.#nextSkip, skipMax)
    if (!hadEnough) this.#skip = this.#nextSkip
  }

  #measure(): void {
    const nowMs = this.#clock.monotonicMs()
    const elapsedMs = nowMs - this.#sinceMs
    if (elapsedMs < windowMs) return
    const perMs = this.#arrived / elapsedMs
    // What came before a longer silence tells nothing.
    const weight = elapsedMs > 10 * windowMs ? 1 : windowWeight
    this.#perMs += (perMs - this.#perMs) * weight
    this.#arrived = 0
    this.#sinceMs = nowMs
  }
}
