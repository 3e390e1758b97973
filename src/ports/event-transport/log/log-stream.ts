// A durable stream: segments on disk, the consumers' journal beside them, the newest events in memory.
import type { Clock } from '../../../base/clock.ts'
import { KnodeError } from '../../../base/errors.ts'
import type { Logger } from '../../../base/log.ts'
import type { Random } from '../../../base/random.ts'
import type { EventMessage } from '../../../model/cloudevents/event.ts'
import type { StoredConsumer } from '../consumption/consumers.ts'
import { Consumers } from '../consumption/consumers.ts'
import type {
  ConsumeOptions,
  Consumption,
  EventStream,
  Offset,
  Selector,
  StartFrom,
  StoredEvent,
  StreamInfo,
  StreamOptions,
} from '../port.ts'
import { completeOptions, durableStreamDefaults, fullHint, offsetOf, sweepIntervalMs } from '../stream-options.ts'
import type { BufferPool } from './buffer-pool.ts'
import { Checkpoints } from './checkpoints.ts'
import { ConsumerJournal } from './consumer-journal.ts'
import type { LogFileSystem } from './file-system.ts'
import { frameBytesMax } from './frame.ts'
import { Gathering } from './gathering.ts'
import { recoverLog } from './recover.ts'
import type { RecoveredLog } from './recover.ts'
import type { Segment } from './segment.ts'
import { SegmentShelf } from './segment-shelf.ts'
import { SegmentWriter } from './segment-writer.ts'
import type { Committed } from './segment-writer.ts'
import { StreamTimes } from './stream-times.ts'

export interface LogStreamDeps {
  fileSystem: LogFileSystem
  clock: Clock
  random: Random
  log: Logger
  buffers: BufferPool
  durability: 'disk' | 'process'
  gatherMsMax: number
}

/** Bytes that wait to be written, at most. */
const pendingBytesMax = 67_108_864
/** Sizes between which segments are, in bytes. */
const segmentBytesMax = 67_108_864
const segmentBytesMin = 65_536
/** Bytes that a segment is made longer by at a time, at most. */
const roomBytesMax = 65_536

/** Opens the stream in its directory, with what is there. */
export async function openLogStream(
  name: string,
  directory: string,
  options: StreamOptions,
  deps: LogStreamDeps,
): Promise<LogStream> {
  const { fileSystem, clock, log } = deps
  const journal = new ConsumerJournal(fileSystem, directory)
  const state = await journal.read()
  const synced = deps.durability === 'disk'
  const recovered = await recoverLog({
    stream: name,
    directory,
    fileSystem,
    clock,
    log,
    safeBelow: state.tail,
    synced,
  })
  if (state.damagedAt !== undefined) {
    log.error('journal of consumers is damaged: some events will be delivered again', {
      code: 'LOG_CORRUPT',
      stream: name,
      segment: 'consumers.journal',
      position: state.damagedAt,
    })
  }
  const stream = new LogStream(name, directory, options, deps, journal, recovered)
  stream.restore(state.consumers)
  return stream
}

export class LogStream implements EventStream {
  readonly name: string
  #deps: LogStreamDeps
  #options: Required<StreamOptions>
  #shelf: SegmentShelf
  #writer: SegmentWriter
  #consumers: Consumers
  #journal: ConsumerJournal
  #times: StreamTimes
  #checkpoints: Checkpoints
  #cancelSweep: (() => void) | undefined
  /** Bytes at which letting go is tried again. */
  #sweepAtBytes = 0
  #isClosed = false

  constructor(
    name: string,
    directory: string,
    options: StreamOptions,
    deps: LogStreamDeps,
    journal: ConsumerJournal,
    { segments, nextOffset, active, damaged, hasSpare }: RecoveredLog,
  ) {
    this.name = name
    this.#deps = deps
    this.#options = completeOptions(options, durableStreamDefaults)
    this.#journal = journal
    this.#times = new StreamTimes(deps.clock, () => this.#options.retentionMs, segments)
    const log = deps.log.child({ stream: name })
    const { fileSystem, random, clock, buffers, gatherMsMax } = deps
    const synced = deps.durability === 'disk'
    this.#shelf = new SegmentShelf({ directory, fileSystem, random, log, synced, segments, nextOffset, hasSpare })
    for (const range of damaged) this.#shelf.addDamage(range)
    this.#consumers = new Consumers({
      stream: name,
      shelf: this.#shelf,
      clock,
      published: nextOffset,
      onChange: () => this.#checkpoints.soon(),
    })
    this.#checkpoints = new Checkpoints({
      stream: name,
      clock,
      log: deps.log,
      journal,
      consumers: this.#consumers,
      synced,
      onTurn: () => {
        const readFrom = this.#consumers.readFrom()
        this.#shelf.trim(readFrom, readFrom >= this.#consumers.published)
      },
    })
    this.#writer = new SegmentWriter({
      stream: name,
      log,
      buffers,
      gathering: new Gathering(clock, gatherMsMax),
      nextOffset,
      active,
      mustRoll: (segment) => this.#mustRoll(segment),
      roomBehind: (position) => (synced ? this.#roomBehind(position) : 0),
      roll: (firstOffset) => this.#shelf.makeSegment(firstOffset),
      onCommit: (committed) => this.#onCommit(committed),
    })
    if (segments.length > 0) this.#sweepLater()
  }

  /** Takes back the consumers. */
  restore(consumers: readonly StoredConsumer[]): void {
    for (const consumer of consumers) this.#consumers.restore(consumer)
    this.#checkpoints.soon()
  }

  get options(): Required<StreamOptions> {
    return this.#options
  }

  setOptions(options: StreamOptions): void {
    this.#options = completeOptions(options, durableStreamDefaults)
  }

  append(message: EventMessage): Promise<Offset> {
    if (this.#isClosed) return Promise.reject(this.#closedError())
    const bytesMax = frameBytesMax(message)
    const bytesToCome = this.#writer.pendingBytes + bytesMax
    const bytes = this.#shelf.bytes + bytesToCome
    if (bytes > Math.min(this.#sweepAtBytes, this.#options.streamBytesMax)) this.#sweep(bytesToCome)
    if (this.#shelf.bytes + bytesToCome > this.#options.streamBytesMax || bytesToCome > pendingBytesMax) {
      const message = `stream "${this.name}" is full`
      return Promise.reject(new KnodeError('TRANSPORT_FULL', message, { retryable: true, hint: fullHint }))
    }
    return this.#writer.append(message, this.#times.next(), bytesMax)
  }

  select(selector: Selector | undefined): void {
    // What is acknowledged already is the last selector's to judge.
    this.#writer.tellCommitted()
    this.#consumers.select(selector)
  }

  async consume(consumer: string, options: ConsumeOptions): Promise<Consumption> {
    if (this.#isClosed) throw this.#closedError()
    if (!this.#consumers.has(consumer)) await this.#create(consumer, await this.#resolve(options.from ?? 'latest'))
    return this.#consumers.consume(consumer, options)
  }

  async seek(consumer: string, to: StartFrom): Promise<void> {
    if (this.#isClosed) throw this.#closedError()
    this.#consumers.seek(consumer, await this.#resolve(to))
    await this.#checkpoints.write({ sync: true })
  }

  async deleteConsumer(consumer: string): Promise<void> {
    if (this.#isClosed || !this.#consumers.has(consumer)) return
    this.#consumers.delete(consumer)
    await this.#checkpoints.write({ sync: true })
  }

  async *read(from: StartFrom): AsyncIterable<StoredEvent> {
    const end = this.#published
    yield* this.#shelf.read(await this.#resolve(from), end)
  }

  info(): StreamInfo {
    this.#writer.tellCommitted()
    const { firstOffset, oldestMs, bytes, damaged } = this.#shelf
    return {
      name: this.name,
      firstOffset,
      nextOffset: this.#writer.nextOffset,
      bytes,
      ...(oldestMs !== undefined && { oldestMs }),
      consumers: this.#consumers.infos(),
      damaged: [...damaged],
    }
  }

  /** Finishes what was taken, and closes. `keep`: whether the stream will be opened again. */
  async close({ keep }: { keep: boolean }): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#cancelSweep?.()
    await this.#writer.drain()
    this.#consumers.stopAll()
    try {
      await this.#checkpoints.close({ keep })
      await this.#writer.close()
    } catch (error) {
      // What could not be written down is told again: the next start delivers more than it need, and loses nothing.
      this.#deps.log.warn('stream not closed cleanly', { stream: this.name, err: error })
    } finally {
      await this.#journal.close()
      await this.#shelf.close()
    }
  }

  /** Small streams have small segments: what is let go is let go by segments. */
  get #segmentBytes(): number {
    return Math.min(segmentBytesMax, Math.max(segmentBytesMin, this.#options.retentionBytes / 8))
  }

  /** As much again as there is, so that small streams stay small. */
  #roomBehind(position: number): number {
    return Math.min(position, roomBytesMax, Math.max(0, this.#segmentBytes - position))
  }

  #mustRoll(segment: Segment): boolean {
    if (segment.endPosition >= this.#segmentBytes) return true
    return segment.endPosition > 0 && this.#times.mustRoll(segment)
  }

  #onCommit({ events, sizes, segment }: Committed): void {
    this.#shelf.keep(events, sizes)
    this.#times.grown(segment)
    this.#consumers.publish(events)
    this.#checkpoints.soon()
    this.#sweepLater()
  }

  /** A consumer exists once that is written down: forgotten, it would begin later and miss events. */
  async #create(consumer: string, next: Offset): Promise<void> {
    if (this.#consumers.has(consumer)) return
    this.#consumers.create(consumer, next)
    try {
      await this.#checkpoints.write({ sync: true })
    } catch (error) {
      this.#consumers.delete(consumer)
      throw error
    }
  }

  /** Where the stream ends for those who read it: behind everything that was acknowledged. */
  get #published(): Offset {
    this.#writer.tellCommitted()
    return this.#consumers.published
  }

  #resolve(from: StartFrom): Promise<Offset> | Offset {
    const end = this.#published
    const place = offsetOf(from, Math.min(this.#shelf.firstOffset, end), end)
    return typeof place === 'number' ? place : this.#shelf.offsetAt(place.timeMs, end)
  }

  #sweepLater(): void {
    // What is committed while the stream closes is let go by the next one that opens it.
    if (this.#isClosed) return
    this.#cancelSweep ??= this.#deps.clock.setTimer(sweepIntervalMs(this.#options), () => {
      this.#cancelSweep = undefined
      this.#sweep(0)
      this.#shelf.closeIdle().catch((error: unknown) => {
        this.#deps.log.warn('files that were read are not closed', { stream: this.name, err: error })
      })
      if (this.#shelf.oldestMs !== undefined) this.#sweepLater()
    })
  }

  /** Lets segments go that are over time or size and needed by nobody. */
  #sweep(bytesToCome: number): void {
    const { retentionBytes } = this.#options
    const neededFrom = this.#consumers.neededFrom()
    for (;;) {
      const [oldest] = this.#shelf.segments
      if (oldest === undefined || oldest.endOffset > neededFrom) break
      if (!this.#times.isOver(oldest) && this.#shelf.bytes + bytesToCome <= retentionBytes) break
      if (oldest === this.#writer.activeSegment) {
        this.#writer.rollNow()
        break
      }
      this.#shelf.dropOldest()
    }
    this.#sweepAtBytes = Math.max(retentionBytes, this.#shelf.bytes + this.#segmentBytes / 2)
  }

  #closedError(): KnodeError {
    return new KnodeError('TRANSPORT_CLOSED', `stream "${this.name}" is closed`)
  }
}
