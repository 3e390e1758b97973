// One port for HTTP and HTTPS: the first byte of a connection tells which it is. Go clients send a token of a kubeconfig
// only over TLS, while scripts and browsers on this machine need no certificate over plain HTTP.
import { createServer as createHttpServer } from 'node:http'
import type { RequestListener } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import type { Clock } from '../../../base/clock.ts'
import { KnodeError } from '../../../base/errors.ts'
import { readFirstBytes, tlsHandshake } from '../../../base/first-bytes.ts'
import type { Logger } from '../../../base/log.ts'
import { startListening } from '../../../base/start-listening.ts'

export interface Listener {
  port: number
  /** Takes no more connections; those that are open go on. */
  stopListening(): void
  /** Ends all connections, finished or not, and resolves when they are closed. */
  closeAll(): Promise<void>
}

export interface ListenerOptions {
  host: string
  port: number
  /** PEM. Without it there is no HTTPS. */
  tls?: { cert: string; key: string }
  handle: RequestListener
  clock: Clock
  log: Logger
}

/** How long a new connection may keep silent, in milliseconds. */
const silenceMsMax = 60_000
/** Go clients keep idle connections for 90 s: closing earlier would race with their next request. */
const idleMsMax = 120_000

/** @throws {KnodeError} ADDRESS_IN_USE when the port is taken. */
export async function listen({ host, port, tls, handle, clock, log }: ListenerOptions): Promise<Listener> {
  const limits = { keepAliveTimeout: idleMsMax }
  const http = createHttpServer(limits, handle)
  const https = tls === undefined ? undefined : createHttpsServer({ ...limits, ...tls }, handle)
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    // A client that goes away is no failure of ours; requests learn of it by themselves.
    socket.on('error', () => socket.destroy())
    readFirstBytes(socket, {
      tell: (seen) => (seen[0] === tlsHandshake ? 'tls' : 'plain'),
      take: (protocol) => {
        const server = protocol === 'tls' ? https : http
        if (server === undefined) return void socket.destroy()
        server.emit('connection', socket)
        if (server === http) socket.resume()
      },
      clock,
      waitMsMax: silenceMsMax,
    })
  })
  const onError = (err: Error): void => log.error('the API’s listener failed', { err })
  await startListening(server, { port, host }, onError).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'EADDRINUSE' ? inUse(error) : error
  })
  // They check their time limits only once they believe to listen.
  http.emit('listening')
  https?.emit('listening')
  const closed = new Promise((resolve) => server.once('close', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    stopListening() {
      server.close()
      // Ends what is idle now, and every other connection after its answer.
      http.close()
      https?.close()
    },
    async closeAll() {
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }

  function inUse(cause: Error): KnodeError {
    const hint = 'stop the other process, or choose another port; 0 takes a free one'
    return new KnodeError('ADDRESS_IN_USE', `${host}:${port} is already in use`, { hint, cause })
  }
}
