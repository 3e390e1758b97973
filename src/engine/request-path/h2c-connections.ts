// HTTP/2 sessions to one Pod, without TLS and with prior knowledge, as gRPC servers expect it behind Knative.
import { connect, constants } from 'node:http2'
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2'
import { originOf } from './pod-connections.ts'
import type { Exchange, OutgoingCall, PodAddress, PodConnections } from './pod-connections.ts'
import type { RequestBody } from './request-body.ts'
import { valuesByName } from './values-by-name.ts'

/** Calls on one session at a time, when the program sets no limit of its own. */
const streamsMax = 100
/** What a program may send of one answer before its client has read it, in bytes. */
const streamWindowBytes = 262_144
/** Many slow clients must not stop a quick one on the same session: only the streams bound what is on its way. */
const sessionWindowBytes = 2 ** 31 - 1
/** What Node keeps for one session, in megabytes. */
const sessionMegabytesMax = 100
/** Of an answer's head and its trailers, as of requests. */
const headersMax = 1_000
const headerBytesMax = 1_048_576

const { NGHTTP2_CANCEL, NGHTTP2_FLAG_END_STREAM, NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM } = constants

/** A session that takes calls. */
interface Session {
  session: ClientHttp2Session
  streams: number
}

export class H2cConnections implements PodConnections {
  readonly host: string
  readonly port: number
  #sessions: Session[] = []
  /** As the program has said, or as it may say. */
  #streamsMax = streamsMax
  /** Those that end with their last call. */
  #ending = new Set<ClientHttp2Session>()

  constructor({ host, port }: PodAddress) {
    this.host = host
    this.port = port
  }

  send(call: OutgoingCall): void {
    call.takeBody((body) => {
      const held = this.#sessionWithRoom()
      held.streams++
      const isStreamed = body !== null && !Buffer.isBuffer(body)
      try {
        const options = { endStream: body === null, waitForTrailers: isStreamed }
        const stream = held.session.request(headersFor(call, this), options)
        stream.on('close', () => held.streams--)
        new H2cExchange(call, stream).send(body)
      } catch (thrown) {
        held.streams--
        const isUnsent = sessionErrors.has((thrown as NodeJS.ErrnoException).code ?? '')
        if (isUnsent) this.#retire(held)
        call.onFailure(thrown, { isUnsent })
      }
    })
  }

  close(): void {
    for (const held of this.#sessions) this.#retire(held)
  }

  destroy(): void {
    this.close()
    for (const session of this.#ending) session.destroy()
  }

  #sessionWithRoom(): Session {
    const found = this.#sessions.find(({ streams }) => streams < this.#streamsMax)
    if (found !== undefined) return found
    const session = connect(originOf(this), {
      maxSessionMemory: sessionMegabytesMax,
      maxHeaderListPairs: headersMax,
      settings: { enablePush: false, initialWindowSize: streamWindowBytes, maxHeaderListSize: headerBytesMax },
    })
    const held: Session = { session, streams: 0 }
    this.#sessions.push(held)
    session.on('connect', () => session.setLocalWindowSize(sessionWindowBytes))
    session.on('remoteSettings', ({ maxConcurrentStreams = streamsMax }) => {
      this.#streamsMax = Math.max(1, Math.min(maxConcurrentStreams, streamsMax))
    })
    session.on('goaway', () => this.#retire(held))
    session.on('close', () => {
      this.#retire(held)
      this.#ending.delete(session)
    })
    // Its calls hear of it.
    session.on('error', () => this.#retire(held))
    return held
  }

  /** It takes no more calls. */
  #retire(held: Session): void {
    if (!this.#sessions.includes(held)) return
    this.#sessions = this.#sessions.filter((other) => other !== held)
    const { session } = held
    if (session.destroyed) return
    this.#ending.add(session)
    session.close()
  }
}

/** What a session that has just ended says of a new call. */
const sessionErrors = new Set(['ERR_HTTP2_GOAWAY_SESSION', 'ERR_HTTP2_INVALID_SESSION'])

function headersFor(call: OutgoingCall, address: PodAddress): string[] {
  const given = call.headers()
  let authority = originOf(address).slice('http://'.length)
  const headers: string[] = []
  for (let at = 0; at < given.length; at += 2) {
    const name = given[at]!.toLowerCase()
    if (name === 'host') authority = given[at + 1]!
    else headers.push(name, given[at + 1]!)
  }
  // A gRPC server refuses clients that would not read its trailers; we do.
  headers.push('te', 'trailers')
  return [':method', call.method, ':scheme', 'http', ':authority', authority, ':path', call.path, ...headers]
}

/** One call on a session. */
class H2cExchange implements Exchange {
  #call: OutgoingCall
  #stream: ClientHttp2Stream
  #trailers: string[] = []
  #isAnswered = false
  #isOver = false
  #error: unknown

  constructor(call: OutgoingCall, stream: ClientHttp2Stream) {
    this.#call = call
    this.#stream = stream
  }

  send(body: Buffer | RequestBody | null): void {
    const call = this.#call
    const stream = this.#stream
    call.onStart(this)
    stream.on('response', (headers, flags, rawHeaders) => {
      this.#isAnswered = true
      call.onAnswer(headers[':status'] ?? 200, withoutPseudo(rawHeaders))
      // Head and end in one frame must stay so: in gRPC such a head is the trailers.
      if ((flags & NGHTTP2_FLAG_END_STREAM) !== 0) this.#finish()
    })
    stream.on('data', (chunk: Buffer) => {
      if (!this.#isOver && !call.onData(chunk)) stream.pause()
    })
    stream.on('trailers', (_trailers, _flags, rawHeaders) => (this.#trailers = rawHeaders))
    stream.on('end', () => {
      if (this.#isAnswered && stream.rstCode === NGHTTP2_NO_ERROR) this.#finish()
    })
    stream.on('error', (error) => (this.#error = error))
    stream.on('close', () => this.#onClose())
    this.#sendBody(body)
  }

  pause(): void {
    this.#stream.pause()
  }

  resume(): void {
    this.#stream.resume()
  }

  abort(reason: Error): void {
    this.#isOver = true
    // To close what has not ended would end it well first: the program would take a part for the whole.
    if (this.#stream.writableEnded) this.#stream.close(NGHTTP2_CANCEL)
    else this.#stream.destroy(reason)
  }

  #sendBody(body: Buffer | RequestBody | null): void {
    const stream = this.#stream
    if (body === null) return
    if (Buffer.isBuffer(body)) return void stream.end(body)
    stream.on('wantTrailers', () => stream.sendTrailers(asObject(this.#call.rawTrailers)))
    // Nothing is read of the client's body before there is somebody who takes it.
    if (stream.pending) stream.once('ready', () => body.pipe(stream))
    else body.pipe(stream)
    // The client went away in the middle: the program must not take what it has for the whole.
    body.on('error', (error) => stream.destroy(error))
    stream.on('close', () => body.destroy())
  }

  #finish(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#call.onEnd(this.#trailers)
  }

  #onClose(): void {
    if (this.#isOver) return
    this.#isOver = true
    const { rstCode } = this.#stream
    if (this.#isAnswered && rstCode === NGHTTP2_NO_ERROR && this.#error === undefined) return this.#finish()
    const error = this.#error ?? new Error(`the stream was closed with code ${rstCode ?? 0}`)
    // Without a number it never left this process.
    const isUnsent = this.#stream.id === undefined || this.#isRefused(rstCode)
    this.#call.onFailure((error as Error).cause ?? error, { isUnsent })
  }

  /** The program says that it has not looked at it (RFC 9113 section 8.7), and we can say it again. */
  #isRefused(rstCode: number | undefined): boolean {
    return rstCode === NGHTTP2_REFUSED_STREAM && !this.#isAnswered && this.#call.isRepeatable
  }
}

function withoutPseudo(rawHeaders: readonly string[]): string[] {
  const headers: string[] = []
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (!rawHeaders[at]!.startsWith(':')) headers.push(rawHeaders[at]!, rawHeaders[at + 1]!)
  }
  return headers
}

function asObject(raw: readonly string[]): Record<string, string[]> {
  const fields: [string, string][] = []
  for (let at = 0; at < raw.length; at += 2) fields.push([raw[at]!, raw[at + 1]!])
  return valuesByName(fields)
}
