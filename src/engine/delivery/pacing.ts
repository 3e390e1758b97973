// Who may go when: a bound on tries at once, and a rate.

/** At most `max` holders at once; the others wait in line. */
export class Slots {
  #max: number
  #inUse = 0
  #line: (() => void)[] = []
  #onIdle: (() => void) | undefined

  constructor(max: number) {
    this.#max = max
  }

  /** Takes a place: at once (`undefined`), or when the promise resolves. */
  enter(): Promise<void> | undefined {
    if (this.#inUse >= this.#max) return new Promise((go) => this.#line.push(go))
    this.#inUse++
    return undefined
  }

  leave(): void {
    const next = this.#line.shift()
    if (next !== undefined) return next()
    if (--this.#inUse === 0) this.#onIdle?.()
  }

  /** Lets nobody in any more, and resolves when the last holder has left. */
  close(): Promise<void> {
    this.#line.length = 0
    this.#max = 0
    return this.#inUse === 0 ? Promise.resolve() : new Promise((resolve) => (this.#onIdle = resolve))
  }
}

/** How far a rate may catch up after a pause, in milliseconds. */
const burstMs = 100

/** Spreads starts evenly (generic cell rate algorithm). */
export class Pace {
  #spacingMs: number
  #nextMs = -Infinity

  constructor(perSecond: number) {
    this.#spacingMs = 1000 / perSecond
  }

  /** Reserves the next start and says how long to wait for it, in milliseconds. */
  reserve(nowMs: number): number {
    const startMs = Math.max(this.#nextMs, nowMs - Math.max(0, burstMs - this.#spacingMs))
    this.#nextMs = startMs + this.#spacingMs
    return Math.max(0, startMs - nowMs)
  }
}
