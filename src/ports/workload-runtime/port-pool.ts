// Ports for programs and containers: below the range the kernel hands out, so that nobody who asks for "any port" gets
// them. An engine may redirect what is sent to a container's port for a while after its end, or, killed, for ever.
import { createServer } from 'node:net'
import { KnodeError } from '../../base/errors.ts'
import type { Random } from '../../base/random.ts'

/** First port given, and the one after the last. Linux hands out 32768 and above by itself, macOS 49152. */
const portMin = 20_000
const portEnd = 32_000
const triesMax = 200

/**
 * Hands out TCP ports of the loopback interface, each to one holder at a time. On Linux that holds for all Knodes of a
 * machine: what is taken is not free for another one, even before the program listens there.
 */
export class PortPool {
  #random: Random
  #held = new Map<number, Claim | undefined>()

  constructor(random: Random) {
    this.#random = random
  }

  /** @throws {KnodeError} WORKLOAD_FAILED when no free port was found. */
  async take(): Promise<number> {
    for (let tries = 0; tries < triesMax; tries++) {
      const port = portMin + Math.floor(this.#random.next() * (portEnd - portMin))
      if (this.#held.has(port)) continue
      this.#held.set(port, undefined)
      const claim = await claimOf(port)
      if (claim !== undefined && (await isFree(port))) {
        this.#held.set(port, claim)
        return port
      }
      claim?.close()
      this.#held.delete(port)
    }
    throw new KnodeError('WORKLOAD_FAILED', `no free port between ${portMin} and ${portEnd}`, { retryable: true })
  }

  release(port: number): void {
    this.#held.get(port)?.close()
    this.#held.delete(port)
  }
}

interface Claim {
  close(): unknown
}

/**
 * Listens at a name that stands for the port, which one process can at a time. Names of Linux' abstract sockets belong to
 * the same network as ports do, and nothing is left of them when their process ends. `undefined` when another has it.
 */
function claimOf(port: number): Promise<Claim | undefined> {
  if (process.platform !== 'linux') return Promise.resolve({ close: () => undefined })
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy())
    // Also of one that stands for its port already, whom connections that cannot be taken do not matter.
    server.on('error', () => resolve(undefined))
    server.listen(`\0knode-port-${port}`, () => resolve(server.unref()))
  })
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
}
