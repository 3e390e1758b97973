// A stream that lives as long as the process.
import type { Clock } from '../../../base/clock.ts'
import { KnodeError } from '../../../base/errors.ts'
import type { EventMessage } from '../../../model/cloudevents/event.ts'
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

/** Smaller than on disk: what is kept for replay costs memory. */
const memoryStreamDefaults: Required<StreamOptions> = {
  retentionMs: 86_400_000,
  retentionBytes: 16_777_216,
  streamBytesMax: 1_073_741_824,
}

/** Events let go at the front before the array is made shorter. */
const droppedMax = 4_096

/** Rough cost of an event beside its texts and data, in bytes. */
const eventOverheadBytes = 64

export class MemoryStream implements EventStream, Shelf {
  readonly name: string
  #clock: Clock
  #options: Required<StreamOptions>
  #consumers: Consumers
  #events: (StoredEvent | undefined)[] = []
  /** Offset of `#events[0]`, and how many of its front are let go. */
  #base: Offset = 0
  #dropped = 0
  #bytes = 0
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
    return this.#base + this.#dropped
  }

  get #nextOffset(): Offset {
    return this.#base + this.#events.length
  }

  setOptions(options: StreamOptions): void {
    this.#options = completeOptions(options, memoryStreamDefaults)
  }

  async append(message: EventMessage): Promise<Offset> {
    this.#refuseWhenClosed()
    const bytes = messageBytes(message)
    if (this.#bytes + bytes > this.#options.retentionBytes) this.#sweep(bytes)
    if (this.#bytes + bytes > this.#options.streamBytesMax) {
      throw new KnodeError('TRANSPORT_FULL', `stream "${this.name}" is full`, { retryable: true, hint: fullHint })
    }
    const stored = { offset: this.#nextOffset, appendedMs: this.#clock.now(), message }
    this.#events.push(stored)
    this.#bytes += bytes
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
    const oldest = this.peek(this.firstOffset)
    return {
      name: this.name,
      firstOffset: this.firstOffset,
      nextOffset: this.#nextOffset,
      bytes: this.#bytes,
      ...(oldest !== undefined && { oldestMs: oldest.appendedMs }),
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
    return this.#events[offset - this.#base]
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
      const middle = (low + high) >> 1
      if (this.peek(middle)!.appendedMs < place.timeMs) low = middle + 1
      else high = middle
    }
    return low
  }

  #sweepOnTime(): void {
    this.#sweep()
    const hasEvents = this.firstOffset < this.#nextOffset
    this.#cancelSweep = hasEvents
      ? this.#clock.setTimer(sweepIntervalMs(this.#options), () => this.#sweepOnTime())
      : undefined
  }

  /** Lets go what is over time or size, with room for `bytesToCome`, and needed by nobody. */
  #sweep(bytesToCome = 0): void {
    const oldestKeptMs = this.#clock.now() - this.#options.retentionMs
    const neededFrom = this.#consumers.neededFrom()
    while (this.firstOffset < neededFrom) {
      const oldest = this.#events[this.#dropped]!
      if (oldest.appendedMs >= oldestKeptMs && this.#bytes + bytesToCome <= this.#options.retentionBytes) break
      this.#bytes -= messageBytes(oldest.message)
      this.#events[this.#dropped++] = undefined
    }
    if (this.#dropped < droppedMax && this.#dropped < this.#events.length) return
    this.#events.splice(0, this.#dropped)
    this.#base += this.#dropped
    this.#dropped = 0
  }

  #refuseWhenClosed(): void {
    if (this.#isClosed) throw new KnodeError('TRANSPORT_CLOSED', `stream "${this.name}" is closed`)
  }
}

function messageBytes({ event, headers }: EventMessage): number {
  let bytes = eventOverheadBytes + (event.data?.length ?? 0)
  for (const [name, value] of event.attributes) bytes += name.length + (typeof value === 'string' ? value.length : 8)
  for (const name in headers) bytes += name.length + headers[name]!.length
  return bytes
}
