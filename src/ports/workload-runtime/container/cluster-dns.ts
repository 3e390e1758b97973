// Answers containers' questions about names of the cluster with the gateway's address, and passes on all others.
import { createSocket } from 'node:dgram'
import type { RemoteInfo, Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { sleep } from '../../../base/clock.ts'
import type { Clock } from '../../../base/clock.ts'
import type { Logger } from '../../../base/log.ts'
import { readQuestion, writeAnswer } from './dns-message.ts'

/** `NAME.NAMESPACE.svc`, with or without `cluster.local`. Whether there is such a one is for the gateway to say. */
const clusterName = /^[a-z0-9-]+\.[a-z0-9-]+\.svc(?:\.cluster\.local)?$/
/** Questions that wait for another server's answer; more are left unanswered, and asked again by who asked. */
const forwardedMax = 256
/** Longest wait for another server's answer, in milliseconds: resolvers give up after five seconds. */
const forwardMs = 5_000
/** Wait between two tries to listen on an address that does not exist yet, in milliseconds. */
const retryDelayMs = 2

export interface ClusterDnsOptions {
  clock: Clock
  log: Logger
  /** Where it listens, and what names of the cluster lead to. */
  address: string
  /** @default 53 */
  port?: number
  /** Whether a peer of this address may ask; all others get no answer. */
  mayUse: (address: string) => Promise<boolean>
  /** Servers for all other names, in the form of `dns.getServers()`. */
  servers: () => readonly string[]
}

export class ClusterDns implements AsyncDisposable {
  #options: ClusterDnsOptions
  #socket: Socket | undefined
  #forwarded = new Set<Socket>()

  constructor(options: ClusterDnsOptions) {
    this.#options = options
  }

  /** Resolves when it listens, or never will, which is logged. An address that does not exist yet is waited for. */
  async listen(patience: AbortSignal): Promise<void> {
    const { address, port = 53, clock, log } = this.#options
    for (;;) {
      const isLastTry = patience.aborted
      const failure = await this.#tryListen(address, port)
      if (failure === undefined) return
      if (isLastTry || failure !== 'EADDRNOTAVAIL') {
        return log.warn('containers cannot resolve all names of the cluster', { address, port, reason: failure })
      }
      await sleep(clock, retryDelayMs, patience).catch(() => undefined)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#forwarded) socket.close()
    this.#forwarded.clear()
    const socket = this.#socket
    if (socket !== undefined) await new Promise<void>((resolve) => socket.close(() => resolve()))
  }

  #tryListen(address: string, port: number): Promise<string | undefined> {
    const socket = createSocket('udp4')
    return new Promise((resolve) => {
      socket.once('error', (error: NodeJS.ErrnoException) => {
        socket.close()
        resolve(error.code ?? error.message)
      })
      socket.bind({ address, port, exclusive: true }, () => {
        socket.removeAllListeners('error')
        socket.on('error', () => undefined)
        socket.on('message', (message, peer) => void this.#answer(socket, message, peer))
        this.#socket = socket
        resolve(undefined)
      })
    })
  }

  async #answer(socket: Socket, message: Buffer, peer: RemoteInfo): Promise<void> {
    const { address, mayUse } = this.#options
    if (!(await mayUse(peer.address))) return
    const question = readQuestion(message)
    const reply = (answer: Uint8Array): void => {
      // Closed meanwhile, when Knode ends.
      if (this.#socket === socket) socket.send(answer, peer.port, peer.address, () => undefined)
    }
    if (question !== undefined && clusterName.test(question.name)) return reply(writeAnswer(question, address))
    this.#forward(message, reply)
  }

  /** Sends the question as it is to the first server, and its answer back. */
  #forward(message: Buffer, reply: (answer: Uint8Array) => void): void {
    const server = parseServer(this.#options.servers()[0] ?? '')
    if (server === undefined || this.#forwarded.size >= forwardedMax) return
    const socket = createSocket(isIPv6(server.address) ? 'udp6' : 'udp4')
    this.#forwarded.add(socket)
    const done = (): void => {
      cancel()
      if (this.#forwarded.delete(socket)) socket.close()
    }
    const cancel = this.#options.clock.setTimer(forwardMs, done)
    socket.on('error', done)
    // Connected, so that nobody else's answer is taken.
    socket.connect(server.port, server.address, () => socket.send(message))
    socket.once('message', (answer) => {
      reply(answer)
      done()
    })
  }
}

/** `1.2.3.4`, `1.2.3.4:53`, `::1`, `[::1]:53`. */
function parseServer(text: string): { address: string; port: number } | undefined {
  if (isIPv6(text)) return { address: text, port: 53 }
  const [, bracketed, plain, port = '53'] = /^(?:\[(.+)\]|([\d.]+))(?::(\d+))?$/.exec(text) ?? []
  const address = bracketed ?? plain
  return address === undefined ? undefined : { address, port: Number(port) }
}
