// The gateway's port: HTTP/1.1, HTTP/2 and TLS on one. A connection is TLS when it begins like a handshake, and HTTP/2
// when it begins with HTTP/2's preface (RFC 9113 section 3.3, prior knowledge); under TLS they agree on it (ALPN).
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { readFirstBytes, tlsHandshake } from '../../base/first-bytes.ts'
import { Http2Door } from './http2-door.ts'
import type { Http2DoorOptions } from './http2-door.ts'
import { TlsDoor } from './tls-door.ts'
import type { TlsDoorOptions } from './tls-door.ts'

export interface ConnectionDoorOptions extends Http2DoorOptions, Omit<TlsDoorOptions, 'onConnection'> {
  /** Longest time until a connection shows what it speaks, in milliseconds. */
  headersMs: number
}

type Protocol = 'http1' | 'http2' | 'tls'

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1')

/** Makes `server` take HTTP/2 and TLS as well; to be called before it listens. */
export class ConnectionDoor {
  #options: ConnectionDoorOptions
  #http1: (socket: Socket) => void
  #http2: Http2Door
  #tls: TlsDoor
  /** Connections that have not shown yet what they speak. */
  #unknown = new Set<Socket>()

  constructor(server: Server, options: ConnectionDoorOptions) {
    this.#options = options
    this.#http2 = new Http2Door(options)
    this.#tls = new TlsDoor({
      ...options,
      onConnection: (socket) =>
        socket.alpnProtocol === 'h2' ? this.#http2.take(socket) : this.#listen(socket, httpVersionOf),
    })
    const listeners = server.listeners('connection') as ((socket: Socket) => void)[]
    this.#http1 = (socket) => {
      for (const listener of listeners) listener.call(server, socket)
    }
    server.removeAllListeners('connection')
    server.on('connection', (socket: Socket) => this.#listen(socket, protocolOf))
  }

  /** No further requests: each connection ends with its last one. */
  close(): void {
    for (const socket of this.#unknown) socket.destroy()
    this.#tls.close()
    this.#http2.close()
  }

  /** Ends what speaks HTTP/2; the other connections are the server's. */
  destroy(): void {
    this.close()
    this.#http2.destroy()
  }

  #listen(socket: Socket, tell: (seen: Buffer) => Protocol | undefined): void {
    const { clock, headersMs } = this.#options
    const known = (): void => {
      this.#unknown.delete(socket)
      socket.off('close', known)
    }
    this.#unknown.add(socket)
    socket.on('close', known)
    readFirstBytes(socket, {
      tell,
      take: (protocol) => {
        known()
        this.#take(socket, protocol)
      },
      clock,
      waitMsMax: headersMs,
    })
  }

  #take(socket: Socket, protocol: Protocol): void {
    if (protocol === 'http1') {
      this.#http1(socket)
      return void socket.resume()
    }
    // Only HTTP/1.1 knows clients that have said all and still listen; the end of any other is the end of both ways.
    socket.allowHalfOpen = false
    if (protocol === 'tls') this.#tls.take(socket)
    else this.#http2.take(socket)
  }
}

const protocolOf = (seen: Buffer): Protocol | undefined => (seen[0] === tlsHandshake ? 'tls' : httpVersionOf(seen))

function httpVersionOf(seen: Buffer): 'http1' | 'http2' | undefined {
  const length = Math.min(seen.length, preface.length)
  if (!seen.subarray(0, length).equals(preface.subarray(0, length))) return 'http1'
  return length < preface.length ? undefined : 'http2'
}
