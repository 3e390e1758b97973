// Writes down where the consumers of a stream stand: soon after that changed, and synced a little later.
import type { CancelTimer, Clock } from '../../../base/clock.ts'
import { KnodeError, messageOf } from '../../../base/errors.ts'
import type { Logger } from '../../../base/log.ts'
import type { Consumers } from '../consumption/consumers.ts'
import type { ConsumerJournal } from './consumer-journal.ts'
import { isFull } from './file-system.ts'

export interface CheckpointsOptions {
  stream: string
  clock: Clock
  log: Logger
  journal: ConsumerJournal
  consumers: Consumers
  /** Whether what is written is synced a little later. */
  synced: boolean
  /** Called before each planned one is written. */
  onTurn: () => void
}

/** Wait before the consumers' positions are written down, in milliseconds: what a crash may repeat. */
const intervalMs = 50
/** Wait before a checkpoint is synced, in milliseconds: what a power loss may repeat. */
const syncIntervalMs = 1_000
/** Wait after a checkpoint that failed, in milliseconds. */
const retryMs = 1_000

export class Checkpoints {
  #options: CheckpointsOptions
  /** The checkpoints one after the other. */
  #last: Promise<void> = Promise.resolve()
  #cancelPlanned: CancelTimer | undefined
  #cancelSync: CancelTimer | undefined
  #isClosed = false

  constructor(options: CheckpointsOptions) {
    this.#options = options
  }

  /** Called for every delivery: costs nothing while a checkpoint is planned. */
  soon(): void {
    if (this.#cancelPlanned === undefined) this.#plan(intervalMs)
  }

  /** @throws {KnodeError} TRANSPORT_FULL, TRANSPORT_FAILED */
  write({ sync }: { sync: boolean }): Promise<void> {
    const { stream, clock, journal, consumers, synced } = this.#options
    if (sync) {
      this.#cancelSync?.()
      this.#cancelSync = undefined
    } else if (synced && !this.#isClosed) {
      this.#cancelSync ??= clock.setTimer(syncIntervalMs, () => {
        this.#cancelSync = undefined
        this.#writeOrRetry({ sync: true })
      })
    }
    const written = this.#last.then(async () => {
      const changes = consumers.takeChanges(journal.mustRewrite)
      await journal.write({ tail: consumers.published, changes }, { sync })
    })
    this.#last = written.catch(() => undefined)
    return written.catch((error: unknown) => {
      const options = { retryable: true, cause: error }
      const message = `consumers of stream "${stream}" cannot be written down: ${messageOf(error)}`
      throw new KnodeError(isFull(error) ? 'TRANSPORT_FULL' : 'TRANSPORT_FAILED', message, options)
    })
  }

  /**
   * Nothing is planned any more. `keep`: whether there is a last one.
   * @throws {KnodeError} TRANSPORT_FULL, TRANSPORT_FAILED
   */
  async close({ keep }: { keep: boolean }): Promise<void> {
    this.#isClosed = true
    this.#cancelPlanned?.()
    this.#cancelSync?.()
    await (keep ? this.write({ sync: true }) : this.#last)
  }

  #plan(delayMs: number): void {
    if (this.#isClosed) return
    this.#cancelPlanned = this.#options.clock.setTimer(delayMs, () => {
      this.#cancelPlanned = undefined
      this.#options.onTurn()
      this.#writeOrRetry({ sync: false })
    })
  }

  #writeOrRetry({ sync }: { sync: boolean }): void {
    const { stream, log } = this.#options
    this.write({ sync }).catch((error: unknown) => {
      log.warn('positions of consumers not written down', { stream, err: error })
      this.#cancelPlanned?.()
      this.#plan(retryMs)
    })
  }
}
