// Averages of the last seconds. Source: knative/serving pkg/autoscaler/aggregation/bucketing.go.

export type WindowAlgorithm = 'linear' | 'weighted-exponential'

/** The weights of a whole window add up to at least this. */
const weightPrecision = 0.9999
/** Least share that one second adds to a weighted average. */
const weightMin = 0.2
const roundTo = 1e6

/** One value for each second. Seconds are numbered by the caller and never run backwards. */
export class SampleWindow {
  #algorithm: WindowAlgorithm
  /** A ring: the value of second `s` is at `s % length`. Empty until the first value. */
  #values: Float64Array = new Float64Array(0)
  #seconds: number
  #first = 0
  #last = Number.NEGATIVE_INFINITY

  /** @param seconds length of the window, 1 or more */
  constructor(seconds: number, algorithm: WindowAlgorithm) {
    this.#seconds = seconds
    this.#algorithm = algorithm
  }

  get seconds(): number {
    return this.#seconds
  }

  /** Adds to what the second has. Seconds that were left out count as zeros, unless a whole window was. */
  record(second: number, value: number): void {
    if (this.#values.length !== this.#seconds) this.#values = new Float64Array(this.#seconds)
    if (second - this.#last >= this.#seconds) {
      this.#values.fill(0)
      this.#first = second
    } else {
      for (let skipped = this.#last + 1; skipped <= second; skipped++) this.#values[this.#at(skipped)] = 0
    }
    this.#last = Math.max(this.#last, second)
    this.#values[this.#at(second)]! += value
  }

  /** As if nothing had happened for a whole window up to `second`, and that had been measured. */
  recordSilence(second: number): void {
    const gap = second - this.#last
    this.record(second, 0)
    if (gap >= this.#seconds) this.#first = second - this.#seconds + 1
  }

  /** Whether no value is younger than a window. */
  isEmpty(second: number): boolean {
    return second - this.#last > this.#seconds
  }

  /** The average at `second`; 0 when there is nothing to average. */
  average(second: number): number {
    const tail = Math.max(0, second - this.#last)
    if (this.#algorithm === 'weighted-exponential') return this.isEmpty(second) ? 0 : this.#weighted(tail)
    if (tail >= this.#seconds) return 0
    // Before the first value, and after the last one, nothing is known.
    const count = Math.min(this.#last - this.#first + 1, this.#seconds - tail)
    let sum = 0
    for (let back = 0; back < count; back++) sum += this.#values[this.#at(this.#last - back)]!
    return Math.round((sum / count) * roundTo) / roundTo
  }

  /** Keeps what fits into the new length. */
  resize(seconds: number): void {
    if (seconds === this.#seconds) return
    const kept = Math.min(seconds, this.#seconds, this.#last - this.#first + 1)
    const values = new Float64Array(seconds)
    for (let back = 0; back < kept; back++) {
      values[(this.#last - back) % seconds] = this.#values[this.#at(this.#last - back)] ?? 0
    }
    this.#values = values
    this.#seconds = seconds
    if (kept > 0) this.#first = this.#last - kept + 1
  }

  #weighted(tail: number): number {
    const share = weightOf(this.#seconds)
    let weight = share * (1 - share) ** tail
    let sum = 0
    const count = Math.min(this.#last - this.#first + 1, this.#seconds - tail)
    for (let back = 0; back < count; back++) {
      sum += this.#values[this.#at(this.#last - back)]! * weight
      weight *= 1 - share
    }
    return sum
  }

  #at(second: number): number {
    return ((second % this.#seconds) + this.#seconds) % this.#seconds
  }
}

/** What the newest second counts in a weighted average of so many. */
export const weightOf = (seconds: number): number => Math.max(1 - (1 - weightPrecision) ** (1 / seconds), weightMin)
