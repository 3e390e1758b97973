// Events kept in memory as the bytes they would be on disk. As objects they would cost more than all the rest of their
// way: dozens of them an event, all living too long for young collections and dying where only full ones look.
import type { EventMessage } from '../../../model/cloudevents/event.ts'
import { decodeRecord, writeRecord } from '../../../model/cloudevents/record.ts'
import type { Offset, StoredEvent } from '../port.ts'

/** Bytes of a stream's first chunk, and of all others once it has become busy; larger events have one of their own. */
const chunkBytesMin = 16_384
const chunkBytesMax = 262_144

interface Chunk {
  firstOffset: Offset
  bytes: Buffer
  /** By event: where it ends, and when it was appended. */
  ends: number[]
  times: number[]
}

/** Events in order, taken in at the end and let go at the front. */
export class EventArchive {
  #chunks: Chunk[] = []
  #firstOffset: Offset = 0
  #nextOffset: Offset = 0
  #bytes = 0
  /** An emptied chunk's buffer, for the next one. */
  #spare: Buffer | undefined
  /** Consumers of one event mostly ask one after the other. */
  #last: StoredEvent | undefined

  /** Of the oldest event; the next one's when there is none. */
  get firstOffset(): Offset {
    return this.#firstOffset
  }

  get nextOffset(): Offset {
    return this.#nextOffset
  }

  /** Of all events. */
  get bytes(): number {
    return this.#bytes
  }

  /** @param bytesMax what `recordBytesMax` says of the message. */
  push(message: EventMessage, appendedMs: number, bytesMax: number): Offset {
    const chunk = this.#chunkFor(bytesMax)
    const start = chunk.ends.at(-1) ?? 0
    const end = writeRecord(message, chunk.bytes, start)
    chunk.ends.push(end)
    chunk.times.push(appendedMs)
    this.#bytes += end - start
    return this.#nextOffset++
  }

  /** Lets the oldest event go; there is one. */
  dropOldest(): void {
    const [chunk] = this.#chunks
    const index = this.#firstOffset++ - chunk!.firstOffset
    this.#bytes -= chunk!.ends[index]! - (chunk!.ends[index - 1] ?? 0)
    if (index + 1 < chunk!.ends.length) return
    this.#chunks.shift()
    if (chunk!.bytes.length === chunkBytesMax) this.#spare = chunk!.bytes
  }

  get(offset: Offset): StoredEvent | undefined {
    if (this.#last?.offset === offset && offset >= this.#firstOffset) return this.#last
    const chunk = this.#chunkOf(offset)
    if (chunk === undefined) return undefined
    const index = offset - chunk.firstOffset
    // A copy: the chunk is written over once its events have gone.
    const record = Buffer.from(chunk.bytes.subarray(chunk.ends[index - 1] ?? 0, chunk.ends[index]))
    return (this.#last = { offset, appendedMs: chunk.times[index]!, message: decodeRecord(record) })
  }

  /** When the event was appended. */
  timeOf(offset: Offset): number | undefined {
    const chunk = this.#chunkOf(offset)
    return chunk?.times[offset - chunk.firstOffset]
  }

  #chunkOf(offset: Offset): Chunk | undefined {
    if (offset < this.#firstOffset || offset >= this.#nextOffset) return undefined
    let [low, high] = [0, this.#chunks.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#chunks[middle]!.firstOffset <= offset) low = middle
      else high = middle - 1
    }
    return this.#chunks[low]
  }

  #chunkFor(bytesMax: number): Chunk {
    const last = this.#chunks.at(-1)
    if (last !== undefined && (last.ends.at(-1) ?? 0) + bytesMax <= last.bytes.length) return last
    const usual = Math.min(chunkBytesMax, Math.max(chunkBytesMin, 2 * (last?.bytes.length ?? 0)))
    const chunk = { firstOffset: this.#nextOffset, bytes: this.#buffer(usual, bytesMax), ends: [], times: [] }
    this.#chunks.push(chunk)
    return chunk
  }

  #buffer(usual: number, bytesMax: number): Buffer {
    const spare = this.#spare
    if (spare === undefined || usual < chunkBytesMax || bytesMax > chunkBytesMax) {
      return Buffer.allocUnsafeSlow(Math.max(usual, bytesMax))
    }
    this.#spare = undefined
    return spare
  }
}
