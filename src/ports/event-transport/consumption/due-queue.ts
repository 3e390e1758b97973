// Events waiting for their next try, the soonest due first.
import type { Offset } from '../port.ts'

/** An event that is not with its consumer now and must be handed over (again) when due. */
export interface WaitingEvent {
  offset: Offset
  /** The attempt that the next handing over will be. */
  attempt: number
  /** Milliseconds since 1970; 0 is at once. */
  dueMs: number
}

/** A binary heap by due time, then by offset. Entries that are no longer wanted are skipped by the reader. */
export class DueQueue {
  #heap: WaitingEvent[] = []

  peek(): WaitingEvent | undefined {
    return this.#heap[0]
  }

  push(event: WaitingEvent): void {
    const heap = this.#heap
    let at = heap.push(event) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(event, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = event
  }

  pop(): WaitingEvent | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (!isBefore(heap[child]!, last)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
    return first
  }

  clear(): void {
    this.#heap = []
  }
}

const isBefore = (one: WaitingEvent, other: WaitingEvent): boolean =>
  one.dueMs < other.dueMs || (one.dueMs === other.dueMs && one.offset < other.offset)
