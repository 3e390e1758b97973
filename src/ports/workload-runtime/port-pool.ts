// Ports for programs and containers: below the range the kernel hands out, so that nobody who asks for "any port" gets
// them. An engine may redirect what is sent to a container's port for a while after its end, or, killed, for ever.
import { createServer } from 'node:net'
import { KnodeError } from '../../base/errors.ts'
import type { Random } from '../../base/random.ts'

/** First port given, and the one after the last. Linux hands out 32768 and above by itself, macOS 49152. */
const portMin = 20_000
const portEnd = 32_000
const triesMax = 200

/** Hands out TCP ports of the loopback interface, each to one holder at a time. */
export class PortPool {
  #random: Random
  #held = new Set<number>()

  constructor(random: Random) {
    this.#random = random
  }

  /** @throws {KnodeError} WORKLOAD_FAILED when no free port was found. */
  async take(): Promise<number> {
    for (let tries = 0; tries < triesMax; tries++) {
      const port = portMin + Math.floor(this.#random.next() * (portEnd - portMin))
      if (this.#held.has(port)) continue
      this.#held.add(port)
      if (await isFree(port)) return port
      this.#held.delete(port)
    }
    throw new KnodeError('WORKLOAD_FAILED', `no free port between ${portMin} and ${portEnd}`, { retryable: true })
  }

  release(port: number): void {
    this.#held.delete(port)
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
}
