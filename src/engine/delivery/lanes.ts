// Delivery in order: events of one key one after the other, and no key in the way of another.
import type { Delivery, Offset } from '../../ports/event-transport/port.ts'
import type { Verdict } from './course.ts'

export interface LanesOptions {
  /** Events of one key held in memory while they wait for their turn, at most. */
  perKeyMax: number
  /** The same of all keys together. What is more is set aside, and recalled when its turn comes. */
  heldMax: number
  /** Works on an event whose turn it is. What it says is done to the event. */
  work: (delivery: Delivery) => Promise<Verdict>
  /** Asks for an event that was set aside. It may come at once. */
  recall: (offset: Offset) => void
}

/** The events of one key that are not done. The first one's turn it is. */
interface Lane {
  key: string
  /** Ascending. */
  offsets: Offset[]
  held: Map<Offset, Delivery>
  /** Whether the first is being worked on. */
  isBusy: boolean
  /** Whether the first was tried and waits for another try: those behind it need not be at hand. */
  isBlocked: boolean
}

/** A key costs memory for its positions, and for few of its events, however many wait behind one that fails. */
export class Lanes {
  #options: LanesOptions
  #lanes = new Map<string, Lane>()
  #held = 0

  constructor(options: LanesOptions) {
    this.#options = options
  }

  /** An event of this key has come: for the first time, after those of the key that came before; or again. */
  arrive(key: string, delivery: Delivery, { isDue }: { isDue: boolean }): void {
    const lane = this.#laneOf(key)
    const { offset } = delivery
    if (offset > (lane.offsets.at(-1) ?? -1)) lane.offsets.push(offset)
    const isFirst = offset === lane.offsets[0]
    if (isFirst && isDue) lane.isBlocked = false
    const hasRoom = !lane.isBlocked && lane.held.size < this.#options.perKeyMax && this.#held < this.#options.heldMax
    if (!isDue || !(isFirst || hasRoom)) {
      if (isFirst) lane.isBlocked = true
      delivery.setAside()
      // Its time may have come since `isDue` was asked: then it would wait to be recalled, and nobody else would.
      if (isFirst) this.#options.recall(offset)
      return
    }
    this.#hold(lane, delivery)
    if (isFirst) this.#goOn(lane)
  }

  /** The event cannot come any more. */
  lost(offset: Offset): void {
    for (const lane of this.#lanes.values()) {
      const at = lane.offsets.indexOf(offset)
      if (at < 0) continue
      lane.offsets.splice(at, 1)
      if (at > 0) return
      lane.isBlocked = false
      return this.#goOn(lane)
    }
  }

  #laneOf(key: string): Lane {
    let lane = this.#lanes.get(key)
    if (lane === undefined) {
      this.#lanes.set(key, (lane = { key, offsets: [], held: new Map(), isBusy: false, isBlocked: false }))
    }
    return lane
  }

  #goOn(lane: Lane): void {
    if (lane.isBusy) return
    const [first] = lane.offsets
    if (first === undefined) return void this.#lanes.delete(lane.key)
    const delivery = this.#release(lane, first)
    if (delivery === undefined) {
      for (const offset of lane.offsets.slice(0, this.#options.perKeyMax)) this.#options.recall(offset)
      return
    }
    lane.isBusy = true
    void this.#work(lane, delivery)
  }

  async #work(lane: Lane, delivery: Delivery): Promise<void> {
    const verdict = await this.#options.work(delivery)
    if (verdict.kind === 'interrupted') return
    lane.isBusy = false
    if (verdict.kind === 'done') {
      lane.offsets.shift()
      delivery.ack()
      return this.#goOn(lane)
    }
    lane.isBlocked = true
    for (const offset of lane.held.keys()) this.#release(lane, offset)?.setAside()
    // The last, as it may come again at once.
    delivery.retryLater(verdict.delayMs)
  }

  #hold(lane: Lane, delivery: Delivery): void {
    lane.held.set(delivery.offset, delivery)
    this.#held++
  }

  #release(lane: Lane, offset: Offset): Delivery | undefined {
    const delivery = lane.held.get(offset)
    if (delivery !== undefined) {
      lane.held.delete(offset)
      this.#held--
    }
    return delivery
  }
}
