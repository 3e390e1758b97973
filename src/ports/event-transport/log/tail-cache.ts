// The newest events of a stream, kept in memory for consumers that are only a little behind.
import type { Offset, StoredEvent } from '../port.ts'

export class TailCache {
  #bytesMax: number
  #events: StoredEvent[] = []
  #sizes: number[] = []
  /** Index of the oldest one kept. */
  #head = 0
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get(offset: Offset): StoredEvent | undefined {
    const oldest = this.#events[this.#head]
    return oldest === undefined ? undefined : this.#events[this.#head + offset - oldest.offset]
  }

  /** Adds the event that follows the newest one. */
  push(event: StoredEvent, bytes: number): void {
    this.#events.push(event)
    this.#sizes.push(bytes)
    this.#bytes += bytes
    while (this.#bytes > this.#bytesMax && this.#head < this.#events.length) this.#dropOldest()
    this.#compact()
  }

  /** Lets go what nobody will ask for. */
  dropBelow(offset: Offset): void {
    while (this.#head < this.#events.length && this.#events[this.#head]!.offset < offset) this.#dropOldest()
    this.#compact()
  }

  #dropOldest(): void {
    this.#bytes -= this.#sizes[this.#head++]!
  }

  #compact(): void {
    if (this.#head * 2 <= this.#events.length) return
    this.#events.splice(0, this.#head)
    this.#sizes.splice(0, this.#head)
    this.#head = 0
  }
}
