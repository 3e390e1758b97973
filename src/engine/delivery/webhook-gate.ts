// Asks a subscriber whether events may be sent to it, before any is, and stops when it says that it is gone.
// Source: HTTP 1.1 Web Hooks for Event Delivery 1.0.2 (CloudEvents), sections 2.2 and 4.
import { sleep } from '../../base/clock.ts'
import type { Clock } from '../../base/clock.ts'
import type { DeliveryTrouble } from '../reconciler.ts'
import type { Answer } from './send.ts'

/** What a subscriber answered to the question. */
export type ConsentReading =
  | { kind: 'granted'; ratePerMinute?: number }
  | { kind: 'refused'; reason: string }
  | { kind: 'gone' }

export interface WebhookGateOptions {
  /** The DNS name that the events come from. */
  origin: string
  /** The subscriber, for messages. */
  url: string
  /** Sends the OPTIONS request. */
  ask: () => Promise<Answer>
  clock: Clock
  limits: { handshakeBackoffMs: number; handshakeBackoffMsMax: number }
  /** Told before the first event passes; the subscriber may allow fewer requests a minute than were asked for. */
  onConsent: (consent: { ratePerMinute?: number }) => void
  /** Told when `trouble` changes. */
  onChange: () => void
}

/** Closed until the subscriber consents; closed for good once it is gone. */
export class WebhookGate {
  #options: WebhookGateOptions
  #opened = Promise.withResolvers<boolean>()
  #isGone = false
  #trouble: DeliveryTrouble | undefined

  constructor(options: WebhookGateOptions) {
    this.#options = options
  }

  /** Why nothing passes; `undefined` while the first answer is awaited, and when events pass. */
  get trouble(): DeliveryTrouble | undefined {
    return this.#trouble
  }

  get isGone(): boolean {
    return this.#isGone
  }

  /** Resolves to true when events may be sent, to false when they never may. */
  passed(): Promise<boolean> {
    return this.#isGone ? Promise.resolve(false) : this.#opened.promise
  }

  /** Asks until the answer is yes or `signal` aborts, waiting twice as long each time. */
  async open(signal: AbortSignal): Promise<void> {
    const { ask, origin, clock, limits, url, onConsent } = this.#options
    for (let delayMs = limits.handshakeBackoffMs; ; delayMs = Math.min(delayMs * 2, limits.handshakeBackoffMsMax)) {
      const consent = readConsent(await ask(), origin)
      if (signal.aborted) break
      if (consent.kind === 'granted') {
        this.#tell(undefined)
        onConsent(consent)
        return this.#opened.resolve(true)
      }
      if (consent.kind === 'gone') {
        this.close()
        break
      }
      const message = `${url} does not allow events from ${origin}: ${consent.reason}`
      this.#tell({ reason: 'SubscriberDoesNotConsent', message })
      try {
        await sleep(clock, delayMs, signal)
      } catch {
        break
      }
    }
    this.#opened.resolve(false)
  }

  /** The subscriber answered 410: nothing more is sent to it. */
  close(): void {
    if (this.#isGone) return
    this.#isGone = true
    this.#tell({ reason: 'SubscriberGone', message: `${this.#options.url} answered 410 Gone` })
  }

  #tell(trouble: DeliveryTrouble | undefined): void {
    const isSame = trouble?.reason === this.#trouble?.reason && trouble?.message === this.#trouble?.message
    this.#trouble = trouble
    if (!isSame) this.#options.onChange()
  }
}

/**
 * It is the header that consents, whatever the status; but who is gone gets nothing. A question is no event, so that it
 * may be put to somebody who was gone before a restart.
 */
export function readConsent(answer: Answer, origin: string): ConsentReading {
  if (answer.kind !== 'answer') return { kind: 'refused', reason: answer.reason }
  if (answer.status === 410) return { kind: 'gone' }
  const allowed = answer.headers['webhook-allowed-origin']
  if (typeof allowed !== 'string') {
    return { kind: 'refused', reason: `answered ${answer.status} without WebHook-Allowed-Origin` }
  }
  if (allowed !== '*' && allowed.toLowerCase() !== origin.toLowerCase()) {
    return { kind: 'refused', reason: `allows only ${JSON.stringify(allowed)}` }
  }
  const rate = answer.headers['webhook-allowed-rate']
  // `*` and what is no number set no bound.
  const ratePerMinute = typeof rate === 'string' && /^\d{1,9}$/.test(rate) ? Number(rate) : 0
  return ratePerMinute > 0 ? { kind: 'granted', ratePerMinute } : { kind: 'granted' }
}
