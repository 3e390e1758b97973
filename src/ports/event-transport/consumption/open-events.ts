// What a consumer has not settled, by offset.
import type { Offset } from '../port.ts'
import type { WaitingEvent } from './due-queue.ts'
import type { OpenDelivery } from './open-delivery.ts'

/** Not in hand. */
export interface OpenWaiting extends WaitingEvent {
  /** Whether a durable driver has it among the open events. */
  stored: boolean
  /** Whether it comes back only when recalled. */
  isAside: boolean
}

/** In hand, or waiting to be. */
export type OpenEvent = OpenDelivery | OpenWaiting

/** Slots that an emptied one keeps. */
const slotsKept = 1_024

/**
 * A map from offsets to open events, in the order in which offsets came. The events themselves are in slots beside it:
 * the tables that a Map outgrows as events come and go would keep those it held at the time from being collected young.
 */
export class OpenEvents {
  #slotOf = new Map<Offset, number>()
  #events: (OpenEvent | undefined)[] = []
  #free: number[] = []

  get size(): number {
    return this.#slotOf.size
  }

  get(offset: Offset): OpenEvent | undefined {
    const slot = this.#slotOf.get(offset)
    return slot === undefined ? undefined : this.#events[slot]
  }

  /** An offset that is there keeps its place in the order. */
  set(offset: Offset, event: OpenEvent): void {
    let slot = this.#slotOf.get(offset)
    if (slot === undefined) this.#slotOf.set(offset, (slot = this.#free.pop() ?? this.#events.length))
    this.#events[slot] = event
  }

  /** Fine when it is not there. */
  delete(offset: Offset): void {
    const slot = this.#slotOf.get(offset)
    if (slot === undefined) return
    this.#slotOf.delete(offset)
    this.#events[slot] = undefined
    this.#free.push(slot)
    if (this.#slotOf.size === 0 && this.#events.length > slotsKept) this.clear()
  }

  clear(): void {
    this.#slotOf.clear()
    this.#events = []
    this.#free = []
  }

  keys(): Iterable<Offset> {
    return this.#slotOf.keys()
  }

  /** Each as it is when its turn comes; events may be replaced meanwhile. */
  *values(): Iterable<OpenEvent> {
    for (const slot of this.#slotOf.values()) yield this.#events[slot]!
  }
}
