// Lets containers reach Knode's gateway, which listens on loopback only: a relay on the container network's own address.
import { connect, createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { sleep } from '../../../base/clock.ts'
import type { Clock } from '../../../base/clock.ts'
import type { Logger } from '../../../base/log.ts'
import { startListening } from '../../../base/start-listening.ts'

/** The interface of a container network may come into being only with its first container: the wait between two tries. */
const retryDelayMs = 2

export interface HostRelayOptions {
  clock: Clock
  log: Logger
  /** Address of this machine in the container network. */
  address: string
  /** The gateway's port on 127.0.0.1. */
  gatewayPort: number
  /** Whether a peer of this address may use it; all others are turned away. */
  mayUse: (address: string) => Promise<boolean>
}

export class HostRelay implements AsyncDisposable {
  #options: HostRelayOptions
  #servers: Server[] = []
  #sockets = new Set<Socket>()

  constructor(options: HostRelayOptions) {
    this.#options = options
  }

  /**
   * Resolves when it listens on `port`, or never will, which is logged. While `patience` has not aborted, an address that
   * does not exist yet is waited for.
   */
  async listen(port: number, patience: AbortSignal): Promise<void> {
    const { address, clock, log } = this.#options
    for (;;) {
      const isLastTry = patience.aborted
      const failure = await this.#tryListen(port)
      if (failure === undefined) return
      if (isLastTry || failure !== 'EADDRNOTAVAIL') {
        return log.warn('containers cannot reach the gateway on this port', { address, port, reason: failure })
      }
      await sleep(clock, retryDelayMs, patience).catch(() => undefined)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await Promise.all(this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))))
  }

  async #tryListen(port: number): Promise<string | undefined> {
    const { address: host, log } = this.#options
    const server = createServer({ allowHalfOpen: true }, (socket) => void this.#relay(socket))
    const onError = (err: Error): void => log.warn('the containers’ way to the gateway failed', { host, port, err })
    try {
      await startListening(server, { host, port, exclusive: true }, onError)
      this.#servers.push(server)
      return undefined
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      return code ?? message
    }
  }

  async #relay(incoming: Socket): Promise<void> {
    const { mayUse, gatewayPort } = this.#options
    incoming.on('error', () => incoming.destroy())
    if (!(await mayUse(incoming.remoteAddress ?? ''))) return void incoming.destroy()
    const outgoing = connect({ host: '127.0.0.1', port: gatewayPort, allowHalfOpen: true })
    for (const [from, to] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      this.#sockets.add(from)
      from.setNoDelay(true)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        this.#sockets.delete(from)
        to.end()
      })
      from.pipe(to)
    }
  }
}
