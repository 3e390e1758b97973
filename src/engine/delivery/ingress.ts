// The doors of Brokers and channels: what happens to an event before it is stored. Source: knative/eventing
// pkg/broker/ingress, pkg/broker/ttl.go.
import type { Clock } from '../../base/clock.ts'
import { KnodeError, messageOf } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import type { BoundHistogram, Metrics } from '../../base/metrics.ts'
import { attributeText, withAttributes } from '../../model/cloudevents/event.ts'
import type { AttributeValue, CloudEvent, EventMessage } from '../../model/cloudevents/event.ts'
import { timestampOf } from '../../model/cloudevents/timestamp.ts'
import type { FlowFeed } from '../flow.ts'
import { eventingScope } from '../instrument-scopes.ts'
import type { AcceptResult, EndpointOptions, EventEndpoint } from '../reconciler.ts'
import type { Tracing } from '../tracing.ts'
import { beginAccept, tracedAccept } from './event-trace.ts'
import type { DeliveryLimits } from './limits.ts'
import { OnceOnly } from './once-only.ts'
import { hopsAttribute } from './reply.ts'

export interface IngressDeps {
  clock: Clock
  log: Logger
  metrics: Metrics
  flow: FlowFeed
  tracing: Tracing
  limits: Pick<DeliveryLimits, 'dedupEntriesMax'>
}

/** Passes through Brokers that an event which does not say otherwise may take. */
const hopsMax = 255

const taken: AcceptResult = { status: 202 }

/** What a sender is told to wait when the stream takes nothing now, in seconds. */
const retryAfterSeconds = 5

/**
 * The door of a Broker: sets `knativearrivaltime`, counts `knativebrokerttl` down, and answers 202 once the event is
 * stored; 400 when no hop is left, so that the last reply of a loop ends as a dead letter. With `dedupMs` it begins to
 * read which events it has taken, and takes none before it knows.
 */
export function brokerEndpoint(options: EndpointOptions, deps: IngressDeps): EventEndpoint {
  const { namespace, name } = options
  const labels = { 'kn.broker.name': name, 'kn.broker.namespace': namespace }
  const place = { destination: `broker:${name}.${namespace}`, labels }
  let nowMs = NaN
  let now = ''
  return endpoint(options, deps, place, (event, given) => {
    const hops = hopsLeft(event)
    if (hops <= 0) return `the event passed through too many Brokers: no ${hopsAttribute} left`
    // Written out once a millisecond at most.
    if (nowMs !== deps.clock.now()) now = timestampOf((nowMs = deps.clock.now()))
    if (!given) return withAttributes(event, { knativearrivaltime: now, [hopsAttribute]: hops })
    const attributes = event.attributes as Map<string, AttributeValue>
    attributes.set('knativearrivaltime', now).set(hopsAttribute, hops)
    return event
  })
}

/** The door of a channel: stores the event as it is. */
export function channelEndpoint(options: EndpointOptions, deps: IngressDeps): EventEndpoint {
  const { namespace, name } = options
  const labels = { 'kn.channel.name': name, 'kn.channel.namespace': namespace }
  return endpoint(options, deps, { destination: `channel:${name}.${namespace}`, labels }, (event) => event)
}

function endpoint(
  { stream, dedupMs }: EndpointOptions,
  { clock, log, metrics, flow, tracing, limits }: IngressDeps,
  { destination, labels }: { destination: string; labels: Record<string, string> },
  prepare: (event: CloudEvent, given: boolean) => CloudEvent | string,
): EventEndpoint {
  const description = 'Duration of one send of an event'
  const meter = metrics.scope(eventingScope)
  const duration = meter.histogram('kn.eventing.dispatch.duration', description, 'seconds')
  const byStatus = new Map<number, BoundHistogram>()

  const duplicates = meter.counter('knode.ingress.duplicates', 'Events that a Broker had taken before')
  const once =
    dedupMs === undefined
      ? undefined
      : new OnceOnly({ stream, windowMs: dedupMs, entriesMax: limits.dedupEntriesMax, clock, log })
  once?.load().catch((error: unknown) => log.warn('history not read', { stream: stream.name, err: error }))

  const told = (
    message: EventMessage,
    result: AcceptResult,
    startedMs: number,
    what: 'accepted' | 'refused' = result.status < 300 ? 'accepted' : 'refused',
  ): AcceptResult => {
    const { status, message: text } = result
    let bound = byStatus.get(status)
    if (bound === undefined)
      byStatus.set(status, (bound = duration.bind({ ...labels, 'http.response.status_code': status })))
    bound.record((clock.monotonicMs() - startedMs) / 1000)
    if (flow.watched) {
      const facts = { timeMs: clock.now(), stream: stream.name, event: message.event, status }
      flow.publish({ what, ...facts, ...(text !== undefined && { message: text }) })
    }
    return result
  }

  const refused = (message: EventMessage, error: unknown, startedMs: number): AcceptResult => {
    const result = refusalOf(error)
    log.warn('event refused', { stream: stream.name, status: result.status, err: messageOf(error) })
    return told(message, result, startedMs)
  }
  const store = async (message: EventMessage, startedMs: number): Promise<AcceptResult> => {
    try {
      await stream.append(message)
      return told(message, taken, startedMs)
    } catch (error) {
      return refused(message, error, startedMs)
    }
  }
  const storeOnce = async (gate: OnceOnly, message: EventMessage, startedMs: number): Promise<AcceptResult> => {
    try {
      const result = await gate.take(message.event, () => store(message, startedMs))
      if (result !== 'duplicate') return result
      duplicates.add(1, labels)
      return told(message, { status: 202, message: 'duplicate' }, startedMs, 'refused')
    } catch (error) {
      return refused(message, error, startedMs)
    }
  }

  const accept = (message: EventMessage, given: boolean): Promise<AcceptResult> => {
    const startedMs = clock.monotonicMs()
    const event = prepare(message.event, given)
    if (typeof event === 'string') {
      return Promise.resolve(told(message, { status: 400, message: event }, startedMs))
    }
    const stored = event === message.event ? message : { event, headers: message.headers }
    return once === undefined ? store(stored, startedMs) : storeOnce(once, stored, startedMs)
  }

  return {
    kind: 'events',
    accept(message, { given = false } = {}) {
      const tracer = tracing.eventing
      const span = tracer && beginAccept(tracer, message, destination, labels)
      return span === undefined
        ? accept(message, given)
        : tracedAccept(span, message, (traced) => accept(traced, given))
    },
  }
}

function hopsLeft(event: CloudEvent): number {
  const text = attributeText(event, hopsAttribute)
  if (text === undefined || !/^-?\d{1,10}$/.test(text)) return hopsMax
  return Number(text) - 1
}

function refusalOf(error: unknown): AcceptResult {
  const message = messageOf(error)
  const { code, retryable = false } = error instanceof KnodeError ? error : {}
  if (retryable || code === 'TRANSPORT_FULL' || code === 'TRANSPORT_CLOSED')
    return { status: 503, message, retryAfterSeconds }
  return { status: 500, message }
}
