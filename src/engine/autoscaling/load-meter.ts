// What comes through a Revision's door, second by second, averaged over its two windows.
import type { ScaleSettings } from '../autoscaler.ts'
import type { RequestSample } from '../serving.ts'
import { SampleWindow } from './sample-window.ts'

type WindowSettings = Pick<ScaleSettings, 'metric' | 'algorithm' | 'stableWindowMs' | 'panicWindowMs'>

export class LoadMeter {
  #settings: WindowSettings
  #stable: SampleWindow
  #panic: SampleWindow
  /** The second that was recorded last; undefined while nothing is measured. */
  #second: number | undefined

  constructor(settings: WindowSettings) {
    this.#settings = settings
    this.#stable = windowOf(settings.stableWindowMs, settings)
    this.#panic = windowOf(settings.panicWindowMs, settings)
  }

  configure(settings: WindowSettings): void {
    const before = this.#settings
    this.#settings = settings
    if (before.metric !== settings.metric || before.algorithm !== settings.algorithm) {
      this.#stable = windowOf(settings.stableWindowMs, settings)
      this.#panic = windowOf(settings.panicWindowMs, settings)
      return
    }
    this.#stable.resize(secondsOf(settings.stableWindowMs))
    this.#panic.resize(secondsOf(settings.panicWindowMs))
  }

  /** Measures from now on, after a rest. `wasServing`: instances stood there all the while, and had nothing to do. */
  begin(second: number, wasServing: boolean): void {
    this.#second = second
    if (!wasServing) return
    this.#stable.recordSilence(second)
    this.#panic.recordSilence(second)
  }

  /** Whether that second is still to be recorded. */
  isDue(second: number): boolean {
    return this.#second === undefined || second > this.#second
  }

  /** Takes what passed since the last record; where the clock was late it counts for each second of that time. */
  record(second: number, { averageConcurrency, requestCount }: RequestSample): void {
    const late = second - (this.#second ?? second - 1)
    const seconds = Math.min(Math.max(1, late), this.#stable.seconds)
    const value = this.#settings.metric === 'rps' ? requestCount / seconds : averageConcurrency
    for (let each = second - seconds + 1; each <= second; each++) {
      this.#stable.record(each, value)
      this.#panic.record(each, value)
    }
    this.#second = second
  }

  averages(second: number): { stable: number; panic: number } {
    return { stable: this.#stable.average(second), panic: this.#panic.average(second) }
  }

  /** Whether anything was measured lately. */
  hasData(second: number): boolean {
    return !this.#stable.isEmpty(second)
  }
}

const secondsOf = (ms: number): number => Math.max(1, Math.ceil(ms / 1_000))
const windowOf = (ms: number, { algorithm }: WindowSettings): SampleWindow => new SampleWindow(secondsOf(ms), algorithm)
