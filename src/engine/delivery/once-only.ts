// Takes each event of a Broker once, by source and id; the stream's own history is what it remembers after a restart.
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/log.ts'
import type { CloudEvent } from '../../model/cloudevents/event.ts'
import type { EventStream } from '../../ports/event-transport/port.ts'
import type { AcceptResult } from '../reconciler.ts'
import { EventMemory, identityOf } from './event-memory.ts'

export interface OnceOnlyOptions {
  stream: Pick<EventStream, 'name' | 'read'>
  /** For how long an event is remembered, in milliseconds. */
  windowMs: number
  /** Identities remembered at once. */
  entriesMax: number
  clock: Clock
  log: Logger
}

export class OnceOnly {
  #options: OnceOnlyOptions
  #memory: EventMemory
  /** What is being stored now, by identity. */
  #pending = new Map<string, Promise<AcceptResult>>()
  #isLoaded = false
  #loading: Promise<void> | undefined
  #isShort = false

  constructor(options: OnceOnlyOptions) {
    this.#options = options
    this.#memory = new EventMemory(options)
  }

  /** Reads what the stream still holds of the window; `take` waits for it. @throws when the stream cannot be read */
  load(): Promise<void> {
    return (this.#loading ??= this.#read().catch((error: unknown) => {
      this.#loading = undefined
      throw error
    }))
  }

  /**
   * Calls `store`, which must not throw, unless the event is there already. While an equal one is being stored, its
   * outcome is waited for: had it failed, this one is stored in its place.
   * @throws what `load` throws
   */
  async take(event: CloudEvent, store: () => Promise<AcceptResult>): Promise<AcceptResult | 'duplicate'> {
    if (!this.#isLoaded) await this.load()
    const { clock } = this.#options
    const key = identityOf(event)
    for (let pending = this.#pending.get(key); pending !== undefined; pending = this.#pending.get(key)) await pending
    if (this.#memory.has(key, clock.now())) return 'duplicate'
    const storing = store()
    this.#pending.set(key, storing)
    const result = await storing
    this.#pending.delete(key)
    if (result.status < 300) this.#remember(key, clock.now())
    return result
  }

  async #read(): Promise<void> {
    const { stream, windowMs, clock, log } = this.#options
    const startedMs = clock.monotonicMs()
    for await (const { appendedMs, message } of stream.read({ timeMs: clock.now() - windowMs })) {
      this.#remember(identityOf(message.event), appendedMs)
    }
    this.#isLoaded = true
    const facts = { stream: stream.name, events: this.#memory.size, tookMs: clock.monotonicMs() - startedMs }
    log.debug('read which events a Broker has taken', facts)
  }

  #remember(key: string, storedMs: number): void {
    if (!this.#memory.add(key, storedMs) || this.#isShort) return
    this.#isShort = true
    const { stream, log, entriesMax } = this.#options
    log.warn('more events than can be told apart: old duplicates are taken for new', {
      stream: stream.name,
      entriesMax,
    })
  }
}
