// One consumer at work: takes deliveries from its stream, decides when each may go, and settles them.
import { sleep } from '../../base/clock.ts'
import type { Clock } from '../../base/clock.ts'
import { attributeText } from '../../model/cloudevents/event.ts'
import { parseDelivery } from '../../model/duck/delivery.ts'
import type { Consumption, Delivery, EventStream } from '../../ports/event-transport/port.ts'
import type { Addresses, DeliveryTrouble, DispatchSpec } from '../reconciler.ts'
import { deliveryControls } from './annotations.ts'
import type { DeliveryControls } from './annotations.ts'
import { BatchCollector } from './batch-collector.ts'
import { Circuit } from './circuit.ts'
import { Course } from './course.ts'
import type { CourseDeps, Route, Verdict } from './course.ts'
import type { DeliveryLimits } from './limits.ts'
import { Pace, Slots, Turns } from './pacing.ts'
import type { Failure } from './retry.ts'
import type { AskConsent, Send } from './send.ts'
import { parseTarget } from './target.ts'
import type { DispatchTelemetry } from './telemetry.ts'
import { WebhookGate } from './webhook-gate.ts'

export interface DispatcherDeps {
  stream: Pick<EventStream, 'consume'>
  send: Send
  askConsent: AskConsent
  addresses: Addresses
  clock: Clock
  limits: DeliveryLimits
  telemetry: DispatchTelemetry
  visible: CourseDeps['visible']
}

/** Delivers until disposed. Make it with {@link startDispatcher}. */
export class Dispatcher implements AsyncDisposable {
  #deps: DispatcherDeps
  #url: string
  #controls: DeliveryControls
  #inFlightMax: number
  #slots: Slots
  #turns = new Turns()
  #pace: Pace | undefined
  #circuit: Circuit
  #course: Course
  #batches: BatchCollector | undefined
  #gate: WebhookGate | undefined
  #consumption: Consumption | undefined
  /** Deliveries held without being busy: waiting for a turn, or for another try at a reply or dead letter. */
  #waiting = 0
  #windowSet: number
  #stopping = new AbortController()
  #cutting = new AbortController()
  #closed: Promise<void> | undefined

  constructor(spec: DispatchSpec, deps: DispatcherDeps) {
    const { limits, clock, telemetry, send, visible } = deps
    this.#deps = deps
    this.#controls = deliveryControls(spec.annotations)
    const { inFlightMax = limits.inFlightMax, ratePerSecond } = this.#controls
    this.#inFlightMax = inFlightMax
    this.#windowSet = this.#window()
    this.#slots = new Slots(inFlightMax)
    if (ratePerSecond !== undefined) this.#pace = new Pace(ratePerSecond)
    this.#url = spec.subscriber?.url ?? ''
    const onTrouble = (): void => telemetry.troubleChanged(this.#url, this.trouble)
    const circuit = (this.#circuit = new Circuit(limits, onTrouble))
    const pause = (delayMs: number): Promise<boolean> => this.#pause(delayMs)
    const onGone = (): void => this.#gate?.close()
    const { signal } = this.#cutting
    const route = routeOf(spec, deps)
    this.#course = new Course(route, { send, clock, telemetry, circuit, visible, pause, signal, onGone })
    this.#gate = this.#gateOf(route, onTrouble)
    this.#batches = this.#collectorOf(route)
  }

  /** Why events wait for the subscriber; `undefined` while they do not. */
  get trouble(): DeliveryTrouble | undefined {
    const { open } = this.#circuit
    if (this.#gate?.trouble !== undefined || open === undefined) return this.#gate?.trouble
    return { reason: 'SubscriberDoesNotAnswer', message: `${this.#url} does not answer: ${open}` }
  }

  #gateOf({ subscriber, timeoutMs, webhookOrigin: origin }: Route, onChange: () => void): WebhookGate | undefined {
    if (subscriber === undefined || origin === undefined) return undefined
    const { clock, limits, askConsent } = this.#deps
    const { ratePerSecond } = this.#controls
    const rate = ratePerSecond === undefined ? {} : { ratePerMinute: Math.ceil(ratePerSecond * 60) }
    const { signal } = this.#stopping
    return new WebhookGate({
      origin,
      url: this.#url,
      ask: () => askConsent({ target: subscriber, timeoutMs, origin, ...rate, signal }),
      clock,
      limits,
      onConsent: ({ ratePerMinute }) => {
        if (ratePerMinute === undefined) return
        this.#pace = new Pace(Math.min(ratePerSecond ?? Infinity, ratePerMinute / 60))
      },
      onChange,
    })
  }

  #collectorOf({ subscriber }: Route): BatchCollector | undefined {
    const { limits, clock } = this.#deps
    const { batch } = this.#controls
    if (subscriber === undefined || batch === undefined) return undefined
    const { batchWaitMs, batchBytesMax: bytesMax, waitingMax: returningMax } = limits
    const { eventsMax, waitMs = batchWaitMs } = batch
    const batchLimits = { eventsMax, waitMs, bytesMax, reunionMs: batchWaitMs, returningMax }
    return new BatchCollector(batchLimits, clock, (deliveries) => void this.#workBatch(deliveries))
  }

  async start(consumer: string): Promise<void> {
    const { stream } = this.#deps
    this.#consumption = await stream.consume(consumer, {
      inFlightMax: this.#windowSet,
      handle: (delivery) => void this.#handle(delivery),
    })
    if (this.#controls.paused) this.#consumption.pause()
    else if (this.#gate !== undefined) void this.#gate.open(this.#stopping.signal)
  }

  /** Takes no more, lets what is being sent finish for a while, and gives the rest back. */
  [Symbol.asyncDispose](): Promise<void> {
    return (this.#closed ??= this.#close())
  }

  async #close(): Promise<void> {
    const { clock, limits } = this.#deps
    this.#consumption?.pause()
    this.#stopping.abort()
    this.#batches?.stop()
    const idle = this.#slots.close()
    const cancelTimer = clock.setTimer(limits.drainMs, () => this.#cutting.abort())
    await idle
    cancelTimer()
    await this.#consumption?.[Symbol.asyncDispose]()
  }

  async #handle(delivery: Delivery): Promise<void> {
    // Handed over before `pause` could take effect: stays unsettled and is given back.
    if (this.#controls.paused || this.#stopping.signal.aborted) return
    if (this.#gate !== undefined && !(await this.#gate.passed())) return
    if (this.#stopping.signal.aborted) return
    if (this.#batches !== undefined) return this.#batches.add(delivery)
    const { orderingAttribute } = this.#controls
    const key = orderingAttribute && attributeText(delivery.message.event, orderingAttribute)
    if (key === undefined) return this.#work(delivery)
    this.#hold(1)
    await this.#turns.run(key, () => {
      this.#hold(-1)
      return this.#work(delivery)
    })
  }

  async #work(delivery: Delivery): Promise<void> {
    for (let { attempt } = delivery; ; attempt++) {
      await this.#slots.enter()
      const verdict = await this.#try(delivery, attempt)
      this.#slots.leave()
      if (verdict.kind === 'interrupted') return
      if (verdict.kind === 'done') return delivery.ack()
      // In order, an event keeps its turn until it is done: nobody of its key may overtake it.
      if (this.#controls.orderingAttribute === undefined) return delivery.retryLater(verdict.delayMs)
      this.#hold(1)
      const goesOn = await this.#sleep(verdict.delayMs)
      this.#hold(-1)
      if (!goesOn) return
    }
  }

  async #try(delivery: Delivery, attempt: number): Promise<Verdict> {
    if (!(await this.#mayStart())) return { kind: 'interrupted' }
    if (this.#hasExpired(delivery)) return { kind: 'done' }
    if (attempt === 1) this.#deps.telemetry.taken(delivery.appendedMs)
    return this.#course.take(delivery.message, attempt)
  }

  /** Deliveries of the same attempt. */
  async #workBatch(deliveries: Delivery[]): Promise<void> {
    await this.#slots.enter()
    const live = (await this.#mayStart()) ? deliveries.filter((delivery) => this.#isLive(delivery)) : []
    const [first] = live
    if (first === undefined) return this.#slots.leave()
    const { attempt } = first
    if (attempt === 1) for (const { appendedMs } of live) this.#deps.telemetry.taken(appendedMs)
    const messages = live.map(({ message }) => message)
    const verdict = await this.#course.takeBatch(messages, attempt)
    this.#slots.leave()
    switch (verdict.kind) {
      case 'done':
        return live.forEach((delivery) => delivery.ack())
      case 'retry':
        this.#batches?.expectAgain(live)
        return live.forEach((delivery) => delivery.retryLater(verdict.delayMs))
      case 'failed':
        return live.forEach((delivery) => void this.#giveUp(delivery, verdict.failure))
      case 'interrupted':
        return undefined
      default:
        return verdict satisfies never
    }
  }

  async #giveUp(delivery: Delivery, failure: Failure): Promise<void> {
    await this.#slots.enter()
    const verdict = await this.#course.giveUp(delivery.message, failure)
    this.#slots.leave()
    if (verdict.kind === 'done') delivery.ack()
  }

  /** Waits for the rate. False when nothing may be sent any more. */
  async #mayStart(): Promise<boolean> {
    const waitMs = this.#pace?.reserve(this.#deps.clock.monotonicMs()) ?? 0
    if (waitMs > 0 && !(await this.#sleep(waitMs))) return false
    return !this.#stopping.signal.aborted && this.#gate?.isGone !== true
  }

  #isLive(delivery: Delivery): boolean {
    const expired = this.#hasExpired(delivery)
    if (expired) delivery.ack()
    return !expired
  }

  /** Tells of it, too. */
  #hasExpired({ appendedMs, message }: Delivery): boolean {
    const { expireAfterMs } = this.#controls
    const ageMs = this.#deps.clock.now() - appendedMs
    if (expireAfterMs === undefined || ageMs < expireAfterMs) return false
    this.#deps.telemetry.expired(message.event, ageMs)
    return true
  }

  async #pause(delayMs: number): Promise<boolean> {
    this.#slots.leave()
    this.#hold(1)
    const goesOn = await this.#sleep(delayMs)
    this.#hold(-1)
    await this.#slots.enter()
    return goesOn && !this.#stopping.signal.aborted
  }

  async #sleep(delayMs: number): Promise<boolean> {
    try {
      await sleep(this.#deps.clock, delayMs, this.#stopping.signal)
      return true
    } catch {
      return false
    }
  }

  // What waits holds a place in the stream's in-flight bound; widening it keeps the others going.
  #hold(change: 1 | -1): void {
    this.#waiting += change
    const window = this.#window()
    if (window === this.#windowSet) return
    this.#windowSet = window
    this.#consumption?.setInFlightMax(window)
  }

  #window(): number {
    const { waitingMax, batchedEventsMax } = this.#deps.limits
    const { batch } = this.#controls
    // One batch is gathered while the others are being sent.
    if (batch !== undefined)
      return Math.min(batch.eventsMax * (this.#inFlightMax + 1), batchedEventsMax) + this.#waiting
    // Events behind a blocked key must be taken to be seen, so an ordered consumer reaches out at once.
    const ahead = this.#controls.orderingAttribute === undefined ? Math.min(this.#waiting, waitingMax) : waitingMax
    return this.#inFlightMax + ahead
  }
}

function routeOf(spec: DispatchSpec, { addresses, limits }: DispatcherDeps): Route {
  const delivery = parseDelivery(spec.delivery)
  const { webhookOrigin } = deliveryControls(spec.annotations)
  return {
    contract: spec.contract,
    namespace: spec.owner.namespace,
    delivery,
    timeoutMs: delivery.timeoutMs ?? limits.tryMsMax,
    ...(webhookOrigin !== undefined && { webhookOrigin }),
    ...(spec.subscriber && { subscriber: parseTarget(spec.subscriber, addresses) }),
    ...(spec.reply && { reply: parseTarget(spec.reply, addresses) }),
    ...(spec.deadLetter && { deadLetter: parseTarget(spec.deadLetter, addresses) }),
  }
}
