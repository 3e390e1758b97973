// The second door: where events live. A stream is a durable log; a consumer is a named position in it.
import type { EventMessage } from '../../model/cloudevents/event.ts'

/** Position of an event in its stream: 0 for the first ever appended, rising by one. */
export type Offset = number

export interface EventTransport extends AsyncDisposable {
  /** Opens the stream, creating it if need be; new options replace old ones. */
  ensureStream(name: string, options?: StreamOptions): Promise<EventStream>
  /** The stream if it is there. */
  stream(name: string): EventStream | undefined
  /** Ends its consumers and removes its events. Fine when there is none. */
  deleteStream(name: string): Promise<void>
  /** Streams by name. */
  streams(): StreamInfo[]
}

export interface StreamOptions {
  /** Events older than this may go once no consumer needs them, in milliseconds. @default 86_400_000 (24 h) */
  retentionMs?: number
  /** Above this the oldest events may go once no consumer needs them, in bytes. @default 1_073_741_824 (1 GiB) */
  retentionBytes?: number
  /** Hard limit: above it `append` is refused until consumers move on, in bytes. @default 4_294_967_296 (4 GiB) */
  streamBytesMax?: number
}

/** Where a new or repositioned consumer starts: a time is milliseconds since 1970. */
export type StartFrom = 'earliest' | 'latest' | { offset: Offset } | { timeMs: number }

/**
 * Names the consumers that want an event. Asked once per event for all consumers that keep up; the event counts as
 * acknowledged for the others. Of one that reads at its own pace it is asked with that consumer as `only`: then nothing
 * but whether the answer has `only` matters. Must not throw.
 */
export type Selector = (message: EventMessage, only?: string) => ReadonlySet<string>

export interface EventStream {
  readonly name: string
  /**
   * Resolves when the event is as safe as the driver promises; appends that arrive together share one commit.
   * The caller must not change the message afterwards.
   * @throws {KnodeError} TRANSPORT_FULL (retryable) at the hard limit or on a full disk, TRANSPORT_FAILED when the
   * medium fails (retryable when nothing was written yet), TRANSPORT_CLOSED.
   */
  append(message: EventMessage): Promise<Offset>
  /** Replaces the selector; `undefined` hands every event to every consumer. */
  select(selector: Selector | undefined): void
  /**
   * Starts handing events to the named consumer, which is created at `from` if it is new; an old one goes on where its
   * acknowledgements stand. One consumption per name at a time: @throws {KnodeError} CONFLICT.
   */
  consume(consumer: string, options: ConsumeOptions): Promise<Consumption>
  /** Moves a consumer that is not consuming now. Its retry state is forgotten. @throws {KnodeError} NOT_FOUND */
  seek(consumer: string, to: StartFrom): Promise<void>
  /** Forgets the consumer, so that it keeps no event alive. Fine when there is none. */
  deleteConsumer(consumer: string): Promise<void>
  /** Stored events from `from` on, oldest first, up to the newest at the time of the call. For dry runs and views. */
  read(from: StartFrom): AsyncIterable<StoredEvent>
  info(): StreamInfo
}

export interface StoredEvent {
  offset: Offset
  /** When it was appended, in milliseconds since 1970. */
  appendedMs: number
  message: EventMessage
}

export interface ConsumeOptions {
  /** Where a consumer that does not exist yet starts. @default 'latest' */
  from?: StartFrom
  /** Deliveries handed over and not yet settled, at most. @default 100 */
  inFlightMax?: number
  /**
   * What the last consumption left unsettled is handed over at once and before all else, in the order of the stream:
   * also what waits for a retry, whose time `dueMs` tells. @default false
   */
  inOrder?: boolean
  /** Events taken and not settled, those that wait included, above which no new ones are handed over. @default 50_000 */
  unsettledMax?: number
  /** Takes a delivery; must settle it exactly once, at any later time. Must not throw. */
  handle: (delivery: Delivery) => void
  /** Told when `unsettledMax` is reached, and when there is room again, by a tenth of it. Must not throw. */
  onFull?: (isFull: boolean) => void
  /** An event that was to be handed over again can no longer be read: it counts as settled. Must not throw. */
  onLost?: (offset: Offset) => void
}

/**
 * An event on its way to one consumer. Settle it with exactly one of its methods; what comes after the first,
 * or after the event was handed over anew, has no effect.
 */
export interface Delivery extends StoredEvent {
  /** 1 for the first try; persisted, so that a restart does not start the count again. */
  readonly attempt: number
  /** When this try is wanted, in milliseconds since 1970. Later than now only for what is handed over in order. */
  readonly dueMs: number
  /** The consumer is done with the event: delivered, dead-lettered, or dropped for a told reason. */
  ack(): void
  /** Hand it over again after `delayMs`, with `attempt + 1`. It keeps its place in `inFlightMax` no longer. */
  retryLater(delayMs: number): void
  /**
   * Not tried: hand it over again, as it is, at `dueMs` if that is to come, else when {@link Consumption.recall} asks for
   * it. Until then it costs a position in memory and no place in `inFlightMax`.
   */
  setAside(): void
}

/**
 * A running consumption. Disposing it takes no more deliveries; those that are not settled by the time the consumer
 * starts again are handed over anew, with the same attempt.
 */
export interface Consumption extends AsyncDisposable {
  /** Stops handing over, keeping the position; `resume` goes on. */
  pause(): void
  resume(): void
  setInFlightMax(inFlightMax: number): void
  /** Hands over what was set aside, as soon as there is a place for it. Nothing when it was not. */
  recall(offset: Offset): void
}

export interface StreamInfo {
  name: string
  /** Offset of the oldest event kept, and of the next one to come. */
  firstOffset: Offset
  nextOffset: Offset
  bytes: number
  /** When the oldest event kept was appended, in milliseconds since 1970. */
  oldestMs?: number
  consumers: ConsumerInfo[]
  /** Events that were stored and can no longer be read, oldest first: told here, never handed over. */
  damaged: DamagedRange[]
}

/** Events lost to a damaged medium: the offsets from `fromOffset` up to, not including, `toOffset`. */
export interface DamagedRange {
  fromOffset: Offset
  toOffset: Offset
  /** The file, and where in it the damage begins, in bytes. */
  segment: string
  position: number
}

export interface ConsumerInfo {
  name: string
  /** The oldest event it has not settled. */
  position: Offset
  /** Events appended and not settled yet, those filtered out not counted when known. */
  lag: number
  inFlight: number
  /** Events waiting for a retry, or set aside. */
  retrying: number
  active: boolean
}
