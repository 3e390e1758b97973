// The group commit: one write is under way, and what is appended meanwhile forms the next.
import { KnodeError, messageOf } from '../../../base/errors.ts'
import type { Logger } from '../../../base/log.ts'
import type { EventMessage } from '../../../model/cloudevents/event.ts'
import type { Offset, StoredEvent } from '../port.ts'
import { batchBytesMax } from './buffer-pool.ts'
import type { BufferPool } from './buffer-pool.ts'
import { isFull, writeFully } from './file-system.ts'
import type { LogFile } from './file-system.ts'
import { writeFrame } from './frame.ts'
import type { Gathering } from './gathering.ts'
import type { Segment, SegmentMark } from './segment.ts'
import { markBytes } from './segment.ts'

/** The segment that takes new events. A finished write to its file has reached what durability asks for. */
export interface ActiveSegment {
  segment: Segment
  file: LogFile
  /** Below this position the file has its bytes, so that writing there changes nothing else of the file. */
  preparedTo: number
}

export interface SegmentWriterOptions {
  stream: string
  log: Logger
  buffers: BufferPool
  gathering: Gathering
  nextOffset: Offset
  active: ActiveSegment | undefined
  /** Whether the next event belongs into a new segment. */
  mustRoll: (active: Segment) => boolean
  /** Bytes of room to be made behind events that end at this position and leave none. */
  roomBehind: (position: number) => number
  /** Makes the segment that begins with this offset. */
  roll: (firstOffset: Offset) => Promise<ActiveSegment>
  /** Told in order, after those who appended have gone on. */
  onCommit: (committed: Committed) => void
}

interface Pending {
  message: EventMessage
  appendedMs: number
  bytesMax: number
  resolve: (offset: Offset) => void
  reject: (error: Error) => void
}

/** Events that are safe. */
export interface Committed {
  events: readonly StoredEvent[]
  /** Bytes of each one's frame. */
  sizes: readonly number[]
  /** Where they are: when this is told, it may be full already. */
  segment: Segment
}

/** Events of one write, encoded. */
interface Batch {
  pending: Pending[]
  events: StoredEvent[]
  sizes: number[]
  marks: SegmentMark[]
  bytes: Buffer
}

export class SegmentWriter {
  #options: SegmentWriterOptions
  #active: ActiveSegment | undefined
  #nextOffset: Offset
  #pending: Pending[] = []
  #pendingBytes = 0
  /** The commits under way, if there are any. */
  #committing: Promise<void> | undefined
  /** Not told yet. */
  #committed: Committed[] = []
  #failure: KnodeError | undefined
  #refusesForNow = false

  constructor(options: SegmentWriterOptions) {
    this.#options = options
    this.#active = options.active
    this.#nextOffset = options.nextOffset
  }

  /** The offset that the next committed event gets. */
  get nextOffset(): Offset {
    return this.#nextOffset
  }

  /** Bytes that wait, at most. */
  get pendingBytes(): number {
    return this.#pendingBytes
  }

  /** The segment that may grow, while something is under way to it or may come. */
  get activeSegment(): Segment | undefined {
    return this.#active?.segment
  }

  /**
   * Resolves when the write with the event is done.
   * @param bytesMax what the event's frame takes at most.
   * @throws {KnodeError} TRANSPORT_FULL, TRANSPORT_FAILED
   */
  append(message: EventMessage, appendedMs: number, bytesMax: number): Promise<Offset> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    this.#pendingBytes += bytesMax
    return new Promise((resolve, reject) => {
      this.#pending.push({ message, appendedMs, bytesMax, resolve, reject })
      this.#options.gathering.arrived(this.#pending.length)
      // What arrives in the same turn of the event loop shares the first write.
      this.#committing ??= new Promise<void>((turn) => setImmediate(turn)).then(() => this.#commitAll())
    })
  }

  /** Begins a new segment now, so that the last one may go. Does nothing while events are on their way. */
  rollNow(): void {
    if (this.#failure !== undefined || this.#active === undefined || this.#active.segment.endPosition === 0) return
    this.#committing ??= this.#rollAndGoOn()
  }

  /** Resolves when everything appended so far is settled, and told. */
  async drain(): Promise<void> {
    await this.#committing
    this.tellCommitted()
  }

  /** Tells now what is safe: for whoever wants to know where the stream ends. */
  tellCommitted(): void {
    for (const each of this.#committed.splice(0)) this.#options.onCommit(each)
  }

  async close(): Promise<void> {
    await this.drain()
    const active = this.#active
    this.#active = undefined
    if (active === undefined) return
    if (this.#failure === undefined) await cutRoom(active)
    await active.file.close()
  }

  async #commitAll(): Promise<void> {
    while (this.#pending.length > 0) {
      await this.#options.gathering.wait(this.#pending.length)
      await this.#commitSome()
    }
    this.#committing = undefined
  }

  async #rollAndGoOn(): Promise<void> {
    try {
      await this.#seal()
      this.#active = await this.#options.roll(this.#nextOffset)
    } catch (error) {
      this.#options.log.warn('no new segment yet', { err: error })
    }
    await this.#commitAll()
  }

  async #seal(): Promise<void> {
    const active = this.#active
    this.#active = undefined
    if (active === undefined) return
    // Room that stays takes space, and does no other harm.
    await cutRoom(active).catch(() => undefined)
    await active.file.close()
  }

  async #commitSome(): Promise<void> {
    const { buffers } = this.#options
    const buffer = buffers.take(this.#pending[0]!.bytesMax)
    const batch = await this.#write(buffer)
    buffers.give(buffer)
    if (batch === undefined) return
    if (this.#refusesForNow) this.#options.log.info('events are taken again', { stream: this.#options.stream })
    this.#refusesForNow = false
    const { events, sizes, marks, pending, bytes } = batch
    this.#nextOffset += events.length
    const { segment } = this.#active!
    segment.grow(marks, this.#nextOffset, bytes.length, events.at(-1)!.appendedMs)
    this.#forget(pending)
    for (const [index, { resolve }] of pending.entries()) resolve(events[index]!.offset)
    // Senders wait for an answer, deliveries need not be begun before it: first the answers go out and the next write
    // begins.
    if (this.#committed.push({ events, sizes, segment }) === 1) setImmediate(() => this.tellCommitted())
  }

  /** Writes what waits, as far as the buffer goes. Resolves to `undefined` when the callers were refused. */
  async #write(buffer: Buffer): Promise<Batch | undefined> {
    const { mustRoll, roll } = this.#options
    let batch: Batch | undefined
    try {
      if (this.#active !== undefined && mustRoll(this.#active.segment)) await this.#seal()
      this.#active ??= await roll(this.#nextOffset)
      const { segment, file } = this.#active
      batch = this.#encode(buffer, segment.salt)
      const { length } = batch.bytes
      const source = buffer.subarray(0, length + this.#makeRoom(this.#active, buffer, length))
      const written = await writeFully(file, source, segment.endPosition, length)
      this.#active.preparedTo = Math.max(this.#active.preparedTo, segment.endPosition + written)
      return batch
    } catch (error) {
      await this.#refuse(batch?.pending ?? this.#pending.splice(0), error, { wasWriting: batch !== undefined })
      return undefined
    }
  }

  #encode(buffer: Buffer, salt: number): Batch {
    const events: StoredEvent[] = []
    const sizes: number[] = []
    const marks: SegmentMark[] = []
    let at = 0
    for (const { message, appendedMs, bytesMax } of this.#pending) {
      if (at + bytesMax > buffer.length) break
      const offset = this.#nextOffset + events.length
      const mark = marks.at(-1)
      if (mark === undefined || at - mark.position >= markBytes) marks.push({ offset, position: at, appendedMs })
      const end = writeFrame(buffer, at, { salt, offset, appendedMs }, message)
      events.push({ offset, appendedMs, message })
      sizes.push(end - at)
      at = end
      if (at >= batchBytesMax) break
    }
    const pending = this.#pending.splice(0, events.length)
    return { pending, events, sizes, marks, bytes: buffer.subarray(0, at) }
  }

  /**
   * Puts zeros behind the batch where the file would have to grow: a write into bytes that are there is the cheaper one,
   * as nothing of the file itself has to be synced with it.
   * @returns how many.
   */
  #makeRoom({ segment, preparedTo }: ActiveSegment, buffer: Buffer, length: number): number {
    const end = segment.endPosition + length
    if (end <= preparedTo) return 0
    const bytes = Math.min(this.#options.roomBehind(end), buffer.length - length)
    buffer.fill(0, length, length + bytes)
    return bytes
  }

  /** Tells the callers, and makes sure that nothing of the batch stays behind. */
  async #refuse(pending: Pending[], cause: unknown, { wasWriting }: { wasWriting: boolean }): Promise<void> {
    this.#forget(pending)
    const { stream, log } = this.#options
    let error: KnodeError
    if (isFull(cause) && (await this.#cutBack())) {
      error = new KnodeError('TRANSPORT_FULL', `the disk below stream "${stream}" is full`, {
        retryable: true,
        hint: 'make room on the disk',
        cause,
      })
    } else if (!wasWriting) {
      // There was no file to write to, such as for want of handles: nothing is in doubt, and the next try may do.
      error = new KnodeError('TRANSPORT_FAILED', `stream "${stream}" cannot be written now: ${messageOf(cause)}`, {
        retryable: true,
        cause,
      })
    } else {
      error = new KnodeError('TRANSPORT_FAILED', `stream "${stream}" cannot be written: ${messageOf(cause)}`, {
        hint: 'check the disk, then start again',
        cause,
      })
      // Nobody knows what such a write left behind; only reading everything again, at the next start, can tell.
      this.#failure = error
      pending = [...pending, ...this.#pending.splice(0)]
      this.#pendingBytes = 0
    }
    // A full disk refuses every event until somebody makes room: said once.
    if (!this.#refusesForNow) log.error('events are refused', { stream, code: error.code, err: cause })
    this.#refusesForNow = error.retryable
    for (const { reject } of pending) reject(error)
  }

  /** Removes what a failed write may have left, so that nothing brings it back. @returns whether that worked. */
  async #cutBack(): Promise<boolean> {
    try {
      if (this.#active === undefined) return true
      await cutRoom(this.#active)
      await this.#active.file.sync()
      return true
    } catch {
      return false
    }
  }

  #forget(pending: readonly Pending[]): void {
    for (const { bytesMax } of pending) this.#pendingBytes -= bytesMax
  }
}

/** Lets the file end where its events end: what is no longer needs no search for events when it is opened again. */
async function cutRoom(active: ActiveSegment): Promise<void> {
  await active.file.truncate(active.segment.endPosition)
  active.preparedTo = active.segment.endPosition
}
