// One request and its whole answer over kept-alive connections. The seam where leaner HTTP code can take undici's place.
import type { LookupFunction, Socket } from 'node:net'
import { rootCertificates } from 'node:tls'
import { buildConnector, Client } from 'undici'
import { messageOf } from '../../base/errors.ts'
import type { Clock } from '../../base/clock.ts'
import { Deadlines } from './deadlines.ts'
import type { Limited } from './deadlines.ts'
import { Exchange } from './http-exchange.ts'
import type { DeliveryLimits } from './limits.ts'
import type { ErrorType } from './no-answer.ts'
import { sharedLookup } from './shared-lookup.ts'

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
export type AnswerHeaders = Readonly<Record<string, string | string[] | undefined>>

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

export interface HttpClientOptions {
  clock: Clock
  limits: ClientLimits
  /** Finds hosts. @default the system's, shared by those who ask at the same time */
  lookup?: LookupFunction
}

/** A client whose timeouts run on `clock`. Disposing it cuts what is going on. */
export function createHttpClient({ clock, limits, lookup = sharedLookup() }: HttpClientOptions): HttpClient {
  const pools = new Map<string, HostPool>()
  const deadlines = new Deadlines(clock)
  return {
    exchange(request) {
      const { pool: name } = request
      let pool = pools.get(name)
      if (pool === undefined) {
        pool = new HostPool(request, { clock, limits, deadlines, lookup, onUnused: () => void pools.delete(name) })
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
  lookup: LookupFunction
  onUnused: () => void
}

const aborted: NoAnswer = { kind: 'no-answer', reason: 'aborted', errorType: 'aborted' }

type Settle = (result: HttpAnswer | NoAnswer) => void

/** Connections to one origin, each with one request at a time; the one used last is used next. */
class HostPool {
  #origin: string
  #CACerts: string | undefined
  #deps: PoolDeps
  #idle: Connection[] = []
  #open = new Set<Connection>()
  #waiting = new Set<WaitingRequest>()
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
        this.#wait(request, settle)
      } else {
        this.#busy++
        this.#start(request, settle, this.#idle.pop())
      }
    })
  }

  #wait(request: HttpRequest, settle: Settle): void {
    const { signal } = request
    if (signal?.aborted === true) return settle(aborted)
    const waiting = new WaitingRequest(signal, this.#deps.deadlines, (isCut) => {
      this.#waiting.delete(waiting)
      if (isCut) settle(aborted)
      else this.#start(request, settle, this.#idle.pop())
    })
    this.#waiting.add(waiting)
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
    const [next] = this.#waiting
    if (next === undefined) this.#busy--
    else {
      this.#waiting.delete(next)
      next.go()
    }
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

/** Waits for a connection, or to be aborted; how long it takes is for nobody to say. */
class WaitingRequest implements Limited {
  place = -1
  readonly deadlineMs = Infinity
  readonly signal: AbortSignal | undefined
  #deadlines: Deadlines
  #end: (isCut: boolean) => void

  constructor(signal: AbortSignal | undefined, deadlines: Deadlines, end: (isCut: boolean) => void) {
    this.signal = signal
    this.#deadlines = deadlines
    this.#end = end
    deadlines.watch(this)
  }

  /** Its turn has come. What aborts it from now on, the exchange sees. */
  go(): void {
    this.#deadlines.leave(this)
    queueMicrotask(() => this.#end(false))
  }

  abort(): void {
    this.#deadlines.leave(this)
    this.#end(true)
  }

  expire(): void {
    this.abort()
  }
}

/** One connection, opened by its first request. */
class Connection {
  #client: Client
  #deps: PoolDeps
  /** From when it is being opened on. */
  #socket: Socket | undefined
  #connected = false
  /** Requests answered over the connection as it is now. */
  #answered = 0

  constructor(origin: string, CACerts: string | undefined, deps: PoolDeps, onClosed: () => void) {
    this.#deps = deps
    const { limits } = deps
    const open = buildConnector({
      allowH2: false,
      // The timer of the exchange bounds it.
      timeout: 0,
      lookup: deps.lookup,
      ...(CACerts !== undefined && { ca: [...rootCertificates, CACerts] }),
    }) as (...args: Parameters<buildConnector.connector>) => Socket
    this.#client = new Client(origin, {
      pipelining: 1,
      allowH2: false,
      // The timer of the exchange bounds the whole exchange.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: (options, opened) => void (this.#socket = open(options, opened)),
      keepAliveTimeout: limits.socketIdleMs,
      keepAliveMaxTimeout: limits.socketIdleMs,
      maxHeaderSize: limits.answerHeaderBytesMax,
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
    // Who answers before the request is sent may never read the rest of it, nor what would follow.
    return this.#connected && this.#answered > 0 && this.#socket?.writableLength === 0
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
    // A client does not let go of what it is still opening.
    if (!this.#connected) this.#socket?.destroy(new Error('given up before it was open'))
  }
}
