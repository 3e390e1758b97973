// The stored events of a stream: its segments, the newest events in memory, and what was read lately.
import { join } from 'node:path'
import type { Logger } from '../../../base/log.ts'
import type { Random } from '../../../base/random.ts'
import type { LoadedRun, Shelf } from '../consumption/shelf.ts'
import type { DamagedRange, Offset, StoredEvent } from '../port.ts'
import type { LogFile, LogFileSystem } from './file-system.ts'
import { spareName } from './recover.ts'
import { readRun } from './run.ts'
import type { Run } from './run.ts'
import { Segment } from './segment.ts'
import type { ActiveSegment } from './segment-writer.ts'
import { TailCache } from './tail-cache.ts'

export interface SegmentShelfOptions {
  directory: string
  fileSystem: LogFileSystem
  random: Random
  log: Logger
  /** Whether a finished write must have reached the medium. */
  synced: boolean
  segments: Segment[]
  nextOffset: Offset
  hasSpare: boolean
}

/** Memory for the newest events, in bytes of their frames. */
const tailBytesMax = 2_097_152
/** Runs kept for consumers that read the same part of the past. */
const runsKept = 8

export class SegmentShelf implements Shelf {
  #options: SegmentShelfOptions
  #segments: Segment[]
  #nextOffset: Offset
  #bytes: number
  #hasSpare: boolean
  #tail = new TailCache(tailBytesMax)
  #runs = new Map<string, Promise<Run>>()
  #damaged: DamagedRange[] = []
  /** Files on their way out, one after the other. */
  #removals: Promise<void> = Promise.resolve()

  constructor(options: SegmentShelfOptions) {
    this.#options = options
    this.#segments = options.segments
    this.#nextOffset = options.nextOffset
    this.#bytes = options.segments.reduce((bytes, { endPosition }) => bytes + endPosition, 0)
    this.#hasSpare = options.hasSpare
  }

  get segments(): readonly Segment[] {
    return this.#segments
  }

  get firstOffset(): Offset {
    return this.#segments[0]?.firstOffset ?? this.#nextOffset
  }

  /** Of all frames, damaged ones included. */
  get bytes(): number {
    return this.#bytes
  }

  get damaged(): readonly DamagedRange[] {
    return this.#damaged
  }

  /** When the oldest event kept was appended; `undefined` without events. */
  get oldestMs(): number | undefined {
    return this.#segments.find(({ marks }) => marks.length > 0)?.firstMs
  }

  peek(offset: Offset): StoredEvent | undefined {
    return this.#tail.get(offset)
  }

  async load(offset: Offset): Promise<LoadedRun> {
    const segment = this.#segments.find(({ endOffset }) => endOffset > offset)
    if (segment === undefined) return { events: [], next: Math.max(offset + 1, this.#nextOffset) }
    if (segment.firstOffset > offset) return { events: [], next: segment.firstOffset }
    const run = await this.#run(segment, offset).catch((error: unknown) => {
      this.#options.log.error('events cannot be read', { segment: segment.name, offset, err: error })
      throw error
    })
    // What a file gives that is being thrown away, or written over, says nothing.
    if (segment.isDropped) return { events: [], next: Math.max(offset + 1, this.firstOffset) }
    for (const range of run.damaged) this.addDamage(range)
    return run
  }

  /** Stored events from `from` up to, not including, `end`. */
  async *read(from: Offset, end: Offset): AsyncGenerator<StoredEvent> {
    for (let offset = from; offset < end;) {
      const { events, next } = await this.load(offset)
      for (const event of events) if (event.offset >= offset && event.offset < end) yield event
      offset = next
    }
  }

  /** The first event that was appended at this time or later, or `end` if there is none below. */
  async offsetAt(timeMs: number, end: Offset): Promise<Offset> {
    const segment = this.#segments.find((one) => one.marks.length > 0 && one.lastMs >= timeMs)
    if (segment === undefined) return end
    const mark = segment.marks.findLast(({ appendedMs }) => appendedMs < timeMs) ?? segment.marks[0]!
    for await (const { offset, appendedMs } of this.read(mark.offset, end)) if (appendedMs >= timeMs) return offset
    return end
  }

  /** Keeps events that were just written at hand. `sizes` are the bytes of each frame. */
  keep(events: readonly StoredEvent[], sizes: readonly number[]): void {
    for (const [index, event] of events.entries()) {
      this.#tail.push(event, sizes[index]!)
      this.#bytes += sizes[index]!
    }
    this.#nextOffset = events.at(-1)!.offset + 1
  }

  /** Gives memory back: nobody reads below `offset` soon, except for a single event now and then. */
  trim(offset: Offset, isTail: boolean): void {
    this.#tail.dropBelow(offset)
    if (isTail) this.#runs.clear()
  }

  /** Makes the segment that begins with this offset, of a file that was one before if possible. */
  async makeSegment(firstOffset: Offset): Promise<ActiveSegment> {
    const { directory, fileSystem, random, synced } = this.#options
    const segment = new Segment(fileSystem, directory, firstOffset, Math.floor(random.next() * 2 ** 32))
    let file: LogFile | undefined
    let preparedTo = 0
    try {
      if (this.#hasSpare) {
        this.#hasSpare = false
        await fileSystem.rename(join(directory, spareName), segment.path)
      }
      file = await fileSystem.open(segment.path, { synced })
      preparedTo = await file.size()
      if (synced) await fileSystem.syncDirectory(directory)
    } catch (error) {
      // The next try makes another file for the same events: one of both would be in the way.
      await file?.close().catch(() => undefined)
      await fileSystem.remove(segment.path).catch(() => undefined)
      throw error
    }
    this.#segments.push(segment)
    return { segment, file, preparedTo }
  }

  /** Lets the oldest segment go. Its file becomes the spare one if there is none. */
  dropOldest(): void {
    const segment = this.#segments.shift()
    if (segment === undefined) return
    segment.drop()
    this.#bytes -= segment.endPosition
    this.#damaged = this.#damaged.filter(({ toOffset }) => toOffset > this.firstOffset)
    this.#tail.dropBelow(this.firstOffset)
    this.#removals = this.#removals.then(() => this.#remove(segment))
  }

  /** Takes note of events that cannot be read, and tells it the first time. */
  addDamage(range: DamagedRange): void {
    const known = this.#damaged.some((one) => one.fromOffset <= range.fromOffset && one.toOffset >= range.toOffset)
    if (known) return
    this.#damaged.push(range)
    this.#damaged.sort((one, other) => one.fromOffset - other.fromOffset)
    this.#options.log.error('events are damaged and set aside', { code: 'LOG_CORRUPT', ...range })
  }

  /** Closes files that were read and are not being read now. */
  async closeIdle(): Promise<void> {
    for (const segment of this.#segments) await segment.closeForReading()
  }

  async close(): Promise<void> {
    await this.#removals
    await this.closeIdle()
  }

  #run(segment: Segment, offset: Offset): Promise<Run> {
    const index = segment.markBefore(offset)
    const key = `${segment.name}:${index}`
    const kept = this.#runs.get(key)
    if (kept !== undefined) return kept
    const run = readRun(segment, offset)
    // The last run of a segment may still grow.
    if (index + 1 >= segment.marks.length) return run
    this.#runs.set(key, run)
    run.catch(() => this.#runs.delete(key))
    const [oldest] = this.#runs.keys()
    if (this.#runs.size > runsKept && oldest !== undefined) this.#runs.delete(oldest)
    return run
  }

  async #remove(segment: Segment): Promise<void> {
    const { directory, fileSystem, log } = this.#options
    try {
      await segment.closeForReading()
      if (this.#hasSpare || segment.isBeingRead) {
        await fileSystem.remove(segment.path)
      } else {
        await fileSystem.rename(segment.path, join(directory, spareName))
        this.#hasSpare = true
      }
    } catch (error) {
      log.warn('segment not removed', { segment: segment.name, err: error })
    }
  }
}
