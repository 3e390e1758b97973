// One request on its way to a program and back: streamed both ways, bounded in time.
import { PassThrough } from 'node:stream'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Dispatcher } from 'undici'
import type { CancelTimer, Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import { requestHeaders, responseHeaders } from './forwarded-headers.ts'

/** How long a request may take. Source: knative/serving pkg/http/handler/timeout.go. */
export interface RequestTimeouts {
  /** From the request's arrival to its end, waiting for an instance included, in milliseconds. */
  totalMs: number
  /** Until the first byte of the answer. */
  responseStartMs?: number
  /** Between two writes of the answer, and before the first. */
  idleMs?: number
}

/** Bodies up to this size, in bytes, are read before they are sent: one write costs less than a stream. */
const bufferedBodyBytesMax = 65_536

/** Why a call is cut off. */
class CallTimeout extends Error {}

export interface ProxyCallDeps {
  clock: Clock
  timeouts: RequestTimeouts
}

/**
 * The answer's side of a request to a Service. `send` forwards it to an instance; `fail` answers without one. `onDone`
 * is called once, when nothing of it is left.
 */
export class ProxyCall implements Dispatcher.DispatchHandler {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  #deps: ProxyCallDeps
  #controller: Dispatcher.DispatchController | undefined
  #cutBy: Error | undefined
  /** The answer under way has a Content-Length. */
  #hasLength = false
  #cancelTotal: CancelTimer
  #cancelStart: CancelTimer | undefined
  #cancelIdle: CancelTimer | undefined
  #onDone: () => void
  #isDone = false

  constructor(request: IncomingMessage, response: ServerResponse, deps: ProxyCallDeps, onDone: () => void) {
    this.request = request
    this.response = response
    this.#deps = deps
    this.#onDone = onDone
    const { clock, timeouts } = deps
    const timeOut = (): void => this.#timeOut()
    this.#cancelTotal = clock.setTimer(timeouts.totalMs, timeOut)
    if (timeouts.responseStartMs !== undefined) this.#cancelStart = clock.setTimer(timeouts.responseStartMs, timeOut)
    this.#touch()
    response.on('close', () => this.#end(new Error('the client has gone')))
  }

  /** True once it has been answered, or its client has gone: nothing needs to be sent any more. */
  get isDone(): boolean {
    return this.#isDone
  }

  send(pool: Dispatcher): void {
    const { request } = this
    const length = request.headers['content-length']
    if (request.headers['transfer-encoding'] === undefined && (length === undefined || length === '0')) {
      this.#dispatch(pool, null)
    } else if (length !== undefined && Number(length) <= bufferedBodyBytesMax) {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => this.#dispatch(pool, chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)))
    } else {
      // A stream of our own in between: the client's connection must survive a program that does not read to the end.
      const body = request.pipe(new PassThrough())
      body.on('error', () => request.unpipe(body))
      body.on('close', () => request.resume())
      this.#dispatch(pool, body)
    }
  }

  /** Answers with a plain text, unless an answer is under way: then it is cut. */
  fail(status: number, message: string): void {
    if (this.#isDone) return
    const { response } = this
    if (response.headersSent) response.destroy()
    else {
      if (!this.request.complete) response.shouldKeepAlive = false
      response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${message}\n`)
    }
    this.#end(new Error(message))
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#cutBy !== undefined) controller.abort(this.#cutBy)
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    // Interim answers are between the program and us.
    if (status < 200 || this.#isDone) return
    const { response, request } = this
    this.#cancelStart?.()
    this.#touch()
    // Whoever was answered before the end of the body cannot use the connection again.
    if (!request.complete) response.shouldKeepAlive = false
    const headers = responseHeaders((controller.rawHeaders ?? []) as Buffer[])
    this.#hasLength = headers.some((name, at) => at % 2 === 0 && name.toLowerCase() === 'content-length')
    response.writeHead(status, headers)
    response.flushHeaders()
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#touch()
    if (this.response.write(chunk)) return
    controller.pause()
    this.response.once('drain', () => controller.resume())
  }

  onResponseEnd(
    _controller: Dispatcher.DispatchController,
    trailers: Record<string, string | string[] | undefined>,
  ): void {
    const present = Object.entries(trailers).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
    if (present.length > 0) this.response.addTrailers(present)
    this.response.end()
    this.#end()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.fail(502, `the program did not answer: ${messageOf(error)}`)
  }

  #dispatch(pool: Dispatcher, body: Buffer | PassThrough | null): void {
    if (this.#isDone) return
    const { request } = this
    const method = request.method as Dispatcher.HttpMethod
    try {
      pool.dispatch({ method, path: originForm(request.url ?? '/'), headers: requestHeaders(request), body }, this)
    } catch (thrown) {
      this.fail(502, `the request cannot be forwarded: ${messageOf(thrown)}`)
    }
  }

  #timeOut(): void {
    const { response } = this
    if (!response.headersSent) return this.fail(504, 'request timeout')
    // The status is out; the text at the end is all that can still be said.
    if (this.#hasLength) response.destroy()
    else response.end('request timeout')
    this.#end(new CallTimeout('request timeout'))
  }

  #touch(): void {
    const { clock, timeouts } = this.#deps
    if (timeouts.idleMs === undefined) return
    this.#cancelIdle?.()
    this.#cancelIdle = clock.setTimer(timeouts.idleMs, () => this.#timeOut())
  }

  #end(cutBy?: Error): void {
    if (this.#isDone) return
    this.#isDone = true
    this.#cancelTotal()
    this.#cancelStart?.()
    this.#cancelIdle?.()
    if (cutBy !== undefined) {
      this.#cutBy = cutBy
      this.#controller?.abort(cutBy)
    }
    this.#onDone()
  }
}

/** Clients that take the gateway for their proxy send whole URLs; programs expect paths. */
function originForm(url: string): string {
  if (url.startsWith('/')) return url
  const path = url.replace(/^[a-z]+:\/\/[^/?#]*/i, '')
  return path.startsWith('/') ? path : `/${path}`
}
