// Finds the container engine, and remembers for a while that there is none.
import type { Clock } from '../../../base/clock.ts'
import { KnodeError, messageOf } from '../../../base/errors.ts'
import { addressText, engineAddresses, mayAnswer } from './engine-address.ts'
import type { EngineAddress } from './engine-address.ts'
import { EngineClient } from './engine-client.ts'
import { engineNetwork } from './engine-network.ts'
import type { EngineNetwork } from './engine-network.ts'

/** How long an engine that did not answer is not asked again, in milliseconds. */
const recheckMs = 10_000
/** Longest wait for an engine's first answer. Podman's socket starts the engine. */
const firstAnswerMs = 10_000

export interface FoundEngine {
  client: EngineClient
  network: EngineNetwork
}

export class EngineFinder implements Disposable {
  #clock: Clock
  #addresses: readonly EngineAddress[]
  #finding: Promise<FoundEngine> | undefined
  #found: FoundEngine | undefined
  #failure: { message: string; atMs: number } | undefined

  constructor(clock: Clock, env: Readonly<Record<string, string | undefined>>) {
    this.#clock = clock
    this.#addresses = engineAddresses(env)
  }

  /** Why there is no engine, as far as is known without asking it. */
  objection(): string | undefined {
    if (this.#found !== undefined) return undefined
    const failure = this.#failure
    if (failure !== undefined && this.#clock.monotonicMs() - failure.atMs < recheckMs) return failure.message
    return this.#addresses.some(mayAnswer) ? undefined : 'no container engine is running here (Docker or Podman)'
  }

  /** @throws {KnodeError} WORKLOAD_FAILED when no engine answers. */
  async find(): Promise<FoundEngine> {
    if (this.#found !== undefined) return this.#found
    this.#finding ??= this.#search().finally(() => (this.#finding = undefined))
    return this.#finding
  }

  /** To be called when the engine did not answer: the next start looks for it again. */
  lose(): void {
    this.#found = undefined
  }

  [Symbol.dispose](): void {
    this.#found?.client[Symbol.dispose]()
  }

  async #search(): Promise<FoundEngine> {
    const failures: string[] = []
    for (const address of this.#addresses.filter(mayAnswer)) {
      const client = new EngineClient(address)
      const late = new AbortController()
      const cancel = this.#clock.setTimer(firstAnswerMs, () => late.abort(new Error('no answer in time')))
      try {
        await client.call('GET', '/_ping', { signal: late.signal })
        this.#found = { client, network: await engineNetwork(client, late.signal) }
        this.#failure = undefined
        return this.#found
      } catch (thrown) {
        client[Symbol.dispose]()
        failures.push(`${addressText(address)}: ${messageOf(thrown)}`)
      } finally {
        cancel()
      }
    }
    const message = `no container engine answers (${failures.join('; ') || 'there is no socket of Docker or Podman'})`
    this.#failure = { message, atMs: this.#clock.monotonicMs() }
    throw new KnodeError('WORKLOAD_FAILED', message, { retryable: true })
  }
}
