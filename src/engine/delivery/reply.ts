// What a subscriber's 2xx answer says, and the reply made of it. Source: Knative eventing data-plane spec, "Event reply
// contract".
import { messageOf } from '../../base/errors.ts'
import { withAttributes } from '../../model/cloudevents/event.ts'
import type { CloudEvent, EventMessage } from '../../model/cloudevents/event.ts'
import { contentModeOf, readEvent } from '../../model/cloudevents/http-binding.ts'
import type { HttpAnswer } from './http-client.ts'

export type AnswerReading =
  | { kind: 'empty' }
  | { kind: 'reply'; message: EventMessage }
  /** There is a body, and it does not claim to be an event. */
  | { kind: 'no-event' }
  /** It claims to be an event and is none. */
  | { kind: 'broken'; reason: string }

const empty: AnswerReading = { kind: 'empty' }

/** Reads a 2xx answer. 202 is no exception: an event in it is a reply, as in Knative's own data planes. */
export function readAnswer({ headers, body, bodyCut }: HttpAnswer): AnswerReading {
  // Most answers have nothing in them, which is told without going through all their headers.
  if (body.length === 0 && headers['content-type'] === undefined && headers['ce-specversion'] === undefined)
    return empty
  const mode = contentModeOf(headers)
  if (mode === 'none') return body.length === 0 ? empty : { kind: 'no-event' }
  if (bodyCut) return { kind: 'broken', reason: `the reply is longer than ${body.length} bytes` }
  try {
    return { kind: 'reply', message: readEvent(headers, body) }
  } catch (error) {
    return { kind: 'broken', reason: messageOf(error) }
  }
}

/** The reply as it is sent on: it stays in the trace of the event it answers, if that was in one. */
export function replyMessage(reply: EventMessage, original: EventMessage): EventMessage {
  const headers: Record<string, string> = { ...reply.headers }
  const { traceparent, tracestate, baggage } = original.headers
  if (traceparent !== undefined) {
    headers['traceparent'] = traceparent
    // The state belongs to the parent; one of another trace would be wrong.
    delete headers['tracestate']
    if (tracestate !== undefined) headers['tracestate'] = tracestate
  }
  if (baggage !== undefined) headers['baggage'] = baggage
  return { event: reply.event, headers }
}

/** Counts the passes through Brokers; each Broker lowers it. */
export const hopsAttribute = 'knativebrokerttl'

/** The event as Triggers filter it and their subscribers get it: without the hop count. */
export function withoutHops(event: CloudEvent): CloudEvent {
  return event.attributes.has(hopsAttribute) ? withAttributes(event, { [hopsAttribute]: undefined }) : event
}

/** A Trigger's reply keeps the hop count of the event it answers, whatever the subscriber wrote there. */
export function withHopsOf(reply: CloudEvent, original: CloudEvent): CloudEvent {
  return withAttributes(reply, { [hopsAttribute]: original.attributes.get(hopsAttribute) })
}
