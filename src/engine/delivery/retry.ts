// Whether a failed try is repeated, and when. Pure. Source: Knative eventing data-plane spec, "Event Acknowledgement
// and Delivery Retry"; knative/eventing pkg/kncloudevents/retries.go.
import type { ParsedDelivery } from '../../model/duck/delivery.ts'

/** One try that did not end well. */
export interface Failure {
  /** What failed: the URL of the subscriber, the reply's target or the dead letter sink. */
  url: string
  /** The status answered; absent when nothing, or nothing that can be read, was answered. */
  status?: number
  retriable: boolean
  /** In words, for people. */
  reason: string
  /** Becomes `knativeerrorcode`. */
  errorCode?: number
  /** Becomes `knativeerrordata`. */
  errorData?: Uint8Array
  /** The answer's `Retry-After`. */
  retryAfter?: string
}

export type NextStep = { kind: 'retry'; delayMs: number } | { kind: 'give-up' }

export const isSuccess = (status: number): boolean => status >= 200 && status <= 299

// A starting subscriber answers 404 before its route exists, so 404 is retried.
const retriableStatuses: ReadonlySet<number> = new Set([404, 408, 409, 429])

export const isRetriable = (status: number): boolean => status >= 500 || retriableStatuses.has(status)

/** Statuses that Knative's event sources retry; 408, 409 and 500 are not among them. CloudEvents sdk-go. */
const retriableForSources: ReadonlySet<number> = new Set([404, 413, 425, 429, 502, 503, 504])

export const isRetriableForSources = (status: number): boolean => retriableForSources.has(status)

/** What comes after try number `attempt` (from 1) failed. `nowMs` is wall-clock time. */
export function nextStep(delivery: ParsedDelivery, attempt: number, failure: Failure, nowMs: number): NextStep {
  if (!failure.retriable || attempt > delivery.retries) return { kind: 'give-up' }
  return { kind: 'retry', delayMs: Math.max(backoffMs(delivery, attempt), retryAfterMs(delivery, failure, nowMs)) }
}

/** Longest wait before a retry, in milliseconds: 30 days. Beyond it doubling means nothing. */
const delayMsMax = 2_592_000_000
const doublingsMax = 100

/**
 * The wait after the `attempt`th try: delay · attempt, or delay · 2^(attempt − 1). Knative's own dispatcher counts
 * linear waits from 0; the documentation and all other implementations count from 1.
 */
export function backoffMs({ backoff }: ParsedDelivery, attempt: number): number {
  if (backoff === undefined) return 0
  // Nothing, doubled beyond all numbers, would be no number.
  const factor = backoff.policy === 'exponential' ? 2 ** Math.min(attempt - 1, doublingsMax) : attempt
  return Math.min(backoff.delayMs * factor, delayMsMax)
}

/** Statuses whose `Retry-After` counts, and only if `retryAfterMax` is set. */
function retryAfterMs({ retryAfterMaxMs }: ParsedDelivery, { status, retryAfter }: Failure, nowMs: number): number {
  if (retryAfterMaxMs === undefined || retryAfter === undefined) return 0
  if (status !== 429 && status !== 503) return 0
  return Math.min(parseRetryAfterMs(retryAfter, nowMs) ?? 0, retryAfterMaxMs)
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const time = '(\\d\\d):(\\d\\d):(\\d\\d)'
// The three forms of RFC 9110 5.6.7, each with day, month, year, hour, minute, second under these names.
const httpDates = [
  new RegExp(`^[A-Z][a-z]{2}, (?<day>\\d\\d) (?<month>[A-Z][a-z]{2}) (?<year>\\d{4}) (?<time>${time}) GMT$`),
  new RegExp(`^[A-Z][a-z]+, (?<day>\\d\\d)-(?<month>[A-Z][a-z]{2})-(?<year>\\d\\d) (?<time>${time}) GMT$`),
  new RegExp(`^[A-Z][a-z]{2} (?<month>[A-Z][a-z]{2}) (?<day>[ \\d]\\d) (?<time>${time}) (?<year>\\d{4})$`),
]

/** Milliseconds from now that a `Retry-After` value asks for; `undefined` when past, negative or unreadable. */
export function parseRetryAfterMs(text: string, nowMs: number): number | undefined {
  const value = text.trim()
  if (/^\d{1,10}$/.test(value)) return Number(value) * 1000
  for (const pattern of httpDates) {
    const groups = pattern.exec(value)?.groups
    if (groups === undefined) continue
    const month = months.indexOf(groups['month']!)
    if (month < 0) return undefined
    const [hour = 0, minute = 0, second = 0] = groups['time']!.split(':').map(Number)
    const waitMs = Date.UTC(fullYear(groups['year']!), month, Number(groups['day']), hour, minute, second) - nowMs
    return waitMs > 0 ? waitMs : undefined
  }
  return undefined
}

// RFC 850 years have two digits; as in Go, 69 to 99 are of the last century.
const fullYear = (digits: string): number =>
  digits.length === 4 ? Number(digits) : Number(digits) + (Number(digits) >= 69 ? 1900 : 2000)
