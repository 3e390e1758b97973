// A replay: stored events once more to one consumer's subscriber, beside its live delivery and off its position.
import { messageOf } from '../../base/errors.ts'
import type { StartFrom } from '../../ports/event-transport/port.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { ReplaySource } from './replay-source.ts'
import type { DispatchTelemetry } from './telemetry.ts'

/** Tells a subscriber that an event is replayed, and by its value in which replay. */
export const replayAttribute = 'knodereplay'

export interface ReplayOptions {
  /** Names the replay: the value of `knodereplay` on its events. */
  id: string
  from: StartFrom
  /** Only events appended before this moment, in milliseconds since 1970. @default all there are now */
  untilMs?: number
  /** Tries per second; the consumer's own rate stays the upper limit. @default the consumer's own, else unlimited */
  ratePerSecond?: number
  /** At most so many matching events. @default all */
  limit?: number
}

export interface ReplayCounts {
  /** Stored events looked at. */
  read: number
  /** Offsets that could not be read: damaged, or let go meanwhile. */
  missing: number
  /** Events that the consumer's filters want. */
  matched: number
  delivered: number
  deadLettered: number
  /** Failed with no dead letter sink to take them. */
  dropped: number
}

/** `done`: everything was seen to. Otherwise what was matched and is in none of the other counts was not delivered. */
export type ReplayEnd = { kind: 'done' } | { kind: 'stopped'; reason: string } | { kind: 'failed'; reason: string }

interface ReplayParts {
  source: ReplaySource
  /** One of its own, fed by `source`. */
  dispatcher: Dispatcher
  /** Of its own: live deliveries are counted apart. */
  telemetry: DispatchTelemetry
}

/** Nothing of it survives a restart. */
export class Replay {
  readonly id: string
  #parts: ReplayParts
  #stopped = Promise.withResolvers<ReplayEnd>()
  #running: Promise<ReplayEnd> | undefined

  constructor(id: string, parts: ReplayParts) {
    this.id = id
    this.#parts = parts
  }

  get counts(): ReplayCounts {
    const { telemetry, source } = this.#parts
    const { delivered, 'dead-lettered': deadLettered, dropped } = telemetry.outcomes
    return { ...source.seen, delivered, deadLettered, dropped }
  }

  /** Replays, and resolves when it has ended, however. Called again it tells of the same. */
  run(): Promise<ReplayEnd> {
    return (this.#running ??= this.#run())
  }

  /** Takes no more; what is being sent may finish for a while. */
  stop(reason: string): void {
    this.#stopped.resolve({ kind: 'stopped', reason })
  }

  async #run(): Promise<ReplayEnd> {
    const { dispatcher, source } = this.#parts
    const over = source.over.then(
      (): ReplayEnd => ({ kind: 'done' }),
      (error: unknown): ReplayEnd => ({ kind: 'failed', reason: messageOf(error) }),
    )
    await dispatcher.start(this.id)
    const end = await Promise.race([over, this.#stopped.promise])
    await dispatcher[Symbol.asyncDispose]()
    return end
  }
}
