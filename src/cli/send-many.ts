// Sends many events at a rate, or as fast as they are taken, and counts what became of them.
import type { Clock } from '../base/clock.ts'
import { sleep } from '../base/clock.ts'
import type { CloudEvent } from '../model/cloudevents/event.ts'
import type { EventPoster, Posted } from './event-poster.ts'
import { inFlightMax } from './event-poster.ts'

export interface SendManyOptions {
  /** Infinity: without end. */
  count: number
  /** Events per second. @default as fast as they are taken */
  rate?: number | undefined
  clock: Clock
  /** Aborting stops sending; what was sent is counted. */
  signal: AbortSignal
  isAccepted: (posted: Posted) => boolean
  /** Called a few times a second. */
  onProgress: (summary: SendSummary) => void
}

export interface SendSummary {
  sent: number
  accepted: number
  failed: number
  /** How often each status, or each reason of no answer, was seen. */
  outcomes: ReadonlyMap<string, number>
  tookMs: number
  /** Of the accepted ones. */
  p50Ms: number
  p99Ms: number
}

/** Milliseconds between two reports of progress. */
const progressMs = 250

/** Latencies that are kept for the percentiles; later ones replace random earlier ones no more than this. */
const latenciesMax = 100_000

export async function sendMany(
  makeEvent: (number: number) => CloudEvent,
  poster: EventPoster,
  options: SendManyOptions,
): Promise<SendSummary> {
  const { count, rate, clock, signal, isAccepted, onProgress } = options
  const startedMs = clock.monotonicMs()
  const outcomes = new Map<string, number>()
  const latencies: number[] = []
  let sent = 0
  let accepted = 0
  let failed = 0

  const summary = (): SendSummary => {
    const sorted = latencies.toSorted((a, b) => a - b)
    const percentile = (share: number): number =>
      sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
    const tookMs = clock.monotonicMs() - startedMs
    return { sent, accepted, failed, outcomes, tookMs, p50Ms: percentile(0.5), p99Ms: percentile(0.99) }
  }

  const lane = async (): Promise<void> => {
    while (sent < count && !signal.aborted) {
      const number = sent++
      const dueMs = rate === undefined ? 0 : startedMs + (number * 1000) / rate - clock.monotonicMs()
      if (dueMs > 0 && !(await slept(clock, dueMs, signal))) {
        sent--
        return
      }
      const posted = await poster.post(makeEvent(number))
      const outcome = String(posted.status ?? posted.reason)
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
      if (!isAccepted(posted)) failed++
      else if (accepted++ < latenciesMax) latencies.push(posted.tookMs)
    }
  }

  let stopReporting = (): void => undefined
  const report = (): void => {
    onProgress(summary())
    stopReporting = clock.setTimer(progressMs, report)
  }
  stopReporting = clock.setTimer(progressMs, report)
  await Promise.all(Array.from({ length: Math.min(count, inFlightMax) }, lane))
  stopReporting()
  return summary()
}

const slept = (clock: Clock, delayMs: number, signal: AbortSignal): Promise<boolean> =>
  sleep(clock, delayMs, signal).then(
    () => true,
    () => false,
  )
