// What is recorded of an event: that it came in, and each try at sending it. The context travels in the header, from
// where it is stored with the event; the CloudEvents extension of that name stays as it is. Source: knative/eventing
// pkg/broker/ingress, pkg/kncloudevents/event_dispatcher.go, pkg/observability/key.go.
import { attributeText } from '../../model/cloudevents/event.ts'
import type { CloudEvent, EventMessage } from '../../model/cloudevents/event.ts'
import type { AttributeValue, Attributes } from '../../model/otlp/common.ts'
import { parseTraceparent } from '../../model/otlp/traceparent.ts'
import type { AcceptResult } from '../reconciler.ts'
import type { Span, Tracer } from '../tracing.ts'
import type { Answer, Outgoing, Send } from './send.ts'

/** Of the event itself; no id, which would be another value for each. */
const eventAttributes = ['type', 'source', 'specversion', 'subject', 'datacontenttype'] as const

/** Attributes of spans: those of the event, and of where it goes. */
function attributesOf(event: CloudEvent, destination: string | undefined): Record<string, AttributeValue> {
  const attributes: Record<string, AttributeValue> = {
    'messaging.system': 'knative',
    'messaging.operation.name': 'send',
  }
  if (destination !== undefined) attributes['messaging.destination.name'] = destination
  for (const name of eventAttributes) {
    const text = attributeText(event, name)
    if (text !== undefined) attributes[`cloudevents.${name}`] = text
  }
  return attributes
}

/** Begins the span of an event that has come to a door. `undefined`: nothing is recorded of it. */
export const beginAccept = (
  tracer: Tracer,
  { event, headers }: EventMessage,
  destination: string,
  labels: Attributes,
): Span | undefined =>
  tracer.begin(destination, {
    kind: 'server',
    parent: headers,
    attributes: { ...attributesOf(event, destination), ...labels },
  })

/** @param accept gets the event as it is to be stored: in this span's trace */
export async function tracedAccept(
  span: Span,
  message: EventMessage,
  accept: (message: EventMessage) => Promise<AcceptResult>,
): Promise<AcceptResult> {
  try {
    const result = await accept(below(message, span))
    span.set({ 'http.response.status_code': result.status })
    if (result.status >= 500) span.fail(result.message ?? '')
    return result
  } finally {
    span.end()
  }
}

/** One try, in a span of its own. */
export function tracedSend(tracer: Tracer, outgoing: Outgoing, send: Send): Promise<Answer> {
  const { message, target, destination } = outgoing
  const messages = Array.isArray(message) ? (message as readonly EventMessage[]) : [message as EventMessage]
  const [first, ...others] = messages
  if (first === undefined) return send(outgoing)
  const [path] = target.path.split('?')
  const url = `${target.isSecureWithin === true ? target.origin.replace('http:', 'https:') : target.origin}${path}`
  const span = tracer.begin(`send ${url}`, {
    kind: 'client',
    parent: first.headers,
    attributes: {
      ...attributesOf(first.event, destination),
      'http.request.method': 'POST',
      'url.full': url,
      'server.address': target.host.replace(/:\d+$/, ''),
      ...(others.length > 0 && { 'messaging.batch.message_count': messages.length }),
    },
    links: others.flatMap(({ headers }) => parseTraceparent(headers['traceparent']) ?? []),
  })
  if (span === undefined) return send(outgoing)
  const traced: Outgoing = Array.isArray(message)
    ? { ...outgoing, message: messages.map((each) => below(each, span)), batchTrace: span.traceparent }
    : { ...outgoing, message: below(first, span) }
  return sendIn(span, traced, send)
}

async function sendIn(span: Span, outgoing: Outgoing, send: Send): Promise<Answer> {
  const answer = await send(outgoing)
  if (answer.kind === 'answer') {
    span.set({ 'http.response.status_code': answer.status })
    if (answer.status >= 400) span.fail(`answered ${answer.status}`)
  } else {
    span.set({ 'error.type': answer.kind === 'no-answer' ? (answer.errorType ?? 'other') : 'no_request' })
    span.fail(answer.reason)
  }
  span.end()
  return answer
}

/** The message with the span as its parent. */
function below({ event, headers }: EventMessage, { traceparent, tracestate }: Span): EventMessage {
  const { tracestate: _, ...others } = headers
  return { event, headers: { ...others, traceparent, ...(tracestate !== '' && { tracestate }) } }
}
