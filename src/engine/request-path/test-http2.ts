// For tests: programs that speak HTTP/2, clients of it with TLS and without, and as much of gRPC's framing as an echo needs.
import { connect, createServer } from 'node:http2'
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'

export interface H2cProgram extends AsyncDisposable {
  port: number
  /** Sessions that are open now. */
  sessions: () => number
}

type OnStream = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void

/** A program that speaks HTTP/2 only. */
export async function startH2cProgram(onStream: OnStream, settings = {}): Promise<H2cProgram> {
  const server = createServer({ settings })
  const sessions = new Set<{ destroy(): void }>()
  server.on('session', (session) => {
    sessions.add(session)
    session.on('close', () => sessions.delete(session))
  })
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined)
    onStream(stream, headers)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    sessions: () => sessions.size,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const session of sessions) session.destroy()
      await closed
    },
  }
}

export interface H2cClient extends Disposable {
  session: ClientHttp2Session
  request(headers: Record<string, string>, options?: { endStream?: boolean }): ClientHttp2Stream
}

/** With `tls` the client speaks it, and knows the server by that name. */
export function connectH2c(port: number, tls?: { ca: string; servername: string }): H2cClient {
  const session = connect(`${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`, tls)
  session.on('error', () => undefined)
  return {
    session,
    request(headers, options) {
      const stream = session.request({ ':authority': 'echo.default.example.com', ...headers }, options)
      stream.on('error', () => undefined)
      return stream
    },
    [Symbol.dispose]: () => session.destroy(),
  }
}

export interface H2cAnswer {
  status: number
  headers: IncomingHttpHeaders
  trailers: IncomingHttpHeaders
  body: Buffer
  /** The head was the end: in gRPC, nothing but trailers. */
  isHeadOnly: boolean
}

/** Reads an answer to its end. @throws when the stream was reset. */
export function readH2c(stream: ClientHttp2Stream): Promise<H2cAnswer> {
  return new Promise((resolve, reject) => {
    const answer: H2cAnswer = { status: 0, headers: {}, trailers: {}, body: Buffer.alloc(0), isHeadOnly: false }
    const chunks: Buffer[] = []
    stream.on('response', (headers, flags) => {
      Object.assign(answer, { status: headers[':status'], headers, isHeadOnly: (flags & 1) === 1 })
    })
    stream.on('trailers', (trailers) => (answer.trailers = trailers))
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('close', () => {
      if (stream.rstCode !== 0) return reject(new Error(`reset with code ${stream.rstCode}`))
      resolve({ ...answer, body: Buffer.concat(chunks) })
    })
  })
}

/** A message in gRPC's frame: not compressed, its length, itself. */
export function frame(text: string): Buffer {
  const head = Buffer.alloc(5)
  const message = Buffer.from(text)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

/** Finds the messages in pieces of a stream. */
export class FrameReader {
  #rest = Buffer.alloc(0)

  read(piece: Buffer): string[] {
    this.#rest = Buffer.concat([this.#rest, piece])
    const messages: string[] = []
    while (this.#rest.length >= 5 && this.#rest.length >= 5 + this.#rest.readUInt32BE(1)) {
      const end = 5 + this.#rest.readUInt32BE(1)
      messages.push(this.#rest.subarray(5, end).toString())
      this.#rest = this.#rest.subarray(end)
    }
    return messages
  }
}

/** Answers each message of a gRPC call with itself in capitals, or with the error that the path `/fail` asks for. */
export const grpcEcho: OnStream = (stream, headers) => {
  if (headers[':path'] === '/fail') {
    stream.respond({ 'content-type': 'application/grpc', 'grpc-status': '5', 'grpc-message': 'no such thing' }, failed)
    return
  }
  stream.respond({ 'content-type': 'application/grpc', 'x-te': headers.te ?? '' }, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'grpc-message': 'fine' }))
  const reader = new FrameReader()
  stream.on('data', (piece: Buffer) => {
    for (const message of reader.read(piece)) stream.write(frame(message.toUpperCase()))
  })
  stream.on('end', () => stream.end())
}

const failed = { endStream: true }
