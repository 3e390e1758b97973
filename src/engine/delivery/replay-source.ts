// Stored events as a consumption that leaves no trace: read once, in memory only, and over when all are settled.
import { setImmediate } from 'node:timers/promises'
import type { CancelTimer, Clock } from '../../base/clock.ts'
import type {
  Consumption,
  ConsumeOptions,
  Delivery,
  EventStream,
  Offset,
  StartFrom,
  StoredEvent,
} from '../../ports/event-transport/port.ts'

export interface ReplaySourceOptions {
  stream: Pick<EventStream, 'read'>
  from: StartFrom
  /** Only events appended before this moment, in milliseconds since 1970. */
  untilMs: number
  /** Wanted events, at most. */
  limit: number
  wants: (event: StoredEvent) => boolean
  /** The event as it is handed over. */
  marked: (event: StoredEvent) => StoredEvent
  /** Events in memory that wait for another try; while there are more, nothing is read. */
  retryingMax: number
  /** Events that are set aside or wait for another try, at most. */
  unsettledMax: number
  clock: Clock
}

/** Unwanted events looked at before others get a turn. */
const readsPerTurn = 256

export class ReplaySource {
  readonly seen = { read: 0, missing: 0, matched: 0 }
  #options: ReplaySourceOptions
  #handle: (delivery: Delivery) => void = () => undefined
  #inFlight = 0
  #inFlightMax = 0
  #isRead = false
  #isStopped = false
  #retries = new Set<CancelTimer>()
  /** Retries whose time has come. */
  #due: [StoredEvent, attempt: number][] = []
  /** What is set aside, and its attempt: it is read again. */
  #aside = new Map<Offset, number>()
  /** Events that were recalled and are being read. */
  #recalled = 0
  #reading: Promise<void> = Promise.resolve()
  #onRoom: (() => void) | undefined
  #onLost: (offset: Offset) => void = () => undefined
  #over = Promise.withResolvers<void>()

  constructor(options: ReplaySourceOptions) {
    this.#options = options
  }

  /** Resolves when every event is settled. @throws what reading throws */
  get over(): Promise<void> {
    return this.#over.promise
  }

  /** Begins. The name of a consumer means nothing here. */
  consume(_consumer: string, options: ConsumeOptions): Promise<Consumption> {
    const { handle, inFlightMax = 100, onLost = () => undefined } = options
    this.#handle = handle
    this.#onLost = onLost
    this.#inFlightMax = inFlightMax
    this.#readAll().then(
      () => {
        this.#isRead = true
        this.#settled()
      },
      (error: unknown) => this.#over.reject(error),
    )
    const stop = (): void => this.#stop()
    return Promise.resolve({
      pause: stop,
      resume: () => undefined,
      recall: (offset) => this.#recall(offset),
      setInFlightMax: (max) => {
        this.#inFlightMax = max
        this.#handDue()
      },
      [Symbol.asyncDispose]: () => Promise.resolve(stop()),
    })
  }

  #stop(): void {
    this.#isStopped = true
    for (const cancel of this.#retries) cancel()
    this.#onRoom?.()
  }

  async #readAll(): Promise<void> {
    const { stream, from, untilMs, limit, wants, marked } = this.#options
    const { seen } = this
    let expected: Offset | undefined
    for await (const stored of stream.read(from)) {
      if (this.#isStopped || stored.appendedMs >= untilMs) return
      seen.missing += stored.offset - (expected ?? stored.offset)
      expected = stored.offset + 1
      if (++seen.read % readsPerTurn === 0) await setImmediate()
      if (!wants(stored)) continue
      while (!this.#isStopped && !this.#hasRoom) await new Promise<void>((resolve) => (this.#onRoom = resolve))
      if (this.#isStopped) return
      seen.matched++
      this.#hand(marked(stored), 1)
      if (seen.matched >= limit) return
    }
  }

  get #hasRoom(): boolean {
    const { retryingMax, unsettledMax } = this.#options
    const retrying = this.#retries.size + this.#due.length
    return this.#inFlight < this.#inFlightMax && retrying <= retryingMax && retrying + this.#aside.size < unsettledMax
  }

  #hand(stored: StoredEvent, attempt: number): void {
    this.#inFlight++
    this.#handle(this.#delivery(stored, attempt))
  }

  #delivery(stored: StoredEvent, attempt: number): Delivery {
    let isSettled = false
    const settle = (then?: () => void): void => {
      if (isSettled) return
      isSettled = true
      this.#inFlight--
      then?.()
      this.#settled()
    }
    const retry = (delayMs: number): void => {
      // Being sent when the end came.
      if (this.#isStopped) return
      const cancel = this.#options.clock.setTimer(delayMs, () => {
        this.#retries.delete(cancel)
        this.#due.push([stored, attempt + 1])
        this.#handDue()
      })
      this.#retries.add(cancel)
    }
    return {
      ...stored,
      attempt,
      dueMs: 0,
      ack: () => settle(),
      retryLater: (delayMs) => settle(() => retry(delayMs)),
      setAside: () => settle(() => void this.#aside.set(stored.offset, attempt)),
    }
  }

  #recall(offset: Offset): void {
    const attempt = this.#aside.get(offset)
    if (attempt === undefined) return
    this.#aside.delete(offset)
    this.#recalled++
    // One after the other, as they were asked for.
    this.#reading = this.#reading.then(() => this.#readAgain(offset, attempt))
  }

  async #readAgain(offset: Offset, attempt: number): Promise<void> {
    try {
      const event = await this.#readOne(offset)
      this.#recalled--
      if (event === undefined) this.#onLost(offset)
      else this.#due.push([this.#options.marked(event), attempt])
      this.#settled()
    } catch (error) {
      this.#over.reject(error)
    }
  }

  async #readOne(offset: Offset): Promise<StoredEvent | undefined> {
    for await (const stored of this.#options.stream.read({ offset })) {
      return stored.offset === offset ? stored : undefined
    }
    return undefined
  }

  #settled(): void {
    this.#handDue()
    const left = this.#inFlight + this.#retries.size + this.#due.length + this.#aside.size + this.#recalled
    if (this.#isRead && left === 0) this.#over.resolve()
  }

  /** What was tried before goes first. */
  #handDue(): void {
    while (!this.#isStopped && this.#inFlight < this.#inFlightMax) {
      const next = this.#due.shift()
      if (next === undefined) break
      this.#hand(...next)
    }
    if (this.#hasRoom) this.#onRoom?.()
  }
}
