// For tests: an exporter whose receiver is a function.
import { FakeClock } from '../../base/fake-clock.ts'
import { createLogger } from '../../base/log.ts'
import type { Logger } from '../../base/log.ts'
import { seededRandom } from '../../base/random.ts'
import { Exporter } from './exporter.ts'
import type { ExportResult } from './otlp-client.ts'

export interface TestExporter {
  exporter: Exporter
  clock: FakeClock
  log: Logger
  /** Messages that were sent, one for each attempt. */
  sent: Buffer[]
  /** What was logged: the message and its reason. */
  lines: () => string[]
  isDisposed: () => boolean
}

export function aTestExporter(
  answer: (message: Buffer, withinMs: number) => ExportResult | Promise<ExportResult>,
): TestExporter {
  const clock = new FakeClock()
  const written: string[] = []
  const log = createLogger({ clock, write: (line) => void written.push(line) })
  const sent: Buffer[] = []
  let isDisposed = false
  const client = {
    send(message: Uint8Array, withinMs: number): Promise<ExportResult> {
      sent.push(Buffer.from(message))
      return Promise.resolve(answer(sent.at(-1)!, withinMs))
    },
    [Symbol.asyncDispose]() {
      isDisposed = true
      return Promise.resolve()
    },
  }
  return {
    exporter: new Exporter({ signal: 'metrics', client, clock, random: seededRandom(1), log }),
    clock,
    log,
    sent,
    lines: () =>
      written.map((line) => {
        const { msg, reason } = JSON.parse(line) as { msg: string; reason?: string }
        return reason === undefined ? msg : `${msg} ${reason}`
      }),
    isDisposed: () => isDisposed,
  }
}
