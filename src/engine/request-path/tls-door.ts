// TLS on the gateway's port: the name that a client asks for decides which certificate it is shown, and what comes after
// the handshake goes the way of plain HTTP.
import type { Socket } from 'node:net'
import { createServer } from 'node:tls'
import type { Server, TLSSocket } from 'node:tls'
import type { CancelTimer, Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/log.ts'
import type { CertificateTable } from '../reconciler.ts'

export interface TlsDoorOptions {
  certificates: Pick<CertificateTable, 'find'>
  /** Longest time from the first byte to the end of the handshake, in milliseconds. */
  handshakeMs: number
  /** The handshake is done: `socket.alpnProtocol` is `h2`, or else it speaks HTTP/1.1. */
  onConnection: (socket: TLSSocket) => void
  clock: Clock
  log: Logger
}

/** What OpenSSL says when it has no certificate to show: by TLS 1.3 and by TLS 1.2. */
const noCertificate: ReadonlySet<string | undefined> = new Set([
  'ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM',
  'ERR_SSL_NO_SHARED_CIPHER',
])
/** Names without certificate that were told of already. */
const toldMax = 1_000

export class TlsDoor {
  #options: TlsDoorOptions
  /** Made for the first client that wants it: most gateways never see one. */
  #server: Server | undefined
  /** Connections whose handshake goes on, by their other end. */
  #starting = new Map<string, { socket: Socket; cancel: CancelTimer }>()
  #told = new Set<string>()

  constructor(options: TlsDoorOptions) {
    this.#options = options
  }

  /** Shakes hands on a connection whose data has not begun to flow. */
  take(socket: Socket): void {
    const { clock, handshakeMs } = this.#options
    // Gone already: nobody would hear of its end.
    if (socket.remotePort === undefined) return void socket.destroy()
    const peer = peerOf(socket)
    this.#starting.set(peer, { socket, cancel: clock.setTimer(handshakeMs, () => socket.destroy()) })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      if (this.#starting.get(peer)?.socket === socket) this.#forget(peer)
    })
    this.#server ??= this.#makeServer()
    this.#server.emit('connection', socket)
  }

  /** Cuts handshakes that are not done; the other connections belong to those who took them. */
  close(): void {
    for (const { socket } of this.#starting.values()) socket.destroy()
  }

  #makeServer(): Server {
    const { certificates, onConnection } = this.#options
    const server = createServer({
      ALPNProtocols: ['h2', 'http/1.1'],
      // The clock's timer is the bound.
      handshakeTimeout: 0,
      // Without one there is no certificate at all: the client is told that the handshake failed.
      SNICallback: (name, done) => done(null, certificates.find(name.toLowerCase())),
    })
    server.on('secureConnection', (socket: TLSSocket) => {
      this.#forget(peerOf(socket))
      onConnection(socket)
    })
    server.on('tlsClientError', (err, socket) => this.#onFailure(err, String(socket.servername ?? '')))
    return server
  }

  #forget(peer: string): void {
    this.#starting.get(peer)?.cancel()
    this.#starting.delete(peer)
  }

  /** Who scans us must not fill the log: a host without certificate is told of once, and the rest is for who asks. */
  #onFailure(err: NodeJS.ErrnoException, host: string): void {
    const { certificates, log } = this.#options
    const isRefused =
      noCertificate.has(err.code) && (host === '' || certificates.find(host.toLowerCase()) === undefined)
    if (!isRefused || this.#told.has(host)) return log.debug('a TLS handshake failed', { host, err })
    if (this.#told.size >= toldMax) this.#told.clear()
    this.#told.add(host)
    const why = host === '' ? 'it names no host' : 'no Ingress has a certificate for the host it names'
    log.warn(`a TLS client was refused: ${why}`, { host })
  }
}

const peerOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`
