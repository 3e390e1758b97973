// One request and its whole answer over kept-alive connections. The seam where leaner HTTP code can take undici's place.
import { rootCertificates } from 'node:tls'
import { Client } from 'undici'
import type { Dispatcher } from 'undici'
import { messageOf } from '../../base/errors.ts'
import type { Clock } from '../../base/clock.ts'
import { Deadlines } from './deadlines.ts'
import type { Limited } from './deadlines.ts'
import type { DeliveryLimits } from './limits.ts'
import { errorTypeOf } from './no-answer.ts'
import type { ErrorType } from './no-answer.ts'

export interface HttpRequest {
  /** @default 'POST' */
  method?: 'POST' | 'OPTIONS'
  /** Scheme, host and port to connect to. */
  origin: string
  /** Requests of one pool share connections, and the bound on them. Names one origin and one set of certificates. */
  pool: string
  path: string
  /** By name, or name, value, name, value …; `host` included; values of one character a byte. */
  headers: Record<string, string> | string[]
  body: Uint8Array | undefined
  /** For connecting, sending and reading the whole answer; waiting for a free connection is not counted. */
  timeoutMs: number
  CACerts?: string | undefined
  signal?: AbortSignal | undefined
}

/** Header values are as read from the wire: one character a byte. */
type AnswerHeaders = Readonly<Record<string, string | string[] | undefined>>

export interface HttpAnswer {
  kind: 'answer'
  status: number
  headers: AnswerHeaders
  body: Uint8Array
  /** There was more than `answerBytesMax`; `body` is the beginning. */
  bodyCut: boolean
}

/** Refused, reset, no such host, not HTTP, timed out, aborted. */
export interface NoAnswer {
  kind: 'no-answer'
  reason: string
  /** @default 'other' */
  errorType?: ErrorType
}

export interface HttpClient extends AsyncDisposable {
  /** Redirects are not followed. Never throws. */
  exchange(request: HttpRequest): Promise<HttpAnswer | NoAnswer>
}

type ClientLimits = Pick<
  DeliveryLimits,
  'answerBytesMax' | 'answerHeaderBytesMax' | 'socketsPerHostMax' | 'socketIdleMs'
>

/** A client whose timeouts run on `clock`. Disposing it cuts what is going on. */
export function createHttpClient({ clock, limits }: { clock: Clock; limits: ClientLimits }): HttpClient {
  const pools = new Map<string, HostPool>()
  const deadlines = new Deadlines(clock)
  return {
    exchange(request) {
      const { pool: name } = request
      let pool = pools.get(name)
      if (pool === undefined) {
        pool = new HostPool(request, { clock, limits, deadlines, onUnused: () => void pools.delete(name) })
        pools.set(name, pool)
      }
      return pool.exchange(request)
    },
    async [Symbol.asyncDispose]() {
      for (const pool of pools.values()) pool.close()
    },
  }
}

interface PoolDeps {
  clock: Clock
  limits: ClientLimits
  deadlines: Deadlines
  onUnused: () => void
}

type Settle = (result: HttpAnswer | NoAnswer) => void

/** Connections to one origin, each with one request at a time; the one used last is used next. */
class HostPool {
  #origin: string
  #CACerts: string | undefined
  #deps: PoolDeps
  #idle: Connection[] = []
  #open = new Set<Connection>()
  #waiting: (() => void)[] = []
  #busy = 0
  #closed = false

  constructor({ origin, CACerts }: HttpRequest, deps: PoolDeps) {
    this.#origin = origin
    this.#CACerts = CACerts
    this.#deps = deps
  }

  exchange(request: HttpRequest): Promise<HttpAnswer | NoAnswer> {
    return new Promise((settle) => {
      if (this.#busy >= this.#deps.limits.socketsPerHostMax) {
        this.#waiting.push(() => this.#start(request, settle, this.#idle.pop()))
      } else {
        this.#busy++
        this.#start(request, settle, this.#idle.pop())
      }
    })
  }

  close(): void {
    this.#closed = true
    for (const connection of this.#open) connection.destroy()
  }

  /** Sends over the idle connection, or over a fresh one. */
  #start(request: HttpRequest, settle: Settle, idle: Connection | undefined): void {
    if (this.#closed) {
      return this.#finish(settle, { kind: 'no-answer', reason: 'the HTTP client is closed', errorType: 'aborted' })
    }
    const connection = idle ?? this.#connect()
    connection.exchange(request, (result) => {
      this.#release(connection)
      if (result !== 'stale') return this.#finish(settle, result)
      // The other side closed the idle connection while the request was on its way: once more, on a fresh one.
      if (idle !== undefined) return this.#start(request, settle, undefined)
      this.#finish(settle, { kind: 'no-answer', reason: 'other side closed', errorType: 'closed' })
    })
  }

  #finish(settle: Settle, result: HttpAnswer | NoAnswer): void {
    settle(result)
    // A waiting request takes this one's place, so that `#busy` stays.
    const next = this.#waiting.shift()
    if (next !== undefined) queueMicrotask(next)
    else this.#busy--
    this.#tellIfUnused()
  }

  #connect(): Connection {
    const connection = new Connection(this.#origin, this.#CACerts, this.#deps, () => {
      const at = this.#idle.indexOf(connection)
      if (at < 0) return
      this.#idle.splice(at, 1)
      this.#drop(connection)
    })
    this.#open.add(connection)
    return connection
  }

  #release(connection: Connection): void {
    if (connection.reusable && !this.#closed) this.#idle.push(connection)
    else this.#drop(connection)
  }

  #drop(connection: Connection): void {
    this.#open.delete(connection)
    connection.destroy()
    this.#tellIfUnused()
  }

  #tellIfUnused(): void {
    if (this.#busy === 0 && this.#open.size === 0) this.#deps.onUnused()
  }
}

/** One connection, opened by its first request. */
class Connection {
  #client: Client
  #deps: PoolDeps
  #connected = false
  /** Requests answered over the connection as it is now. */
  #answered = 0

  constructor(origin: string, CACerts: string | undefined, deps: PoolDeps, onClosed: () => void) {
    this.#deps = deps
    const { limits } = deps
    this.#client = new Client(origin, {
      pipelining: 1,
      allowH2: false,
      // The timer of the exchange bounds the whole exchange.
      headersTimeout: 0,
      bodyTimeout: 0,
      connectTimeout: 0,
      keepAliveTimeout: limits.socketIdleMs,
      keepAliveMaxTimeout: limits.socketIdleMs,
      maxHeaderSize: limits.answerHeaderBytesMax,
      ...(CACerts !== undefined && { connect: { ca: [...rootCertificates, CACerts] } }),
    })
    this.#client.on('connect', () => {
      this.#connected = true
      this.#answered = 0
    })
    this.#client.on('disconnect', () => {
      this.#connected = false
      onClosed()
    })
  }

  get reusable(): boolean {
    return this.#connected && this.#answered > 0
  }

  exchange(request: HttpRequest, settle: (result: HttpAnswer | NoAnswer | 'stale') => void): void {
    const exchange = new Exchange(request, this.#deps, this.#answered > 0, (result) => {
      if (typeof result === 'object' && result.kind === 'answer') this.#answered++
      settle(result)
    })
    const { method = 'POST', path, headers, body } = request
    try {
      this.#client.dispatch({ method, path, headers, body: body ?? null }, exchange)
    } catch (error) {
      exchange.fail(messageOf(error), 'no_request')
    }
  }

  // Not waited for: a process about to end may have nothing else that keeps it running until the promise settles.
  destroy(): void {
    void this.#client.destroy()
  }
}

const noBytes = Buffer.alloc(0)

/** Gathers one answer; the first of answer, failure, timeout and abort wins. */
class Exchange implements Dispatcher.DispatchHandler, Limited {
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
    { clock, limits, deadlines }: PoolDeps,
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
