// What a consumer's deliveries are told as: each happening is one function, with its log line, metric and flow fact.
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/log.ts'
import type { BoundCounter, BoundHistogram, Histogram, Labels, Metrics } from '../../base/metrics.ts'
import { attributeText } from '../../model/cloudevents/event.ts'
import type { CloudEvent } from '../../model/cloudevents/event.ts'
import type { FlowFact, FlowFeed } from '../flow.ts'
import { eventingScope } from '../instrument-scopes.ts'
import type { DeliveryTrouble, DispatchSpec } from '../reconciler.ts'
import type { ErrorType } from './no-answer.ts'
import { withoutHops } from './reply.ts'
import type { Failure } from './retry.ts'

/** How a consumer can be done with an event. */
export type Outcome = 'delivered' | 'dead-lettered' | 'dropped' | 'expired'

/** An event that did not reach its subscriber, told once, when nothing more will be tried. */
export interface GiveUp {
  owner: DispatchSpec['owner']
  event: CloudEvent
  /** Whether a dead letter sink took it; otherwise it is gone. */
  deadLettered: boolean
  reason: string
  url?: string
  status?: number
}

/** A subscriber that events wait for from now on, and why; or no longer. */
export interface TroubleChange {
  owner: DispatchSpec['owner']
  url: string
  trouble: DeliveryTrouble | undefined
}

export interface TelemetryDeps {
  clock: Clock
  log: Logger
  metrics: Metrics
  flow: FlowFeed
  onGiveUp?: ((notice: GiveUp) => void) | undefined
  onTrouble?: ((change: TroubleChange) => void) | undefined
  /** Whose counters: live delivery's are kept apart from replays', so that events stay conserved. @default 'delivery' */
  countsAs?: 'delivery' | 'replay' | undefined
}

/** One try's result, as metrics and flow show it. */
export interface Tried {
  event: CloudEvent
  url: string
  status?: number | undefined
  /** Without a status: why there is none. */
  errorType?: ErrorType | undefined
  attempt: number
  tookMs: number
}

/** Label sets that are kept ready; event types are the sender's choice, so that there may be any number. */
const boundSeriesMax = 1_000

export class DispatchTelemetry {
  /** How many events ended how, since this telemetry was made. */
  readonly outcomes: Record<Outcome, number> = { delivered: 0, 'dead-lettered': 0, dropped: 0, expired: 0 }
  #spec: DispatchSpec
  #deps: TelemetryDeps
  #log: Logger
  #labels: Labels
  #dispatchDuration: Histogram
  #processDuration: BoundHistogram
  #durations = new Map<string, BoundHistogram>()
  /** What the last try was, as most are like it. */
  #last: { type: string; status: number; errorType: ErrorType | undefined; duration: BoundHistogram } | undefined
  #events: Record<Outcome, BoundCounter>
  #retries: BoundCounter
  #replies: Record<'sent' | 'failed' | 'unwanted', BoundCounter>

  constructor(spec: DispatchSpec, deps: TelemetryDeps) {
    const { kind, namespace, name } = spec.owner
    const shortKind = kind.split('.')[0]!.toLowerCase()
    const owner = { kind: shortKind, namespace, name }
    const { metrics, countsAs = 'delivery' } = deps
    this.#spec = spec
    this.#deps = deps
    this.#log = deps.log.child({ kind: shortKind, namespace, name, stream: spec.stream, consumer: spec.consumer })
    this.#labels = {
      'messaging.system': 'knative',
      'messaging.operation.name': 'send',
      'messaging.destination.name': `${shortKind}:${name}.${namespace}`,
    }
    const meter = metrics.scope(eventingScope)
    this.#dispatchDuration = meter.histogram(
      'kn.eventing.dispatch.duration',
      'Duration of one send of an event',
      'seconds',
    )
    this.#processDuration = meter
      .histogram('kn.eventing.process.duration', 'Time from the arrival of an event to its first send', 'seconds')
      .bind(this.#labels)
    const events = meter.counter(`knode.${countsAs}.events`, 'Events a consumer is done with, by outcome')
    const bind = (outcome: Outcome): BoundCounter => events.bind({ ...owner, outcome })
    this.#events = {
      delivered: bind('delivered'),
      'dead-lettered': bind('dead-lettered'),
      dropped: bind('dropped'),
      expired: bind('expired'),
    }
    this.#retries = meter.counter(`knode.${countsAs}.retries`, 'Tries that are to be repeated').bind(owner)
    const replies = meter.counter(`knode.${countsAs}.replies`, 'Events that subscribers answered with, by outcome')
    this.#replies = {
      sent: replies.bind({ ...owner, outcome: 'sent' }),
      failed: replies.bind({ ...owner, outcome: 'failed' }),
      unwanted: replies.bind({ ...owner, outcome: 'unwanted' }),
    }
  }

  /** The first try is about to start. */
  taken(appendedMs: number): void {
    // The clock may have been set back since.
    this.#processDuration.record(Math.max(0, this.#deps.clock.now() - appendedMs) / 1000)
  }

  /** The subscriber was tried, with whatever result. */
  tried({ event, status = 0, errorType, tookMs }: Tried): void {
    const type = attributeText(event, 'type') ?? ''
    const last = this.#last
    if (last === undefined || last.type !== type || last.status !== status || last.errorType !== errorType) {
      this.#last = { type, status, errorType, duration: this.#durationOf(type, status, errorType) }
    }
    this.#last!.duration.record(tookMs / 1000)
  }

  #durationOf(type: string, status: number, errorType: ErrorType | undefined): BoundHistogram {
    const key = errorType === undefined ? `${status} ${type}` : `${errorType} ${type}`
    let duration = this.#durations.get(key)
    if (duration === undefined) {
      const labels = {
        ...this.#labels,
        'cloudevents.type': type,
        ...(status > 0 && { 'http.response.status_code': status }),
        ...(errorType !== undefined && { 'error.type': errorType }),
      }
      duration = this.#dispatchDuration.bind(labels)
      if (this.#durations.size < boundSeriesMax) this.#durations.set(key, duration)
    }
    return duration
  }

  delivered(tried: Tried): void {
    this.#ended('delivered')
    // The one happening of nearly every event: nothing is gathered that nobody reads.
    if (!this.#deps.flow.watched && !this.#log.writes('debug')) return
    const { event, ...facts } = tried
    this.#log.debug('event delivered', { ...idOf(event), ...facts })
    this.#publish('delivered', event, facts)
  }

  retrying(tried: Tried, failure: Failure, delayMs: number): void {
    this.#retries.add(1)
    const { event, ...facts } = tried
    this.#log.debug('delivery failed, trying again', { ...idOf(event), ...facts, reason: failure.reason, delayMs })
    this.#publish('retrying', event, { ...facts, message: `${failure.reason}, again in ${delayMs} ms` })
  }

  replied(reply: CloudEvent, url: string): void {
    this.#replies.sent.add(1)
    this.#publish('replied', reply, { url })
  }

  replyFailed(reply: CloudEvent | undefined, failure: Failure): void {
    this.#replies.failed.add(1)
    this.#log.debug('reply not delivered', { ...(reply && idOf(reply)), url: failure.url, reason: failure.reason })
  }

  replyUnwanted(): void {
    this.#replies.unwanted.add(1)
  }

  deadLettered(event: CloudEvent, failure: Failure, sinkUrl: string): void {
    this.#ended('dead-lettered')
    const { reason, url } = failure
    this.#log.debug('event dead-lettered', { ...idOf(event), url, reason, deadLetterSink: sinkUrl })
    this.#publish('dead-lettered', event, { url: sinkUrl, message: `${url}: ${reason}` })
    this.#tellGiveUp(event, failure, true, reason)
  }

  /** Nobody took the event; `sinkFailure` is there when a dead letter sink was asked. */
  dropped(event: CloudEvent, failure: Failure, sinkFailure: Failure | undefined): void {
    this.#ended('dropped')
    const sink =
      sinkFailure === undefined
        ? 'there is no dead letter sink'
        : `the dead letter sink ${sinkFailure.url} failed as well: ${sinkFailure.reason}`
    const reason = `${failure.reason}; ${sink}`
    this.#log.warn('event dropped', { ...idOf(event), url: failure.url, reason })
    this.#publish('dropped', event, { url: failure.url, message: reason })
    this.#tellGiveUp(event, failure, false, reason)
  }

  expired(event: CloudEvent, ageMs: number): void {
    this.#ended('expired')
    this.#log.debug('event expired', { ...idOf(event), ageMs })
    this.#publish('dropped', event, { message: `expired: ${Math.round(ageMs)} ms old` })
  }

  troubleChanged(url: string, trouble: DeliveryTrouble | undefined): void {
    if (trouble === undefined) this.#log.info('subscriber takes events again', { url })
    else this.#log.warn('events wait for their subscriber', { url, code: trouble.reason, reason: trouble.message })
    this.#deps.onTrouble?.({ owner: this.#spec.owner, url, trouble })
  }

  #ended(outcome: Outcome): void {
    this.outcomes[outcome]++
    this.#events[outcome].add(1)
  }

  #tellGiveUp(event: CloudEvent, { url, status }: Failure, deadLettered: boolean, reason: string): void {
    const { owner } = this.#spec
    this.#deps.onGiveUp?.({ owner, event, deadLettered, reason, url, ...(status !== undefined && { status }) })
  }

  #publish(
    what: FlowFact['what'],
    event: CloudEvent,
    facts: Partial<Omit<Tried, 'event'>> & { message?: string },
  ): void {
    const { flow, clock } = this.#deps
    if (!flow.watched) return
    const { kind, namespace, name } = this.#spec.owner
    const { status, ...others } = facts
    flow.publish({
      what,
      timeMs: clock.now(),
      stream: this.#spec.stream,
      // As the subscriber sees it.
      event: this.#spec.contract === 'trigger' ? withoutHops(event) : event,
      owner: { kind, namespace, name },
      ...others,
      ...(status !== undefined && { status }),
    })
  }
}

const idOf = (event: CloudEvent): { eventid: unknown; eventtype: unknown; eventsource: unknown } => ({
  eventid: event.attributes.get('id'),
  eventtype: event.attributes.get('type'),
  eventsource: event.attributes.get('source'),
})
