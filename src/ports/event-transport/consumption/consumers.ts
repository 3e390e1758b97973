// All consumers of one stream, and the fan-out: each new event is matched once for all that follow the tail.
import type { Clock } from '../../../base/clock.ts'
import { KnodeError } from '../../../base/errors.ts'
import type { ConsumeOptions, Consumption, ConsumerInfo, Offset, Selector, StoredEvent } from '../port.ts'
import { Consumer } from './consumer.ts'
import type { ConsumerChange, ConsumerContext } from './consumer-context.ts'
import type { WaitingEvent } from './due-queue.ts'
import type { Shelf } from './shelf.ts'

export interface ConsumersOptions {
  stream: string
  shelf: Shelf
  clock: Clock
  /** Offset of the next event to be published. */
  published: Offset
  /** Called whenever {@link Consumers.takeChanges} has something new. Cheap, as it happens for every delivery. */
  onChange?: () => void
}

/** What a durable driver kept of a consumer. */
export interface StoredConsumer {
  name: string
  next: Offset
  /** Ascending by offset. */
  open: WaitingEvent[]
}

export class Consumers {
  #stream: string
  #context: ConsumerContext
  #consumers = new Map<string, Consumer>()
  /** Those at the tail: an event costs them nothing unless they want it. */
  #followers = new Map<string, Consumer>()
  #published: Offset
  #offered: Offset
  #selector: Selector | undefined
  #changed = new Set<Consumer>()
  #deleted = new Set<string>()
  #onChange: () => void

  constructor({ stream, shelf, clock, published, onChange = () => undefined }: ConsumersOptions) {
    this.#stream = stream
    this.#published = published
    this.#offered = published
    this.#onChange = onChange
    this.#context = {
      stream,
      shelf,
      clock,
      published: () => this.#published,
      offered: () => this.#offered,
      wants: (consumer, message) => this.#selector?.(message, consumer).has(consumer) ?? true,
      follow: (consumer) => void this.#followers.set(consumer.name, consumer),
      unfollow: (consumer) => void this.#followers.delete(consumer.name),
      changed: (consumer) => {
        // Deliveries of a deleted consumer may still be settled; that is nobody's business any more.
        if (this.#consumers.get(consumer.name) !== consumer) return
        this.#changed.add(consumer)
        this.#onChange()
      },
    }
  }

  /** Everything below was offered to those that follow the tail. */
  get published(): Offset {
    return this.#published
  }

  has(name: string): boolean {
    return this.#consumers.has(name)
  }

  /** The oldest event that some consumer still needs; the tail when none needs any. */
  neededFrom(): Offset {
    let needed = this.#published
    for (const consumer of this.#consumers.values()) needed = Math.min(needed, consumer.position)
    return needed
  }

  /** The first event that a running consumption has not looked at yet; the tail when all keep up. */
  readFrom(): Offset {
    let next = this.#published
    for (const consumer of this.#consumers.values()) if (consumer.isActive) next = Math.min(next, consumer.next)
    return next
  }

  infos(): ConsumerInfo[] {
    return [...this.#consumers.values()].map((consumer) => consumer.info())
  }

  select(selector: Selector | undefined): void {
    this.#selector = selector
  }

  /**
   * Takes back a consumer as it was written down. Retention may have let go since what it settled after that: such
   * events are over, not waiting.
   */
  restore({ name, next, open }: StoredConsumer): void {
    const { firstOffset } = this.#context.shelf
    const kept = open.filter(({ offset }) => offset >= firstOffset)
    this.#consumers.set(name, new Consumer(this.#context, name, Math.max(next, firstOffset), kept))
  }

  create(name: string, next: Offset): void {
    const consumer = new Consumer(this.#context, name, next)
    this.#consumers.set(name, consumer)
    this.#deleted.delete(name)
    this.#context.changed(consumer)
  }

  /** @throws {KnodeError} NOT_FOUND, CONFLICT */
  consume(name: string, options: ConsumeOptions): Consumption {
    return this.#get(name).consume(options)
  }

  /** @throws {KnodeError} NOT_FOUND, CONFLICT */
  seek(name: string, next: Offset): void {
    this.#get(name).seek(next)
  }

  delete(name: string): void {
    const consumer = this.#consumers.get(name)
    if (consumer === undefined) return
    consumer.stop()
    this.#consumers.delete(name)
    this.#changed.delete(consumer)
    this.#deleted.add(name)
    this.#onChange()
  }

  stopAll(): void {
    for (const consumer of this.#consumers.values()) consumer.stop()
  }

  /**
   * Hands events that became safe to the followers that want them. They are the next ones in order, and the shelf has
   * them at hand. Who lags reads them later from the shelf.
   */
  publish(events: readonly StoredEvent[]): void {
    for (const stored of events) {
      this.#published = stored.offset + 1
      if (this.#followers.size > 0) this.#offer(stored)
      this.#offered = this.#published
    }
  }

  #offer(stored: StoredEvent): void {
    if (this.#selector === undefined) {
      for (const consumer of this.#followers.values()) consumer.offer(stored)
    } else {
      for (const name of this.#selector(stored.message)) this.#followers.get(name)?.offer(stored)
    }
  }

  /** What changed since the last call; the whole state of each, if `all`. */
  takeChanges(all: boolean): ConsumerChange[] {
    const changes: ConsumerChange[] = []
    for (const name of this.#deleted) {
      changes.push({ name, deleted: true, reset: true, next: 0, opened: [], settled: [] })
    }
    for (const consumer of all ? this.#consumers.values() : this.#changed) changes.push(consumer.takeChange(all))
    this.#deleted.clear()
    this.#changed.clear()
    return changes
  }

  #get(name: string): Consumer {
    const consumer = this.#consumers.get(name)
    if (consumer !== undefined) return consumer
    throw new KnodeError('NOT_FOUND', `stream "${this.#stream}" has no consumer "${name}"`)
  }
}
