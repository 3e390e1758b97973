// One request on its way over one connection, until its answer is whole or there will be none.
import type { Dispatcher } from 'undici'
import type { Clock } from '../../base/clock.ts'
import type { Deadlines, Limited } from './deadlines.ts'
import type { AnswerHeaders, HttpAnswer, HttpRequest, NoAnswer } from './http-client.ts'
import type { DeliveryLimits } from './limits.ts'
import { errorTypeOf } from './no-answer.ts'
import type { ErrorType } from './no-answer.ts'

interface ExchangeDeps {
  clock: Clock
  limits: Pick<DeliveryLimits, 'answerBytesMax'>
  deadlines: Deadlines
}

const noBytes = Buffer.alloc(0)

/** Gathers one answer; the first of answer, failure, timeout and abort wins. */
export class Exchange implements Dispatcher.DispatchHandler, Limited {
  place = -1
  readonly deadlineMs: number
  readonly signal: AbortSignal | undefined
  #settle: ((result: HttpAnswer | NoAnswer | 'stale') => void) | undefined
  #controller: Dispatcher.DispatchController | undefined
  #reused: boolean
  #bytesMax: number
  #timeoutMs: number
  #deadlines: Deadlines
  #started = false
  #status = 0
  #headers: AnswerHeaders = {}
  #chunks: Buffer[] = []
  #bytes = 0

  constructor(
    { timeoutMs, signal }: HttpRequest,
    { clock, limits, deadlines }: ExchangeDeps,
    reused: boolean,
    settle: (result: HttpAnswer | NoAnswer | 'stale') => void,
  ) {
    this.#settle = settle
    this.#reused = reused
    this.#bytesMax = limits.answerBytesMax
    this.#timeoutMs = timeoutMs
    this.#deadlines = deadlines
    this.deadlineMs = clock.monotonicMs() + timeoutMs
    this.signal = signal
    if (signal?.aborted === true) this.abort()
    else deadlines.watch(this)
  }

  expire(): void {
    this.#cut(`no complete answer within ${this.#timeoutMs} ms`, 'timeout')
  }

  abort(): void {
    this.#cut('aborted', 'aborted')
  }

  /** Ends the exchange without an answer. */
  fail(reason: string, errorType: ErrorType): void {
    this.#finish({ kind: 'no-answer', reason, errorType })
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#settle === undefined) controller.abort(new Error('given up before it could be sent'))
  }

  onResponseStarted(): void {
    this.#started = true
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: AnswerHeaders): void {
    // An informational answer is followed by the real one.
    this.#status = status
    this.#headers = headers
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const room = this.#bytesMax - this.#bytes
    this.#chunks.push(chunk.length > room ? chunk.subarray(0, room) : chunk)
    this.#bytes += Math.min(chunk.length, room)
    if (chunk.length <= room) return
    this.#answer(true)
    controller.abort(new Error(`answer longer than ${this.#bytesMax} bytes`))
  }

  onResponseEnd(): void {
    this.#answer(false)
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#reused && !this.#started && isClosedSocket(error)) this.#finish('stale')
    else this.fail(reasonOf(error), errorTypeOf(error))
  }

  #answer(bodyCut: boolean): void {
    // Copied, so that a reply kept for long does not keep the whole of the socket's read buffer.
    const body = this.#bytes === 0 ? noBytes : Buffer.concat(this.#chunks, this.#bytes)
    this.#finish({ kind: 'answer', status: this.#status, headers: this.#headers, body, bodyCut })
  }

  #cut(reason: string, errorType: ErrorType): void {
    this.fail(reason, errorType)
    this.#controller?.abort(new Error(reason))
  }

  #finish(result: HttpAnswer | NoAnswer | 'stale'): void {
    const settle = this.#settle
    if (settle === undefined) return
    this.#settle = undefined
    this.#deadlines.leave(this)
    settle(result)
  }
}

const codeOf = (error: Error): unknown => (error as { code?: unknown }).code
const isClosedSocket = (error: Error): boolean =>
  ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'].includes(String(codeOf(error)))

function reasonOf(error: Error): string {
  // Several addresses refused: the first says it.
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return error.errors[0].message
  return error.message === '' ? error.name : error.message
}
