// Spans on their way out: in batches, never more than so many at a time. Source: OpenTelemetry specification, trace/sdk,
// "Batching processor", whose limits these are.
import type { CancelTimer, Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import type { Counter } from '../../base/metrics.ts'
import type { Attributes } from '../../model/otlp/common.ts'
import type { FinishedSpan } from '../../model/otlp/span.ts'
import { writeTracesRequest } from '../../model/otlp/traces-request.ts'
import type { Exporter } from './exporter.ts'

export interface BatchLimits {
  /** How long a span waits for company, in milliseconds. */
  delayMs: number
  /** How long a batch is tried, in milliseconds. */
  exportMs: number
  /** Spans that wait; more are dropped. */
  waitingMax: number
  /** Spans of one message, at most `waitingMax`. */
  batchMax: number
}

export interface SpanBatchOptions {
  resource: Attributes
  version: string
  exporter: Exporter
  limits: BatchLimits
  /** Counts spans by `outcome`: `sent`, `dropped`. */
  counter: Counter
  clock: Clock
  log: Logger
}

/** How often dropped spans are told, at most, in milliseconds. */
const toldMs = 60_000

/** Disposing sends what waits. */
export class SpanBatch implements AsyncDisposable {
  #options: SpanBatchOptions
  #waiting: FinishedSpan[] = []
  #cancel: CancelTimer | undefined
  #sending: Promise<void> | undefined
  #dropped = 0
  #toldAtMs = -Infinity
  #cancelTelling: CancelTimer | undefined
  #isClosing = false

  constructor(options: SpanBatchOptions) {
    this.#options = options
  }

  /** After the end it is only counted. */
  add(span: FinishedSpan): void {
    const { limits, clock, counter } = this.#options
    if (this.#isClosing) return counter.add(1, { outcome: 'dropped' })
    if (this.#waiting.length >= limits.waitingMax) return this.#drop(1)
    this.#waiting.push(span)
    if (this.#sending !== undefined) return
    if (this.#waiting.length >= limits.batchMax) this.#begin()
    else this.#cancel ??= clock.setTimer(limits.delayMs, () => this.#begin())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosing = true
    this.#cancel?.()
    this.#cancel = undefined
    const { exporter } = this.#options
    await exporter.close(async () => {
      await this.#sending
      while (this.#waiting.length > 0) if (!(await this.#sendSome())) break
    })
    this.#drop(this.#waiting.length)
    this.#waiting = []
    this.#tellDropped()
  }

  #begin(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#sending = this.#sendAll()
  }

  /** Full batches one after the other; what is left waits for company. */
  async #sendAll(): Promise<void> {
    const { limits, clock } = this.#options
    do await this.#sendSome()
    while (this.#waiting.length >= limits.batchMax && !this.#isClosing)
    // At once: what is added from now on has nobody else who sends it.
    this.#sending = undefined
    if (this.#waiting.length > 0 && !this.#isClosing) {
      this.#cancel = clock.setTimer(limits.delayMs, () => this.#begin())
    }
  }

  async #sendSome(): Promise<boolean> {
    const { exporter, limits, resource, version, counter, log } = this.#options
    const spans = this.#waiting.slice(0, limits.batchMax)
    this.#waiting = this.#waiting.slice(limits.batchMax)
    let isTaken = false
    try {
      isTaken = await exporter.send(writeTracesRequest({ resource, version, spans }), { withinMs: limits.exportMs })
    } catch (thrown) {
      log.error('spans could not be written', { reason: messageOf(thrown) })
    }
    if (isTaken) counter.add(spans.length, { outcome: 'sent' })
    else this.#drop(spans.length)
    return isTaken
  }

  #drop(count: number): void {
    if (count === 0) return
    const { counter, clock } = this.#options
    counter.add(count, { outcome: 'dropped' })
    this.#dropped += count
    const leftMs = this.#toldAtMs + toldMs - clock.monotonicMs()
    if (leftMs <= 0) this.#tellDropped()
    else this.#cancelTelling ??= clock.setTimer(leftMs, () => this.#tellDropped())
  }

  #tellDropped(): void {
    this.#cancelTelling?.()
    this.#cancelTelling = undefined
    if (this.#dropped === 0) return
    const { clock, log } = this.#options
    log.warn('spans were dropped: they could not be sent fast enough', { spans: this.#dropped })
    this.#dropped = 0
    this.#toldAtMs = clock.monotonicMs()
  }
}
