// Sends messages to one receiver, tries again, and says once when that does not work.
import type { Clock } from '../../base/clock.ts'
import { sleep } from '../../base/clock.ts'
import type { Logger } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import type { Signal } from '../../model/otlp/endpoint.ts'
import type { ExportResult, OtlpClient } from './otlp-client.ts'

export interface ExporterOptions {
  signal: Signal
  client: OtlpClient
  clock: Clock
  random: Random
  /** Names the endpoint, and whose it is. */
  log: Logger
}

/** First wait before another attempt, doubled each time, in milliseconds. */
const backoffMsMin = 1_000
const backoffMsMax = 30_000
/** How long closing waits for the last message, in milliseconds. */
const flushMs = 5_000
/** What is told of a receiver's words, in characters. */
const toldLengthMax = 1_000

export class Exporter {
  #options: ExporterOptions
  #log: Logger
  #closing = new AbortController()
  #isFailing = false
  /** What the receiver said when it took only a part. */
  #partialText: string | undefined

  constructor(options: ExporterOptions) {
    this.#options = options
    this.#log = options.log.child({ signal: options.signal })
  }

  /**
   * Sends a message, again and again for at most `withinMs`; once closing begins, no further attempt is made. Never throws.
   * @returns whether it was taken
   */
  async send(message: Uint8Array, { withinMs }: { withinMs: number }): Promise<boolean> {
    const { clock, random } = this.#options
    const untilMs = clock.monotonicMs() + withinMs
    for (let waitMs = backoffMsMin; ; waitMs = Math.min(waitMs * 2, backoffMsMax)) {
      const result = await this.#try(message, untilMs - clock.monotonicMs())
      if (result.kind !== 'later') return result.kind === 'taken'
      // Those who were turned away together do not come back together, also when they are told to come at once.
      const delayMs = Math.max(result.delayMs ?? 0, waitMs * (0.5 + random.next() / 2))
      if (clock.monotonicMs() + delayMs >= untilMs) return false
      try {
        await sleep(clock, delayMs, this.#closing.signal)
      } catch {
        return false
      }
    }
  }

  /** Calls `last`, which may send once more, and closes the connection; all that takes bounded time. */
  async close(last: () => Promise<void>): Promise<void> {
    const { clock, client } = this.#options
    this.#closing.abort()
    const late = Promise.withResolvers<void>()
    const cancel = clock.setTimer(flushMs, late.resolve)
    await Promise.race([last(), late.promise])
    cancel()
    await client[Symbol.asyncDispose]()
  }

  async #try(message: Uint8Array, withinMs: number): Promise<ExportResult> {
    const { client, signal } = this.#options
    const result = await client.send(message, withinMs)
    if (result.kind === 'taken') {
      if (this.#isFailing) this.#log.info(`${signal} are sent again`)
      this.#isFailing = false
      this.#tellPartial(result.partial)
    } else {
      if (!this.#isFailing) this.#log.warn(`${signal} cannot be sent`, { reason: shortened(result.reason) })
      this.#isFailing = true
    }
    return result
  }

  #tellPartial(partial: Extract<ExportResult, { kind: 'taken' }>['partial']): void {
    if (partial !== undefined && partial.message !== this.#partialText) {
      const { rejectedCount, message } = partial
      this.#log.warn('the receiver did not take everything', { rejected: rejectedCount, reason: shortened(message) })
    }
    this.#partialText = partial?.message
  }
}

const shortened = (text: string): string => (text.length > toldLengthMax ? `${text.slice(0, toldLengthMax)}…` : text)
