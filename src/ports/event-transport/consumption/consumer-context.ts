// What a consumer is given by its stream, and what it tells a driver that stores it.
import type { Clock } from '../../../base/clock.ts'
import type { EventMessage } from '../../../model/cloudevents/event.ts'
import type { Offset } from '../port.ts'
import type { Consumer } from './consumer.ts'
import type { WaitingEvent } from './due-queue.ts'
import type { Shelf } from './shelf.ts'

/** What a consumer needs of its stream. */
export interface ConsumerContext {
  readonly stream: string
  readonly shelf: Shelf
  readonly clock: Clock
  /** Everything below is the past, and at hand on the shelf. */
  published(): Offset
  /** Everything below was offered to the consumers that follow the tail: in the middle of a fan-out, the last event was not. */
  offered(): Offset
  wants(consumer: string, message: EventMessage): boolean
  /** The consumer reached the tail: from now on events are offered to it. */
  follow(consumer: Consumer): void
  unfollow(consumer: Consumer): void
  /** Something changed that a durable driver wants to store. */
  changed(consumer: Consumer): void
}

/** What changed in a consumer's persistent state since it was last asked. */
export interface ConsumerChange {
  name: string
  deleted: boolean
  /** Forget all open events first. */
  reset: boolean
  /** The first offset never handed over; `following`: where the stream's tail is at the time of the change. */
  next: Offset | 'following'
  /** New or changed open events, ascending if `reset`. Those in flight are due at once. */
  opened: WaitingEvent[]
  settled: Offset[]
}
