// One try at handing an event to a target, whatever kind of target it is. Source: Knative eventing data-plane spec.
import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { EventMessage } from '../../model/cloudevents/event.ts'
import { writeBinary, writeStructured } from '../../model/cloudevents/http-binding.ts'
import type { EndpointTable, EventEndpoint } from '../reconciler.ts'
import type { HttpAnswer, HttpClient, HttpPost, NoAnswer } from './http-client.ts'
import type { Failure } from './retry.ts'
import type { Target } from './target.ts'

export interface Outgoing {
  message: EventMessage
  target: Target
  timeoutMs: number
  /** Sent as `Kn-Namespace`. */
  namespace?: string
  /** Sends `Prefer: reply`. @default false */
  prefersReply?: boolean
  /** How the event is written. @default 'binary' */
  format?: 'json' | 'binary'
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
}

export function createSender({ http, endpoints, clock }: SenderDeps): Send {
  return (outgoing) => {
    const { target } = outgoing
    if (target.objection !== undefined) return Promise.resolve({ kind: 'no-request', reason: target.objection })
    if (target.own !== undefined) {
      const endpoint = endpoints.find(target.own.host, target.own.path)
      if (endpoint?.kind === 'events') return acceptWithin(endpoint, outgoing, clock)
    }
    return http.post(httpPost(outgoing))
  }
}

function httpPost({ message, target, timeoutMs, namespace, prefersReply, format, signal }: Outgoing): HttpPost {
  const { headers, body } = format === 'json' ? writeStructured(message) : writeBinary(message)
  headers['host'] = target.host
  if (namespace !== undefined) headers['kn-namespace'] = namespace
  if (prefersReply === true) headers['prefer'] = 'reply'
  return {
    origin: target.origin,
    pool: target.pool,
    path: target.path,
    headers,
    body,
    timeoutMs,
    ...(target.CACerts !== undefined && { CACerts: target.CACerts }),
    ...(signal !== undefined && { signal }),
  }
}

/** No HTTP within the process: the endpoint takes the message itself. */
async function acceptWithin(
  endpoint: EventEndpoint,
  { message, timeoutMs, signal }: Outgoing,
  clock: Clock,
): Promise<Answer> {
  const cut = Promise.withResolvers<NoAnswer>()
  const onAbort = (): void => cut.resolve({ kind: 'no-answer', reason: 'aborted' })
  const late = `not taken within ${timeoutMs} ms`
  const cancelTimer = clock.setTimer(timeoutMs, () => cut.resolve({ kind: 'no-answer', reason: late }))
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([accepted(endpoint, message), cut.promise])
  } catch (error) {
    return { kind: 'no-answer', reason: messageOf(error) }
  } finally {
    cancelTimer()
    signal?.removeEventListener('abort', onAbort)
  }
}

async function accepted(endpoint: EventEndpoint, message: EventMessage): Promise<HttpAnswer> {
  const { status, message: text = '', retryAfterSeconds } = endpoint.refusal?.() ?? (await endpoint.accept(message))
  const headers = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }
  return { kind: 'answer', status, headers, body: Buffer.from(text), bodyCut: false }
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
