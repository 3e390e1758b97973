// A subscriber for tests that answers exactly as told, down to single bytes.
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

export interface ReceivedRequest {
  /** Method and path: `POST /orders`. */
  line: string
  /** By lower-case name; of duplicates the last. */
  headers: Record<string, string>
  body: string
  /** Counts connections from 1, to tell whether one was used again. */
  connection: number
}

/** An HTTP answer, or bytes: after them the connection is closed, left silent, or ready for the next request. */
export type ScriptedAnswer =
  | { status: number; headers?: Record<string, string>; body?: string }
  | { bytes: string; after: 'close' | 'silence' | 'next' }

export type Script = (request: ReceivedRequest, count: number) => ScriptedAnswer | Promise<ScriptedAnswer>

export interface ScriptedSubscriber extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  url: string
  requests: ReceivedRequest[]
  /** Connections open now. */
  readonly connections: number
}

/** Listens on a free port. `script` gets each request and its number, from 1. */
export async function startSubscriber(script: Script): Promise<ScriptedSubscriber> {
  const requests: ReceivedRequest[] = []
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer((socket) => {
    const connection = ++connections
    let pending: Buffer = Buffer.alloc(0)
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk])
      for (let taken = takeRequest(pending); taken !== undefined; taken = takeRequest(pending)) {
        pending = taken.rest
        const request = { ...taken.request, connection }
        requests.push(request)
        void Promise.resolve(script(request, requests.length)).then((answer) => write(socket, answer))
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    get connections() {
      return sockets.size
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

function takeRequest(bytes: Buffer): { request: Omit<ReceivedRequest, 'connection'>; rest: Buffer } | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const [first = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n')
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const colon = line.indexOf(':')
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim()
  }
  const bodyAt = end + 4
  const length = Number(headers['content-length'] ?? 0)
  if (bytes.length < bodyAt + length) return undefined
  const body = bytes.toString('utf8', bodyAt, bodyAt + length)
  return { request: { line: first.replace(/ HTTP\/1\.1$/, ''), headers, body }, rest: bytes.subarray(bodyAt + length) }
}

function write(socket: Socket, answer: ScriptedAnswer): void {
  if (socket.destroyed) return
  if ('bytes' in answer) {
    if (answer.after === 'close') socket.end(answer.bytes, 'latin1')
    else if (answer.bytes !== '') socket.write(answer.bytes, 'latin1')
    return
  }
  const { status, headers = {}, body = '' } = answer
  const lines = Object.entries({ 'content-length': String(Buffer.byteLength(body)), ...headers })
  socket.write(
    `HTTP/1.1 ${status} Answer\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`,
  )
}
