// Sends what is counted, at intervals. Source: OpenTelemetry specification, metrics/sdk, "Periodic exporting MetricReader".
import type { CancelTimer, Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import type { Instrument, Metrics } from '../../base/metrics.ts'
import type { Attributes } from '../../model/otlp/common.ts'
import { writeMetricsRequest } from '../../model/otlp/metrics-request.ts'
import type { Exporter } from './exporter.ts'

export interface MetricsExportOptions {
  metrics: Pick<Metrics, 'read'>
  /** Scopes of the instruments that are sent. */
  scopes: ReadonlySet<string>
  resource: Attributes
  version: string
  /** Since when everything counts, in milliseconds since 1970. */
  startedMs: number
  intervalMs: number
  /** How long a message is tried, in milliseconds. */
  exportMs: number
  exporter: Exporter
  clock: Clock
  log: Logger
}

/** Begins at once, so that an endpoint which nobody listens at is told at once. Disposing sends what there is a last time. */
export class MetricsExport implements AsyncDisposable {
  #options: MetricsExportOptions
  #cancel: CancelTimer | undefined
  #sending: Promise<void>
  #isClosing = false

  constructor(options: MetricsExportOptions) {
    this.#options = options
    this.#sending = this.#tick()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosing = true
    this.#cancel?.()
    await this.#options.exporter.close(async () => {
      await this.#sending
      await this.#send()
    })
  }

  async #tick(): Promise<void> {
    const { clock, intervalMs } = this.#options
    const startedMs = clock.monotonicMs()
    await this.#send()
    if (this.#isClosing) return
    const leftMs = startedMs + intervalMs - clock.monotonicMs()
    this.#cancel = clock.setTimer(Math.max(0, leftMs), () => {
      this.#sending = this.#tick()
    })
  }

  /** Never throws. Whatever is lost is in the next one, too: everything counts from the start. */
  async #send(): Promise<void> {
    const { exportMs, exporter, log } = this.#options
    try {
      const message = this.#message()
      if (message !== undefined) await exporter.send(message, { withinMs: exportMs })
    } catch (thrown) {
      log.error('metrics could not be read', { reason: messageOf(thrown) })
    }
  }

  #message(): Uint8Array | undefined {
    const { metrics, scopes, resource, version, startedMs, clock } = this.#options
    return writeMetricsRequest({
      resource,
      version,
      startedMs,
      nowMs: clock.now(),
      instruments: chosen(metrics.read(), scopes),
    })
  }
}

function* chosen(instruments: Iterable<Instrument>, scopes: ReadonlySet<string>): Iterable<Instrument> {
  for (const each of instruments) if (scopes.has(each.scope)) yield each
}
