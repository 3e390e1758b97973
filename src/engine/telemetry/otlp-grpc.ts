// OTLP by gRPC: one unary call, without TLS by HTTP/2 with prior knowledge. Source: OpenTelemetry protocol
// specification, "OTLP/gRPC"; gRPC over HTTP2.
import { connect, constants } from 'node:http2'
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2'
import { gunzipSync } from 'node:zlib'
import type { CancelTimer, Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import { readPartialSuccess, readRetryDelayMs } from '../../model/otlp/export-response.ts'
import { answerBytesMax, encoded, userAgent } from './otlp-client.ts'
import type { ExportResult, OtlpClient, OtlpClientOptions } from './otlp-client.ts'

const grpcOk = 0
const grpcResourceExhausted = 8
/** CANCELLED, DEADLINE_EXCEEDED, ABORTED, OUT_OF_RANGE, UNAVAILABLE, DATA_LOSS. */
const retriable = new Set([1, 4, 10, 11, 14, 15])
/** Compression flag and length before each message. */
const prefixBytes = 5

export function createGrpcClient(options: OtlpClientOptions, clock: Clock): OtlpClient {
  const connection = new Connection(options)
  return {
    async send(message, withinMs) {
      const { path, headers, compression } = options
      const timeoutMs = Math.min(options.timeoutMs, withinMs)
      let cancel: CancelTimer | undefined
      try {
        const body = await encoded(message, compression)
        let call: Call | undefined
        cancel = clock.setTimer(timeoutMs, () => {
          call?.fail(`no answer within ${timeoutMs} ms`)
          // Who fell silent may be gone, of which TCP hears many minutes later: the next call takes a new connection.
          connection.drop()
        })
        const stream = connection.session().request({
          ...headers,
          ':method': 'POST',
          ':path': path,
          te: 'trailers',
          'content-type': 'application/grpc',
          'user-agent': userAgent,
          'grpc-accept-encoding': 'gzip',
          ...(compression === 'gzip' && { 'grpc-encoding': compression }),
        })
        call = new Call(stream)
        const prefix = Buffer.alloc(prefixBytes)
        prefix.writeUInt8(compression === 'gzip' ? 1 : 0)
        prefix.writeUInt32BE(body.length, 1)
        stream.end(Buffer.concat([prefix, body]))
        return await call.result
      } catch (error) {
        return { kind: 'later', reason: messageOf(error) }
      } finally {
        cancel?.()
      }
    },
    [Symbol.asyncDispose]() {
      connection.end()
      return Promise.resolve()
    },
  }
}

/** One session, as long as it lasts. */
class Connection {
  #options: OtlpClientOptions
  #session: ClientHttp2Session | undefined
  /** Also those whose last call is under way. */
  #sessions = new Set<ClientHttp2Session>()
  #isOver = false

  constructor(options: OtlpClientOptions) {
    this.#options = options
  }

  /** @throws {Error} after the end */
  session(): ClientHttp2Session {
    if (this.#isOver) throw new Error('the connection was closed')
    if (this.#session?.destroyed === false) return this.#session
    const { origin, ca } = this.#options
    const session = connect(origin, { ...(ca !== undefined && { ca }) })
    this.#sessions.add(session)
    // Nobody lives on for the sake of being watched.
    session.unref()
    const retire = (): void => {
      if (this.#session === session) this.#session = undefined
    }
    // Its calls hear of it.
    session.on('error', retire)
    session.on('goaway', retire)
    session.on('close', () => {
      retire()
      this.#sessions.delete(session)
    })
    return (this.#session = session)
  }

  /** Cuts what is under way. */
  drop(): void {
    for (const session of this.#sessions) session.destroy()
    this.#session = undefined
  }

  end(): void {
    this.#isOver = true
    this.drop()
  }
}

class Call {
  readonly result: Promise<ExportResult>
  #stream: ClientHttp2Stream
  #resolve: (result: ExportResult) => void
  #headers: IncomingHttpHeaders = {}
  #chunks: Buffer[] = []
  #bytes = 0
  #error: Error | undefined

  constructor(stream: ClientHttp2Stream) {
    const { promise, resolve } = Promise.withResolvers<ExportResult>()
    this.result = promise
    this.#resolve = resolve
    this.#stream = stream
    // The status is in the trailers, or with the head when there is nothing else.
    stream.on('response', (headers) => (this.#headers = headers))
    stream.on('trailers', (trailers) => (this.#headers = { ...this.#headers, ...trailers }))
    stream.on('data', (chunk: Buffer) => {
      this.#bytes += chunk.length
      if (this.#bytes <= answerBytesMax) this.#chunks.push(chunk)
    })
    stream.on('error', (error: Error) => (this.#error = error))
    stream.on('close', () => resolve(this.#read()))
  }

  fail(reason: string): void {
    this.#resolve({ kind: 'later', reason })
    this.#stream.close(constants.NGHTTP2_CANCEL)
  }

  #read(): ExportResult {
    const { 'grpc-status': statusText, 'grpc-message': text = '' } = this.#headers
    const httpStatus = Number(this.#headers[':status'] ?? 0)
    if (httpStatus === 0) {
      const error = (this.#error as { cause?: unknown } | undefined)?.cause ?? this.#error
      return { kind: 'later', reason: error === undefined ? 'the stream was closed' : messageOf(error) }
    }
    if (statusText === undefined) {
      const reason = `answered ${httpStatus} without a gRPC status`
      return httpStatus === 429 || httpStatus >= 502 ? { kind: 'later', reason } : { kind: 'refused', reason }
    }
    const status = Number(statusText)
    if (status === grpcOk) {
      const partial = readPartialSuccess(this.#message())
      return { kind: 'taken', ...(partial !== undefined && { partial }) }
    }
    const reason = `gRPC status ${status}${text === '' ? '' : `: ${unescaped(String(text))}`}`
    const delayMs = this.#retryDelayMs()
    const isRetriable = retriable.has(status) || (status === grpcResourceExhausted && delayMs !== undefined)
    return isRetriable
      ? { kind: 'later', reason, ...(delayMs !== undefined && { delayMs }) }
      : { kind: 'refused', reason }
  }

  /** Receivers answer compressed as they were spoken to. What cannot be read is as good as nothing. */
  #message(): Uint8Array {
    const answer = Buffer.concat(this.#chunks)
    const message = answer.subarray(prefixBytes)
    if (answer[0] !== 1) return message
    try {
      return gunzipSync(message, { maxOutputLength: answerBytesMax })
    } catch {
      return new Uint8Array()
    }
  }

  #retryDelayMs(): number | undefined {
    const details = this.#headers['grpc-status-details-bin']
    return typeof details === 'string' ? readRetryDelayMs(Buffer.from(details, 'base64')) : undefined
  }
}

/** Percent-encoded, in UTF-8. */
function unescaped(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
