// One try at handing an event to a target, whatever kind of target it is. Source: Knative eventing data-plane spec.
import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import { withAttributes } from '../../model/cloudevents/event.ts'
import type { EventMessage } from '../../model/cloudevents/event.ts'
import { binaryHeaders, writeBatch, writeStructured } from '../../model/cloudevents/http-binding.ts'
import type { AcceptResult, EndpointTable, EventEndpoint } from '../reconciler.ts'
import type { Tracing } from '../tracing.ts'
import { tracedSend } from './event-trace.ts'
import type { HttpAnswer, HttpClient, HttpRequest, NoAnswer } from './http-client.ts'
import { isSuccess } from './retry.ts'
import type { Failure } from './retry.ts'
import type { Target } from './target.ts'

export interface Outgoing {
  /** Several are sent as one batch. */
  message: EventMessage | readonly EventMessage[]
  target: Target
  timeoutMs: number
  /** An attribute that is not sent. */
  omits?: string
  /** Whom it is for, as traces name it: `trigger:NAME.NAMESPACE`. */
  destination?: string
  /** Sent as `Kn-Namespace`. */
  namespace?: string
  /** Sends `Prefer: reply` with a single event. @default false */
  prefersReply?: boolean
  /** How a single event is written. @default 'binary' */
  format?: 'json' | 'binary'
  /** Sent as `WebHook-Request-Origin`. */
  webhookOrigin?: string
  /** `traceparent` of a batch; single events have their own. */
  batchTrace?: string
  signal?: AbortSignal
}

/** The URL is none, so that nothing could be sent. */
interface NoRequest {
  kind: 'no-request'
  reason: string
}

export type Answer = HttpAnswer | NoAnswer | NoRequest

/** Sends once. Never throws. */
export type Send = (outgoing: Outgoing) => Promise<Answer>

export interface SenderDeps {
  http: HttpClient
  endpoints: EndpointTable
  clock: Clock
  tracing: Tracing
}

export function createSender({ http, endpoints, clock, tracing }: SenderDeps): Send {
  const send: Send = (outgoing) => {
    const { target } = outgoing
    if (target.objection !== undefined) return Promise.resolve({ kind: 'no-request', reason: target.objection })
    if (target.own !== undefined) {
      const endpoint = endpoints.find(target.own.host, target.own.path, target.isSecureWithin)
      if (endpoint?.kind === 'events') return acceptWithin(endpoint, outgoing, clock)
    }
    return http.exchange(eventRequest(outgoing))
  }
  return (outgoing) => {
    const tracer = tracing.eventing
    return tracer === undefined ? send(outgoing) : tracedSend(tracer, outgoing, send)
  }
}

function eventRequest(outgoing: Outgoing): HttpRequest {
  const { message, target, timeoutMs, namespace, prefersReply, webhookOrigin, signal } = outgoing
  const { headers, body } = writeEvents(outgoing)
  headers.push('host', target.host)
  if (target.isSecureWithin === true) headers.push('x-forwarded-proto', 'https')
  if (namespace !== undefined) headers.push('kn-namespace', namespace)
  if (prefersReply === true && !isBatch(message)) headers.push('prefer', 'reply')
  if (outgoing.batchTrace !== undefined) headers.push('traceparent', outgoing.batchTrace)
  if (webhookOrigin !== undefined) headers.push('webhook-request-origin', webhookOrigin)
  const { origin, pool, path, CACerts } = target
  return { origin, pool, path, CACerts, headers, body, timeoutMs, signal }
}

function writeEvents(outgoing: Outgoing): { headers: string[]; body: Uint8Array | undefined } {
  const { message, omits, format } = outgoing
  if (!isBatch(message) && format !== 'json')
    return { headers: binaryHeaders(message, omits), body: message.event.data }
  const shown = withoutOmitted(outgoing)
  const { headers, body } = isBatch(shown) ? writeBatch(shown.map(({ event }) => event)) : writeStructured(shown)
  return { headers: Object.entries(headers).flat(), body }
}

function withoutOmitted({ message, omits }: Outgoing): Outgoing['message'] {
  if (omits === undefined) return message
  const strip = ({ event, headers }: EventMessage): EventMessage => ({
    event: event.attributes.has(omits) ? withAttributes(event, { [omits]: undefined }) : event,
    headers,
  })
  return isBatch(message) ? message.map(strip) : strip(message)
}

const isBatch = (message: Outgoing['message']): message is readonly EventMessage[] => Array.isArray(message)

export interface ConsentQuestion {
  target: Target
  timeoutMs: number
  /** The DNS name the events come from. */
  origin: string
  /** Requests a minute that are wanted. */
  ratePerMinute?: number
  signal: AbortSignal
}

/** Asks whether events may be sent. Never throws. */
export type AskConsent = (question: ConsentQuestion) => Promise<Answer>

/** Doors of this process consent to everybody. Source: HTTP 1.1 Web Hooks for Event Delivery, section 4.1. */
export function createConsentAsker({ http, endpoints }: Pick<SenderDeps, 'http' | 'endpoints'>): AskConsent {
  return ({ target, timeoutMs, origin, ratePerMinute, signal }) => {
    if (target.objection !== undefined) return Promise.resolve({ kind: 'no-request', reason: target.objection })
    const { own, isSecureWithin } = target
    if (own !== undefined && endpoints.find(own.host, own.path, isSecureWithin)?.kind === 'events') {
      const headers = { 'webhook-allowed-origin': '*' }
      return Promise.resolve({ kind: 'answer', status: 200, headers, body: new Uint8Array(), bodyCut: false })
    }
    const headers: Record<string, string> = { host: target.host, 'webhook-request-origin': origin }
    if (target.isSecureWithin === true) headers['x-forwarded-proto'] = 'https'
    if (ratePerMinute !== undefined) headers['webhook-request-rate'] = String(ratePerMinute)
    const { origin: server, pool, path, CACerts } = target
    const body = undefined
    return http.exchange({ method: 'OPTIONS', origin: server, pool, path, CACerts, headers, body, timeoutMs, signal })
  }
}

/** No HTTP within the process: the endpoint takes the message itself. */
async function acceptWithin(endpoint: EventEndpoint, outgoing: Outgoing, clock: Clock): Promise<Answer> {
  const { timeoutMs, signal } = outgoing
  const cut = Promise.withResolvers<NoAnswer>()
  const onAbort = (): void => cut.resolve({ kind: 'no-answer', reason: 'aborted', errorType: 'aborted' })
  const late = `not taken within ${timeoutMs} ms`
  const onLate = (): void => cut.resolve({ kind: 'no-answer', reason: late, errorType: 'timeout' })
  const cancelTimer = clock.setTimer(timeoutMs, onLate)
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([accepted(endpoint, withoutOmitted(outgoing)), cut.promise])
  } catch (error) {
    return { kind: 'no-answer', reason: messageOf(error) }
  } finally {
    cancelTimer()
    signal?.removeEventListener('abort', onAbort)
  }
}

async function accepted(endpoint: EventEndpoint, message: Outgoing['message']): Promise<HttpAnswer> {
  const result =
    endpoint.refusal?.() ?? (await (isBatch(message) ? acceptAll(endpoint, message) : endpoint.accept(message)))
  const { status, message: text = '', retryAfterSeconds } = result
  const headers = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }
  return { kind: 'answer', status, headers, body: Buffer.from(text), bodyCut: false }
}

/** The first that is not taken answers for all. */
async function acceptAll(endpoint: EventEndpoint, messages: readonly EventMessage[]): Promise<AcceptResult> {
  const results = await Promise.all(messages.map((message) => endpoint.accept(message)))
  return results.find(({ status }) => !isSuccess(status)) ?? { status: 202 }
}

/** What a try that did not succeed means; `isRetriable` judges the status. */
export function failureOf(answer: Answer, { url }: Target, isRetriable: (status: number) => boolean): Failure {
  switch (answer.kind) {
    case 'answer': {
      const { status, headers, body } = answer
      const retryAfter = headers['retry-after']
      return {
        url,
        status,
        retriable: isRetriable(status),
        reason: `answered ${status}`,
        errorCode: status,
        errorData: body,
        ...(typeof retryAfter === 'string' && { retryAfter }),
      }
    }
    case 'no-answer': {
      const { reason } = answer
      return { url, retriable: true, reason, errorCode: errorCodes.noAnswer, errorData: Buffer.from(reason) }
    }
    case 'no-request': {
      const { reason } = answer
      return { url, retriable: false, reason, errorCode: errorCodes.noRequest, errorData: Buffer.from(reason) }
    }
    default:
      return answer satisfies never
  }
}

/** What `knativeerrorcode` says where there was no status. */
const errorCodes = { noAnswer: 500, noRequest: -1 } as const
