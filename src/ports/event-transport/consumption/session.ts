// One consumption of a consumer: what it asked for, and what it was told.
import type { ConsumeOptions, Delivery, Offset } from '../port.ts'

const inFlightMaxDefault = 100
/** Events taken and not settled that a consumer keeps track of; beyond it nothing new is handed over. */
const unsettledMaxDefault = 50_000
/** Of that bound, the share below which there is room again: it should not be told for every event. */
const roomAgainShare = 0.9

export class Session {
  readonly handle: (delivery: Delivery) => void
  inFlightMax: number
  paused = false
  #unsettledMax: number
  #isFull = false
  #onFull: ConsumeOptions['onFull']
  #onLost: ConsumeOptions['onLost']

  constructor(options: ConsumeOptions) {
    const { handle, inFlightMax = inFlightMaxDefault, unsettledMax = unsettledMaxDefault, onFull, onLost } = options
    this.handle = handle
    this.inFlightMax = inFlightMax
    this.#unsettledMax = unsettledMax
    this.#onFull = onFull
    this.#onLost = onLost
  }

  /** Whether a new event may be taken beside so many unsettled ones. */
  hasRoom(inFlight: number, unsettled: number): boolean {
    return inFlight < this.inFlightMax && unsettled < this.#unsettledMax
  }

  /** To be called whenever the number of unsettled events changes. */
  noteUnsettled(count: number): void {
    const isFull = count >= (this.#isFull ? this.#unsettledMax * roomAgainShare : this.#unsettledMax)
    if (isFull === this.#isFull) return
    this.#isFull = isFull
    this.#onFull?.(isFull)
  }

  lost(offset: Offset): void {
    this.#onLost?.(offset)
  }
}
