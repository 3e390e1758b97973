// Notices a subscriber that does not answer at all, so that it is not hammered while it is away.

export interface CircuitLimits {
  circuitTriesMin: number
  circuitOpensAfterMs: number
  circuitProbeMs: number
  circuitRestMs: number
}

/**
 * Open after many tries in a row without any answer; then only one try in a while goes through, and the first answer
 * closes it. Statuses, even 5xx, are answers. A last try must never be held back, so that no event is given up unsent:
 * the caller asks `admits` only for tries that have a retry left.
 */
export class Circuit {
  #limits: CircuitLimits
  #onChange: (open: string | undefined) => void
  #triesInVain = 0
  #inVainSinceMs = 0
  #nextProbeMs = 0
  #open: string | undefined

  /** `onChange` gets the reason when it opens, `undefined` when it closes. */
  constructor(limits: CircuitLimits, onChange: (open: string | undefined) => void) {
    this.#limits = limits
    this.#onChange = onChange
  }

  /** Why the subscriber counts as dead; `undefined` while it does not. */
  get open(): string | undefined {
    return this.#open
  }

  /** How long a try that is not admitted keeps its place, in milliseconds. */
  get restMs(): number {
    return this.#limits.circuitRestMs
  }

  /** Whether a try may go through now; a granted one while open is the probe. */
  admits(nowMs: number): boolean {
    if (this.#open === undefined) return true
    if (nowMs < this.#nextProbeMs) return false
    this.#nextProbeMs = nowMs + this.#limits.circuitProbeMs
    return true
  }

  answered(): void {
    this.#triesInVain = 0
    if (this.#open === undefined) return
    this.#open = undefined
    this.#onChange(undefined)
  }

  unanswered(nowMs: number, reason: string): void {
    if (this.#triesInVain++ === 0) this.#inVainSinceMs = nowMs
    if (this.#open !== undefined || this.#triesInVain < this.#limits.circuitTriesMin) return
    if (nowMs - this.#inVainSinceMs < this.#limits.circuitOpensAfterMs) return
    this.#open = reason
    this.#nextProbeMs = nowMs + this.#limits.circuitProbeMs
    this.#onChange(reason)
  }
}
