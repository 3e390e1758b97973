// How many requests are in the house, averaged over the time: what the autoscaler decides upon.
// Source: knative/networking pkg/http/stats.
import type { Clock } from '../../base/clock.ts'
import type { RequestSample } from '../serving.ts'

/** No timers and no memory of single requests: each coming and going adds to one area. */
export class RequestMeter {
  #clock: Clock
  #inFlight = 0
  #requestCount = 0
  /** Requests × milliseconds since the last sample, up to `#changedMs`. */
  #area = 0
  #changedMs: number
  #takenMs: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#changedMs = this.#takenMs = clock.monotonicMs()
  }

  get inFlight(): number {
    return this.#inFlight
  }

  enter(): void {
    this.#advance()
    this.#inFlight++
    this.#requestCount++
  }

  leave(): void {
    this.#advance()
    this.#inFlight--
  }

  /** What was seen since the last call; a sample of no time at all tells what is there now. */
  take(): RequestSample {
    this.#advance()
    const tookMs = this.#changedMs - this.#takenMs
    const sample = {
      averageConcurrency: tookMs > 0 ? this.#area / tookMs : this.#inFlight,
      requestCount: this.#requestCount,
    }
    this.#area = 0
    this.#requestCount = 0
    this.#takenMs = this.#changedMs
    return sample
  }

  #advance(): void {
    const nowMs = this.#clock.monotonicMs()
    this.#area += this.#inFlight * (nowMs - this.#changedMs)
    this.#changedMs = nowMs
  }
}
