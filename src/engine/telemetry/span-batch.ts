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

export interface SpanBatchOptions {
  resource: Attributes
  version: string
  exporter: Exporter
  /** Counts spans by `outcome`: `sent`, `dropped`. */
  counter: Counter
  clock: Clock
  log: Logger
}

/** Spans that wait; more are dropped. */
const waitingMax = 2_048
/** Spans of one message. */
const batchMax = 512
/** How long a span waits for company, in milliseconds. */
const delayMs = 5_000
/** How long a batch is tried, in milliseconds. */
const batchMs = 60_000
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
  #isClosing = false

  constructor(options: SpanBatchOptions) {
    this.#options = options
  }

  add(span: FinishedSpan): void {
    if (this.#isClosing || this.#waiting.length >= waitingMax) return this.#drop(1)
    this.#waiting.push(span)
    if (this.#sending !== undefined) return
    if (this.#waiting.length >= batchMax) this.#begin()
    else this.#cancel ??= this.#options.clock.setTimer(delayMs, () => this.#begin())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosing = true
    const { exporter } = this.#options
    await exporter.close(async () => {
      await this.#sending
      while (this.#waiting.length > 0) if (!(await this.#sendSome())) break
    })
    this.#drop(this.#waiting.length)
    this.#waiting = []
    this.#tellDropped()
    this.#cancel?.()
  }

  #begin(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#sending = this.#sendAll()
  }

  /** Full batches one after the other; what is left waits for company. */
  async #sendAll(): Promise<void> {
    do await this.#sendSome()
    while (this.#waiting.length >= batchMax && !this.#isClosing)
    // At once: what is added from now on has nobody else who sends it.
    this.#sending = undefined
    if (this.#waiting.length > 0 && !this.#isClosing) {
      this.#cancel = this.#options.clock.setTimer(delayMs, () => this.#begin())
    }
  }

  async #sendSome(): Promise<boolean> {
    const { exporter, resource, version, counter, log } = this.#options
    const spans = this.#waiting.slice(0, batchMax)
    this.#waiting = this.#waiting.slice(batchMax)
    let isTaken = false
    try {
      isTaken = await exporter.send(writeTracesRequest({ resource, version, spans }), { withinMs: batchMs })
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
    if (clock.monotonicMs() - this.#toldAtMs >= toldMs) this.#tellDropped()
  }

  #tellDropped(): void {
    if (this.#dropped === 0) return
    const { clock, log } = this.#options
    log.warn('spans were dropped: they could not be sent fast enough', { spans: this.#dropped })
    this.#dropped = 0
    this.#toldAtMs = clock.monotonicMs()
  }
}
