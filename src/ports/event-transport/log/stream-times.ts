// The times of a stream's events, and how old its segments are, whatever the clock on the wall does.
import type { Clock } from '../../../base/clock.ts'
import type { Segment } from './segment.ts'

/** Of a segment, on the clock's monotonic time: when its first and its last event came, or later. */
interface Span {
  begunMs: number
  grownMs: number
}

/**
 * Times never go back, so that a place in the stream can be found by its time. A clock that is behind the last event is
 * not believed, as a machine may start with one; after as long as events are kept it is: then it had been ahead before.
 */
export class StreamTimes {
  #clock: Clock
  #retentionMs: () => number
  #lastMs: number
  /** Since when the clock has been behind, on its monotonic time. */
  #behindSinceMs: number | undefined
  #openedMs: number
  #spans = new WeakMap<Segment, Span>()

  constructor(clock: Clock, retentionMs: () => number, segments: readonly Segment[]) {
    this.#clock = clock
    this.#retentionMs = retentionMs
    this.#openedMs = clock.monotonicMs()
    this.#lastMs = segments.findLast(({ marks }) => marks.length > 0)?.lastMs ?? 0
  }

  /** When an event that comes now was appended, in milliseconds since 1970. */
  next(): number {
    const nowMs = this.#clock.now()
    if (nowMs >= this.#lastMs || this.#isBelieved()) {
      this.#behindSinceMs = undefined
      this.#lastMs = nowMs
    }
    return this.#lastMs
  }

  /** Events were written to the segment. */
  grown(segment: Segment): void {
    const nowMs = this.#clock.monotonicMs()
    const span = this.#spans.get(segment)
    if (span === undefined) this.#spans.set(segment, { begunMs: nowMs, grownMs: nowMs })
    else span.grownMs = nowMs
  }

  /** Whether the segment spans enough time, or has times that those to come are before. */
  mustRoll(segment: Segment): boolean {
    const spanMsMax = this.#retentionMs() / 8
    const { begunMs } = this.#spanOf(segment)
    const isLong = segment.firstMs < this.#clock.now() - spanMsMax || begunMs < this.#clock.monotonicMs() - spanMsMax
    return isLong || segment.lastMs > this.#lastMs
  }

  /** Whether all of the segment is older than events are kept. */
  isOver(segment: Segment): boolean {
    const retentionMs = this.#retentionMs()
    const isOld = segment.lastMs < this.#clock.now() - retentionMs
    // However wrong its times are: so old it is at least.
    return isOld || this.#spanOf(segment).grownMs < this.#clock.monotonicMs() - retentionMs
  }

  #isBelieved(): boolean {
    const nowMs = this.#clock.monotonicMs()
    this.#behindSinceMs ??= nowMs
    return nowMs - this.#behindSinceMs >= this.#retentionMs()
  }

  #spanOf(segment: Segment): Span {
    return this.#spans.get(segment) ?? { begunMs: this.#openedMs, grownMs: this.#openedMs }
  }
}
