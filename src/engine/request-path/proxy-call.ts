// One request on its way to a program and back: streamed both ways, bounded in time.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Dispatcher } from 'undici'
import type { CancelTimer, Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { ForwardOptions } from '../reconciler.ts'
import type { PodEndpoint, RequestTimeouts } from '../serving.ts'
import { answerHeaders, bodyBytesOf, requestHeaders, textOf } from './forwarded-headers.ts'
import type { HeaderRules } from './forwarded-headers.ts'
import { isDialFailure } from './pod-connections.ts'
import type { Exchange, OutgoingCall, PodConnections } from './pod-connections.ts'
import { RequestBody } from './request-body.ts'
import type { RequestTrace } from './request-trace.ts'
import type { Ticket } from './ticket-queue.ts'

export interface CallDeps {
  clock: Clock
  /** Absent: it may take as long as it likes. */
  timeouts?: RequestTimeouts
  headerRules: HeaderRules
  /** Nothing of the call is left, its place is free. */
  onDone: (call: ProxyCall) => void
  /** No connection could be made, and nothing was sent: somebody else may have it. */
  onUnsent: (ticket: Ticket, why: string) => void
}

/** Bodies up to this size, in bytes, are read before they are sent: one write costs less than a stream. */
const bufferedBodyBytesMax = 65_536

/** A request to a Service that waits for a Pod, or is with one. */
export class ProxyCall implements Ticket, OutgoingCall {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly startedMs: number
  answeredBytes = 0
  pod: PodEndpoint | undefined
  dialFailures = 0
  before: Ticket | undefined
  after: Ticket | undefined
  isQueued = false
  readonly trace: RequestTrace | undefined
  #deps: CallDeps
  #forward: ForwardOptions | undefined
  #exchange: Exchange | undefined
  /** The small body, once it was read. */
  #body: Buffer | null | undefined
  #cutBy: Error | undefined
  /** The answer under way has a Content-Length. */
  #hasLength = false
  #isFlushed = false
  #lastWriteMs = -Infinity
  #cancelTotal: CancelTimer | undefined
  #cancelStart: CancelTimer | undefined
  #cancelIdle: CancelTimer | undefined
  #isDone = false

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    deps: CallDeps,
    forward?: ForwardOptions,
    trace?: RequestTrace,
  ) {
    this.request = request
    this.response = response
    this.#deps = deps
    this.#forward = forward
    this.trace = trace
    this.startedMs = deps.clock.monotonicMs()
    if (deps.timeouts !== undefined) this.#setTimers(deps.timeouts)
    response.on('close', () => this.#end(new Error('the client has gone')))
  }

  /** True once it has been answered, or its client has gone: nothing needs to be sent any more. */
  get isDone(): boolean {
    return this.#isDone
  }

  /** Of the answer; 502 while there is none. */
  get status(): number {
    return this.response.headersSent ? this.response.statusCode : 502
  }

  /** Why there was no answer, or not all of it. */
  get failure(): string | undefined {
    return this.#cutBy?.message.trimEnd()
  }

  get method(): string {
    return this.request.method ?? 'GET'
  }

  get path(): string {
    return originForm(this.request.url ?? '/')
  }

  get rawTrailers(): readonly string[] {
    return this.request.rawTrailers
  }

  get isRepeatable(): boolean {
    return this.#body !== undefined
  }

  headers(): string[] {
    const { trace } = this
    const rules = this.#deps.headerRules
    if (trace === undefined) return requestHeaders(this.request, rules, this.#forward)
    return requestHeaders(this.request, rules, this.#forward, { trace: trace.headers })
  }

  send(connections: PodConnections): void {
    this.trace?.sent(this.pod!, connections)
    connections.send(this)
  }

  refuse(status: number, message: string): void {
    this.fail(status, `${message}\n`)
  }

  takeBody(take: (body: Buffer | RequestBody | null) => void): void {
    const { request } = this
    const length = bodyBytesOf(request)
    if (length === 0) this.#body = null
    if (this.#body !== undefined) take(this.#body)
    else if (length === undefined || length > bufferedBodyBytesMax) take(new RequestBody(request))
    else {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        this.#body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
        if (!this.#isDone) take(this.#body)
      })
    }
  }

  /** Answers with a plain text, unless an answer is under way: then it is cut. */
  fail(status: number, text: string): void {
    if (this.#isDone) return
    const { response } = this
    try {
      if (response.headersSent) response.destroy()
      else {
        if (!this.request.complete) response.shouldKeepAlive = false
        response.writeHead(status, plainText(text)).end(text)
        this.answeredBytes = Buffer.byteLength(text)
      }
    } catch {
      response.destroy()
    }
    this.#end(new Error(text))
  }

  onStart(exchange: Exchange): void {
    this.#exchange = exchange
    if (this.#cutBy !== undefined) exchange.abort(this.#cutBy)
  }

  onAnswer(status: number, rawHeaders: readonly (Buffer | string)[]): void {
    // Interim answers are between the program and us.
    if (status < 200 || this.#isDone) return
    const { response, request } = this
    this.#cancelStart?.()
    this.#touch()
    // Whoever was answered before the end of the body cannot use the connection again.
    if (!request.complete) response.shouldKeepAlive = false
    const { headers, hasLength } = answerHeaders(rawHeaders)
    this.#hasLength = hasLength
    try {
      response.writeHead(status, headers)
    } catch (thrown) {
      return this.#onBadAnswer(thrown)
    }
    // Mostly the body is right behind, and goes out with the head.
    process.nextTick(flushHead, this)
  }

  onData(chunk: Buffer): boolean {
    if (this.#isDone) return true
    this.answeredBytes += chunk.length
    this.#touch()
    this.#isFlushed = true
    const { response } = this
    try {
      if (response.write(chunk)) return true
    } catch (thrown) {
      this.#onBadAnswer(thrown)
      return true
    }
    response.once('drain', () => this.#exchange?.resume())
    return false
  }

  onEnd(rawTrailers: readonly (Buffer | string)[]): void {
    if (this.#isDone) return
    this.#isFlushed = true
    try {
      if (rawTrailers.length > 0) this.response.addTrailers(pairsOf(rawTrailers))
      this.response.end()
    } catch (thrown) {
      return this.#onBadAnswer(thrown)
    }
    this.#end()
  }

  onFailure(error: unknown, { isUnsent }: { isUnsent: boolean }): void {
    if (this.#isDone) return
    const why = `the program did not answer: ${messageOf(error)}`
    if (!isUnsent) return this.refuse(502, why)
    this.#exchange = undefined
    this.#deps.onUnsent(this, why)
  }

  flushHead(): void {
    if (this.#isFlushed || this.#isDone) return
    this.#isFlushed = true
    try {
      this.response.flushHeaders()
    } catch (thrown) {
      this.#onBadAnswer(thrown)
    }
  }

  // What undici calls.

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.onStart(controller)
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    this.onAnswer(status, (controller.rawHeaders ?? []) as Buffer[])
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.onData(chunk)) controller.pause()
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    this.onEnd((controller.rawTrailers ?? []) as Buffer[])
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    this.onFailure(error, { isUnsent: this.#exchange === undefined && isDialFailure(error) })
  }

  /** The program's protocol allowed what the client's does not. */
  #onBadAnswer(thrown: unknown): void {
    this.refuse(502, `the program’s answer cannot be passed on: ${messageOf(thrown)}`)
  }

  #setTimers({ totalMs, responseStartMs, idleMs }: RequestTimeouts): void {
    const { clock } = this.#deps
    const timeOut = (): void => this.#timeOut()
    this.#cancelTotal = clock.setTimer(totalMs, timeOut)
    // A start that may take as long as the whole is watched with it.
    if (responseStartMs !== undefined && responseStartMs < totalMs) {
      this.#cancelStart = clock.setTimer(responseStartMs, timeOut)
    }
    if (idleMs !== undefined) this.#watchIdle(idleMs, idleMs)
  }

  #watchIdle(idleMs: number, leftMs: number): void {
    const { clock } = this.#deps
    this.#cancelIdle = clock.setTimer(leftMs, () => {
      const restMs = this.#lastWriteMs + idleMs - clock.monotonicMs()
      if (restMs > 0) this.#watchIdle(idleMs, restMs)
      else this.#timeOut()
    })
  }

  #timeOut(): void {
    const { response } = this
    // Upstream's two hops tell by their words where the time was spent.
    const text = this.pod === undefined ? 'activator request timeout' : 'request timeout'
    if (!response.headersSent) return this.fail(504, text)
    // The status is out; the text at the end is all that can still be said.
    if (this.#hasLength) response.destroy()
    else response.end(text)
    this.#end(new Error(text))
  }

  #touch(): void {
    if (this.#cancelIdle !== undefined) this.#lastWriteMs = this.#deps.clock.monotonicMs()
  }

  #end(cutBy?: Error): void {
    if (this.#isDone) return
    this.#isDone = true
    this.#cancelTotal?.()
    this.#cancelStart?.()
    this.#cancelIdle?.()
    if (cutBy !== undefined) {
      this.#cutBy = cutBy
      this.#exchange?.abort(cutBy)
    }
    this.#deps.onDone(this)
  }
}

const flushHead = (call: ProxyCall): void => call.flushHead()

const plainText = (text: string): string[] => [
  'Content-Type',
  'text/plain; charset=utf-8',
  'Content-Length',
  String(Buffer.byteLength(text)),
]

function pairsOf(raw: readonly (Buffer | string)[]): [string, string][] {
  const pairs: [string, string][] = []
  for (let at = 0; at < raw.length; at += 2) {
    pairs.push([textOf(raw[at]!), textOf(raw[at + 1]!)])
  }
  return pairs
}

/** Clients that take the gateway for their proxy send whole URLs; programs expect paths. */
function originForm(url: string): string {
  if (url.startsWith('/')) return url
  const path = url.replace(/^[a-z]+:\/\/[^/?#]*/i, '')
  return path.startsWith('/') ? path : `/${path}`
}
