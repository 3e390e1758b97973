// The course of one event: subscriber, reply, and what happens when either fails. Source: Knative eventing data-plane
// spec; knative/eventing pkg/kncloudevents/event_dispatcher.go.
import type { Clock } from '../../base/clock.ts'
import type { CloudEvent, EventMessage } from '../../model/cloudevents/event.ts'
import type { ParsedDelivery } from '../../model/duck/delivery.ts'
import type { DispatchSpec } from '../reconciler.ts'
import type { Circuit } from './circuit.ts'
import { deadLetterOf } from './dead-letter.ts'
import type { HttpAnswer } from './http-client.ts'
import type { ErrorType } from './no-answer.ts'
import { hopsAttribute, readAnswer, replyMessage, withHopsOf } from './reply.ts'
import type { AnswerReading } from './reply.ts'
import { isRetriable, isSuccess, nextStep } from './retry.ts'
import type { Failure } from './retry.ts'
import { failureOf } from './send.ts'
import type { Answer, Outgoing, Send } from './send.ts'
import type { Target } from './target.ts'
import type { DispatchTelemetry, Tried } from './telemetry.ts'

/** Where a consumer's events go, taken apart once. */
export interface Route {
  contract: DispatchSpec['contract']
  namespace: string
  /** As traces name it. */
  destination: string
  subscriber?: Target
  reply?: Target
  deadLetter?: Target
  delivery: ParsedDelivery
  timeoutMs: number
  /** The DNS name the events come from, where the subscriber was asked for its consent. */
  webhookOrigin?: string
}

export interface CourseDeps {
  send: Send
  clock: Clock
  telemetry: DispatchTelemetry
  circuit: Circuit
  /** Waits without counting as busy. Resolves to false when delivering stops meanwhile. */
  pause: (delayMs: number) => Promise<boolean>
  /** Waits and counts as busy. Resolves as `pause` does. */
  rest: (delayMs: number) => Promise<boolean>
  /** Cuts what is being sent. */
  signal: AbortSignal
  /** Told when a subscriber that was asked for its consent takes it back with 410. */
  onGone?: () => void
}

/** `done`: acknowledge. `retry`: hand over again. `interrupted`: delivering stops; the event stays as it was. */
export type Verdict = { kind: 'done' } | { kind: 'retry'; delayMs: number } | { kind: 'interrupted' }

/** `failed`: no more tries for the batch; each of its events has to be given up. */
export type BatchVerdict = Verdict | { kind: 'failed'; failure: Failure }

/** How the subscriber took one try. */
type Asked =
  | { kind: 'answered'; answer: HttpAnswer; tried: Tried }
  | { kind: 'failed'; failure: Failure; tried: Tried }
  | { kind: 'interrupted' }

const done: Verdict = { kind: 'done' }
const interrupted: Verdict = { kind: 'interrupted' }

/**
 * Takes events through their course. A failing subscriber is retried by handing the event over again; a failing reply
 * or dead letter sink is retried right here, so that the subscriber is not called once more.
 */
export class Course {
  #route: Route
  #deps: CourseDeps

  constructor(route: Route, deps: CourseDeps) {
    this.#route = route
    this.#deps = deps
  }

  /** One try, numbered from 1. Never throws. */
  async take(message: EventMessage, attempt: number): Promise<Verdict> {
    const { subscriber, delivery } = this.#route
    const { clock, telemetry } = this.#deps
    // Without a subscriber, the event itself is what flows on.
    if (subscriber === undefined) return this.#passOn(message)
    const asked = await this.#ask(subscriber, message, message.event, attempt)
    if (asked.kind === 'interrupted') return interrupted
    const { tried } = asked
    if (asked.kind === 'answered') {
      const reading = readAnswer(asked.answer)
      if (reading.kind !== 'empty') return this.#answered(message, reading, tried)
      telemetry.delivered(tried)
      return done
    }
    const { failure } = asked
    const step = nextStep(delivery, attempt, failure, clock.now())
    if (step.kind === 'give-up') return this.giveUp(message, failure)
    telemetry.retrying(tried, failure, step.delayMs)
    return step
  }

  /** One try with several events at once: all succeed or all fail. What is answered to them is not looked at. */
  async takeBatch(messages: readonly EventMessage[], attempt: number): Promise<BatchVerdict> {
    const { subscriber, delivery } = this.#route
    const { clock, telemetry } = this.#deps
    const [first] = messages
    if (subscriber === undefined || first === undefined) return done
    const asked = await this.#ask(subscriber, messages, first.event, attempt)
    if (asked.kind === 'interrupted') return interrupted
    const { tried } = asked
    if (asked.kind === 'answered') {
      for (const { event } of messages) telemetry.delivered({ ...tried, event })
      return done
    }
    const { failure } = asked
    const step = nextStep(delivery, attempt, failure, clock.now())
    if (step.kind === 'give-up') return { kind: 'failed', failure }
    for (const { event } of messages) telemetry.retrying({ ...tried, event }, failure, step.delayMs)
    return step
  }

  /** Calls the subscriber, unless it is known not to answer. `event` stands for the try where it is told. */
  async #ask(target: Target, message: Outgoing['message'], event: CloudEvent, attempt: number): Promise<Asked> {
    const { delivery, timeoutMs, namespace, destination, contract, webhookOrigin } = this.#route
    const { clock, circuit, telemetry, signal, send, rest, onGone } = this.#deps
    if (attempt <= delivery.retries && !circuit.admits(clock.monotonicMs())) {
      // Thousands may wait for such a subscriber. That each keeps its place for a while keeps them from passing through
      // all at once, time after time, at the expense of others.
      if (!(await rest(circuit.restMs))) return { kind: 'interrupted' }
      const { open } = circuit
      if (open !== undefined) {
        const reason = `not tried, the subscriber does not answer: ${open}`
        const failure = failureOf({ kind: 'no-answer', reason }, target, isRetriable)
        return { kind: 'failed', failure, tried: { event, url: target.url, attempt, tookMs: 0 } }
      }
    }
    const startedMs = clock.monotonicMs()
    const outgoing: Outgoing = { message, target, timeoutMs, namespace, destination, signal, prefersReply: true }
    if (contract === 'trigger') {
      // Subscribers do not see the hop count; leaving it out when writing spares a copy of every event.
      outgoing.omits = hopsAttribute
      if (delivery.format !== undefined) outgoing.format = delivery.format
    }
    if (webhookOrigin !== undefined) outgoing.webhookOrigin = webhookOrigin
    const answer = await send(outgoing)
    if (signal.aborted && answer.kind !== 'answer') return { kind: 'interrupted' }
    this.#watch(answer)
    const status = answer.kind === 'answer' ? answer.status : undefined
    const tried: Tried = { event, url: target.url, status, attempt, tookMs: clock.monotonicMs() - startedMs }
    telemetry.tried(answer.kind === 'answer' ? tried : { ...tried, errorType: errorTypeIn(answer) })
    if (answer.kind === 'answer' && isSuccess(answer.status)) return { kind: 'answered', answer, tried }
    if (status === 410) onGone?.()
    return { kind: 'failed', failure: failureOf(answer, target, isRetriable), tried }
  }

  #watch(answer: Answer): void {
    const { circuit, clock } = this.#deps
    if (answer.kind === 'answer') circuit.answered()
    else if (answer.kind === 'no-answer') circuit.unanswered(clock.monotonicMs(), answer.reason)
  }

  async #answered(
    message: EventMessage,
    reading: Exclude<AnswerReading, { kind: 'empty' }>,
    tried: Tried,
  ): Promise<Verdict> {
    const { reply: target, contract } = this.#route
    const { telemetry } = this.#deps
    switch (reading.kind) {
      case 'no-event':
        if (contract === 'trigger') return this.giveUp(message, answeredNoEvent(tried))
        break
      case 'broken': {
        if (target === undefined && contract === 'subscription') break
        const failure = brokenReply(target?.url ?? tried.url, reading.reason)
        telemetry.replyFailed(undefined, failure)
        return this.giveUp(message, failure)
      }
      case 'reply': {
        if (target === undefined) {
          telemetry.replyUnwanted()
          break
        }
        const failed = await this.#reply(reading.message, message, target)
        if (failed !== undefined) return failed
        break
      }
      default:
        return reading satisfies never
    }
    telemetry.delivered(tried)
    return done
  }

  /** Sends the reply on; the verdict when that did not work out. */
  async #reply(answered: EventMessage, message: EventMessage, target: Target): Promise<Verdict | undefined> {
    const { contract } = this.#route
    const { telemetry } = this.#deps
    const reply = replyMessage(answered, message)
    const event = contract === 'trigger' ? withHopsOf(reply.event, message.event) : reply.event
    const result = await this.#sendOn({ event, headers: reply.headers }, target)
    if (result === 'interrupted') return interrupted
    if (result === 'sent') {
      telemetry.replied(event, target.url)
      return undefined
    }
    telemetry.replyFailed(event, result)
    return this.giveUp(message, result)
  }

  async #passOn(message: EventMessage): Promise<Verdict> {
    const { reply: target } = this.#route
    const { telemetry, clock } = this.#deps
    const startedMs = clock.monotonicMs()
    const failed = target === undefined ? undefined : await this.#reply(message, message, target)
    if (failed !== undefined) return failed
    const tookMs = clock.monotonicMs() - startedMs
    telemetry.delivered({ event: message.event, url: target?.url ?? '', attempt: 1, tookMs })
    return done
  }

  /** The dead letter sink gets the original event, also when it was the reply that failed. */
  async giveUp(message: EventMessage, failure: Failure): Promise<Verdict> {
    const { deadLetter } = this.#route
    const { telemetry } = this.#deps
    if (deadLetter === undefined) {
      telemetry.dropped(message.event, failure, undefined)
      return done
    }
    const result = await this.#sendOn(
      { event: deadLetterOf(message.event, failure), headers: message.headers },
      deadLetter,
    )
    if (result === 'interrupted') return interrupted
    if (result === 'sent') telemetry.deadLettered(message.event, failure, deadLetter.url)
    else telemetry.dropped(message.event, failure, result)
    return done
  }

  /** Sends a reply or dead letter, with the same retries as the delivery itself. What is answered is not looked at. */
  async #sendOn(message: EventMessage, target: Target): Promise<'sent' | 'interrupted' | Failure> {
    const { delivery, timeoutMs, namespace, destination } = this.#route
    const { clock, send, signal, pause } = this.#deps
    for (let attempt = 1; ; attempt++) {
      const answer = await send({ message, target, timeoutMs, namespace, destination, signal })
      if (answer.kind === 'answer' && isSuccess(answer.status)) return 'sent'
      if (signal.aborted) return 'interrupted'
      const failure = failureOf(answer, target, isRetriable)
      const step = nextStep(delivery, attempt, failure, clock.now())
      if (step.kind === 'give-up') return failure
      if (!(await pause(step.delayMs))) return 'interrupted'
    }
  }
}

const errorTypeIn = (answer: Exclude<Answer, HttpAnswer>): ErrorType =>
  answer.kind === 'no-request' ? 'no_request' : (answer.errorType ?? 'other')

// As in Knative's Kafka data plane, the dead letter then names the subscriber and nothing else, and the function is not
// called again: it did its work.
const answeredNoEvent = ({ url, status }: Tried): Failure => ({
  url,
  ...(status !== undefined && { status }),
  retriable: false,
  reason: `answered ${status} with a body that is no CloudEvent`,
})

const brokenReply = (url: string, reason: string): Failure => ({
  url,
  status: 400,
  retriable: false,
  reason: `the subscriber's reply is no valid event: ${reason}`,
  errorCode: 400,
  errorData: Buffer.from(reason),
})
