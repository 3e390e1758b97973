// Events that wait to be handed over (again), in the order in which they come back: as they fall due, or, for a
// consumption in order, the oldest first and whenever they are due.
import type { Clock } from '../../../base/clock.ts'
import { DueQueue } from './due-queue.ts'
import type { WaitingEvent } from './due-queue.ts'
import { OpenDelivery } from './open-delivery.ts'
import type { OpenEvents } from './open-events.ts'

export class WaitingLine {
  /** Only what is open here still waits; the rest is skipped. */
  #open: OpenEvents
  #due = new DueQueue()
  /** Of a consumption in order: what it has to get before all else, the oldest last. */
  #owed: WaitingEvent[] = []

  constructor(open: OpenEvents) {
    this.#open = open
  }

  /** Whether something comes before all else, due or not. */
  get isOwing(): boolean {
    return this.#owed.length > 0
  }

  /** When the soonest falls due, in milliseconds since 1970; Infinity when none waits. */
  get soonestMs(): number {
    return this.#due.peek()?.dueMs ?? Infinity
  }

  push(event: WaitingEvent): void {
    this.#due.push(event)
  }

  /** The one that may be handed over now. */
  peek(clock: Clock): WaitingEvent | undefined {
    for (;;) {
      const owed = this.#owed.at(-1)
      const waiting = owed ?? this.#due.peek()
      if (waiting === undefined || (owed === undefined && waiting.dueMs > clock.now())) return undefined
      if (this.#open.get(waiting.offset) === waiting) return waiting
      this.take()
    }
  }

  /** Removes what {@link peek} tells. */
  take(): void {
    if (this.isOwing) this.#owed.pop()
    else this.#due.pop()
  }

  /** Sorts what is open, also what was set aside, by how the consumption wants it. */
  sort({ inOrder }: { inOrder: boolean }): void {
    this.clear()
    for (const event of this.#open.values()) {
      if (event instanceof OpenDelivery) continue
      event.isAside = false
      if (inOrder) this.#owed.push(event)
      else this.#due.push(event)
    }
    this.#owed.reverse()
  }

  /** All of it is wanted so much earlier, in milliseconds. */
  bringForward(byMs: number): void {
    const owed = new Set(this.#owed)
    this.#due.clear()
    for (const event of this.#open.values()) {
      if (event instanceof OpenDelivery) continue
      event.dueMs = Math.max(0, event.dueMs - byMs)
      if (!owed.has(event) && !event.isAside) this.#due.push(event)
    }
  }

  clear(): void {
    this.#due.clear()
    this.#owed = []
  }
}
