// A stream that lives as long as the process.
import type { Clock } from '../../../base/clock.ts'
import { KnodeError } from '../../../base/errors.ts'
import type { EventMessage } from '../../../model/cloudevents/event.ts'
import { recordBytesMax } from '../../../model/cloudevents/record.ts'
import { Consumers } from '../consumption/consumers.ts'
import type { LoadedRun, Shelf } from '../consumption/shelf.ts'
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
import { completeOptions, fullHint, offsetOf, sweepIntervalMs } from '../stream-options.ts'
import { EventArchive } from './event-archive.ts'

/** Smaller than on disk: what is kept for replay costs memory. */
const memoryStreamDefaults: Required<StreamOptions> = {
  retentionMs: 86_400_000,
  retentionBytes: 16_777_216,
  streamBytesMax: 1_073_741_824,
}

/** Of what retention keeps, the share that is let go beyond what must go: lest every event make room for itself. */
const sweptShare = 1 / 64

/** Newest events that are kept as they came, at least; at most twice as many. */
const recentMin = 64

export class MemoryStream implements EventStream, Shelf {
  readonly name: string
  #clock: Clock
  #options: Required<StreamOptions>
  #consumers: Consumers
  #archive = new EventArchive()
  /** The newest published events as they came, for consumers that are only a little behind. */
  #recent: StoredEvent[] = []
  #unpublished: StoredEvent[] = []
  /** Settles when `#unpublished` has been published. */
  #batch: PromiseWithResolvers<void> | undefined
  #cancelSweep: (() => void) | undefined
  #isClosed = false

  constructor(name: string, clock: Clock, options: StreamOptions) {
    this.name = name
    this.#clock = clock
    this.#options = completeOptions(options, memoryStreamDefaults)
    this.#consumers = new Consumers({ stream: name, shelf: this, clock, published: 0 })
  }

  get firstOffset(): Offset {
    return this.#archive.firstOffset
  }

  setOptions(options: StreamOptions): void {
    this.#options = completeOptions(options, memoryStreamDefaults)
  }

  async append(message: EventMessage): Promise<Offset> {
    this.#refuseWhenClosed()
    const bytesMax = recordBytesMax(message)
    const { retentionBytes, streamBytesMax } = this.#options
    if (this.#archive.bytes + bytesMax > retentionBytes) this.#sweep(bytesMax + retentionBytes * sweptShare)
    if (this.#archive.bytes + bytesMax > streamBytesMax) {
      throw new KnodeError('TRANSPORT_FULL', `stream "${this.name}" is full`, { retryable: true, hint: fullHint })
    }
    const appendedMs = this.#clock.now()
    const stored = { offset: this.#archive.push(message, appendedMs, bytesMax), appendedMs, message }
    this.#unpublished.push(stored)
    const batch = (this.#batch ??= this.#startBatch())
    this.#cancelSweep ??= this.#clock.setTimer(sweepIntervalMs(this.#options), () => this.#sweepOnTime())
    await batch.promise
    return stored.offset
  }

  select(selector: Selector | undefined): void {
    this.#consumers.select(selector)
  }

  async consume(consumer: string, options: ConsumeOptions): Promise<Consumption> {
    this.#refuseWhenClosed()
    if (!this.#consumers.has(consumer)) this.#consumers.create(consumer, this.#resolve(options.from ?? 'latest'))
    return this.#consumers.consume(consumer, options)
  }

  async seek(consumer: string, to: StartFrom): Promise<void> {
    this.#refuseWhenClosed()
    this.#consumers.seek(consumer, this.#resolve(to))
  }

  async deleteConsumer(consumer: string): Promise<void> {
    this.#consumers.delete(consumer)
  }

  async *read(from: StartFrom): AsyncIterable<StoredEvent> {
    const end = this.#consumers.published
    for (let offset = this.#resolve(from); offset < end; offset++) {
      offset = Math.max(offset, this.firstOffset)
      const stored = this.peek(offset)
      if (stored !== undefined) yield stored
    }
  }

  info(): StreamInfo {
    const oldestMs = this.#archive.timeOf(this.firstOffset)
    return {
      name: this.name,
      firstOffset: this.firstOffset,
      nextOffset: this.#archive.nextOffset,
      bytes: this.#archive.bytes,
      ...(oldestMs !== undefined && { oldestMs }),
      consumers: this.#consumers.infos(),
      damaged: [],
    }
  }

  close(): void {
    this.#isClosed = true
    this.#consumers.stopAll()
    this.#cancelSweep?.()
  }

  peek(offset: Offset): StoredEvent | undefined {
    const [first] = this.#recent
    const recent = first === undefined ? undefined : this.#recent[offset - first.offset]
    return recent !== undefined && offset >= this.firstOffset ? recent : this.#archive.get(offset)
  }

  /** Everything is at hand; only what was let go is asked for. */
  async load(offset: Offset): Promise<LoadedRun> {
    return { events: [], next: Math.max(offset + 1, this.firstOffset) }
  }

  /**
   * What arrives in one turn of the event loop goes on together: answers and deliveries then leave in bursts, which
   * wakes the processes at the other end once instead of for every event.
   */
  #startBatch(): PromiseWithResolvers<void> {
    setImmediate(() => this.#publish())
    return Promise.withResolvers<void>()
  }

  #publish(): void {
    const [events, batch] = [this.#unpublished, this.#batch]
    this.#unpublished = []
    this.#batch = undefined
    for (const stored of events) this.#recent.push(stored)
    if (this.#recent.length > 2 * recentMin) this.#recent.splice(0, this.#recent.length - recentMin)
    if (!this.#isClosed) this.#consumers.publish(events)
    batch?.resolve()
  }

  #resolve(from: StartFrom): Offset {
    const first = this.firstOffset
    const next = this.#consumers.published
    const place = offsetOf(from, first, next)
    if (typeof place === 'number') return place
    let [low, high] = [first, next]
    while (low < high) {
      // Of the distance: the sum of two offsets may be above 32 bits.
      const middle = low + ((high - low) >> 1)
      if (this.#archive.timeOf(middle)! < place.timeMs) low = middle + 1
      else high = middle
    }
    return low
  }

  #sweepOnTime(): void {
    this.#sweep()
    const hasEvents = this.firstOffset < this.#archive.nextOffset
    this.#cancelSweep = hasEvents
      ? this.#clock.setTimer(sweepIntervalMs(this.#options), () => this.#sweepOnTime())
      : undefined
  }

  /** Lets go what is over time or size, with room for `bytesToCome`, and needed by nobody. */
  #sweep(bytesToCome = 0): void {
    const oldestKeptMs = this.#clock.now() - this.#options.retentionMs
    const neededFrom = this.#consumers.neededFrom()
    while (this.firstOffset < neededFrom) {
      const isOld = this.#archive.timeOf(this.firstOffset)! < oldestKeptMs
      if (!isOld && this.#archive.bytes + bytesToCome <= this.#options.retentionBytes) break
      this.#archive.dropOldest()
    }
  }

  #refuseWhenClosed(): void {
    if (this.#isClosed) throw new KnodeError('TRANSPORT_CLOSED', `stream "${this.name}" is closed`)
  }
}
