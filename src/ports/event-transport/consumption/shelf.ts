// What the consumers of a stream read from; each driver has its own.
import type { Offset, StoredEvent } from '../port.ts'

export interface Shelf {
  /** Offset of the oldest event kept. */
  readonly firstOffset: Offset
  /** The event if it is at hand in memory. */
  peek(offset: Offset): StoredEvent | undefined
  /** Fetches a run of events beginning at `offset`, which is stored and not at hand. */
  load(offset: Offset): Promise<LoadedRun>
}

/** Events in order. Offsets from the asked one up to `next` that are not among them are lost: damaged or expired. */
export interface LoadedRun {
  events: readonly StoredEvent[]
  /** Above the asked offset. */
  next: Offset
}

/** The event of this offset, if the run has it. Runs mostly have no gaps. */
export function eventIn({ events }: LoadedRun, offset: Offset): StoredEvent | undefined {
  const first = events[0]
  const guess = first === undefined ? undefined : events[offset - first.offset]
  return guess?.offset === offset ? guess : events.find((event) => event.offset === offset)
}
