// HTTP/2, with TLS and without: everybody behind sees requests as HTTP/1.1 has them.
import { createServer, Http2ServerResponse } from 'node:http2'
import type { Http2ServerRequest, ServerHttp2Session } from 'node:http2'
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { valuesByName } from './values-by-name.ts'

export interface Http2DoorOptions {
  onRequest: (request: IncomingMessage, response: ServerResponse) => void
  /** Largest head of a request, in bytes. */
  headerBytesMax: number
  headersMax: number
  /** How long a connection without a request is kept, in milliseconds. */
  idleMs: number
}

interface ConnectionTaker {
  emit(event: 'connection', socket: Socket): boolean
}

/** Requests of one connection at a time: Go's default. */
const streamsMax = 250
/** What a client may send of one body before the program has read it, in bytes. */
const streamWindowBytes = 262_144
/** One slow program must not stop the others of the same connection: only the streams bound what is on its way. */
const sessionWindowBytes = 2 ** 31 - 1
/** What Node keeps for one session, in megabytes. */
const sessionMegabytesMax = 100

export class Http2Door {
  #options: Http2DoorOptions
  #server: ConnectionTaker
  #sessions = new Set<ServerHttp2Session>()
  #isClosing = false

  constructor(options: Http2DoorOptions) {
    this.#options = options
    this.#server = this.#makeServer()
  }

  /** Speaks HTTP/2 on a connection whose data has not begun to flow. */
  take(socket: Socket): void {
    this.#server.emit('connection', socket)
  }

  /** No further requests: each connection ends with its last one. */
  close(): void {
    this.#isClosing = true
    for (const session of this.#sessions) session.close()
  }

  destroy(): void {
    this.close()
    for (const session of this.#sessions) session.destroy()
  }

  #makeServer(): ConnectionTaker {
    const { headerBytesMax, headersMax, onRequest } = this.#options
    const server = createServer({
      maxHeaderListPairs: headersMax + 4,
      maxSessionMemory: sessionMegabytesMax,
      settings: {
        maxConcurrentStreams: streamsMax,
        initialWindowSize: streamWindowBytes,
        maxHeaderListSize: headerBytesMax,
      },
      Http2ServerResponse: Answer,
    })
    server.on('session', (session: ServerHttp2Session) => this.#onSession(session))
    server.on('request', (request, response) => {
      Object.defineProperty(request, 'rawHeaders', { value: asHttp1(request) })
      // Both sides hear of the end by their own events.
      request.on('error', () => undefined)
      response.stream.once('finish', () => endUpload(request))
      onRequest(request as unknown as IncomingMessage, response as unknown as ServerResponse)
    })
    return server
  }

  #onSession(session: ServerHttp2Session): void {
    if (this.#isClosing) return session.close()
    this.#sessions.add(session)
    session.setLocalWindowSize(sessionWindowBytes)
    session.setTimeout(this.#options.idleMs, () => session.close())
    session.on('close', () => this.#sessions.delete(session))
    // Its streams hear of it.
    session.on('error', () => session.destroy())
  }
}

/** Raw headers as HTTP/1.1 would have them. */
function asHttp1({ rawHeaders, stream }: Http2ServerRequest): string[] {
  const headers: string[] = []
  const cookies: string[] = []
  let authority: string | undefined
  let host: string | undefined
  let hasLength = false
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!
    const value = rawHeaders[at + 1]!
    if (name === ':authority') authority = value
    else if (name === 'host') host = value
    // Clients may send each on its own; HTTP/1.1 knows one header of it (RFC 9113 section 8.2.3).
    else if (name === 'cookie') cookies.push(value)
    else if (!name.startsWith(':')) headers.push(name, value)
    hasLength ||= name === 'content-length'
  }
  const named = authority ?? host
  if (named !== undefined) headers.unshift('host', named)
  if (cookies.length > 0) headers.push('cookie', cookies.join('; '))
  if (!hasLength && !stream.endAfterHeaders) headers.push('transfer-encoding', 'chunked')
  return headers
}

/** Whoever was answered before the end of the body need not send the rest. */
function endUpload({ stream, complete }: Http2ServerRequest): void {
  if (!complete) setImmediate(() => stream.close())
}

type HeadersGiven = OutgoingHttpHeaders | readonly string[]

/** Sends no head before it must, so that an answer without body is one frame: gRPC tells errors that way. */
class Answer extends Http2ServerResponse {
  #given: { status: number; headers: HeadersGiven } | undefined
  #isTried = false

  override writeHead(status: number, headers?: HeadersGiven | string): this {
    if (typeof headers === 'object') {
      // What could not be sent makes way for what says so.
      if (this.#isTried) for (const name of this.getHeaderNames()) this.removeHeader(name)
      this.#given = { status, headers }
      return this
    }
    // Node itself asks for the head now.
    this.#isTried = true
    const { status: givenStatus, headers: givenHeaders } = this.#given ?? { status, headers: {} }
    return super.writeHead(givenStatus, givenHeaders as OutgoingHttpHeaders)
  }

  override addTrailers(trailers: OutgoingHttpHeaders | readonly (readonly [string, string])[]): void {
    if (!isPairs(trailers)) return super.addTrailers(trailers)
    super.addTrailers(valuesByName(trailers))
  }

  /** What was sent of the answer is not all of it. */
  override destroy(): this {
    // Closing the stream would end it well first; an error resets it.
    return super.destroy(new Error('the answer was cut off'))
  }
}

const isPairs = (trailers: object): trailers is readonly (readonly [string, string])[] => Array.isArray(trailers)
