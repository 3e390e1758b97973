// One consumer at work: takes deliveries from its stream, decides when each may go, and settles them.
import { sleep } from '../../base/clock.ts'
import type { Clock } from '../../base/clock.ts'
import { attributeText } from '../../model/cloudevents/event.ts'
import { parseDelivery } from '../../model/duck/delivery.ts'
import type { Consumption, Delivery, EventStream, Offset } from '../../ports/event-transport/port.ts'
import type { Addresses, DeliveryTrouble, DispatchSpec } from '../reconciler.ts'
import { deliveryControls } from './annotations.ts'
import type { DeliveryControls } from './annotations.ts'
import { BatchCollector } from './batch-collector.ts'
import { Circuit } from './circuit.ts'
import { Course } from './course.ts'
import type { Route, Verdict } from './course.ts'
import { Lanes } from './lanes.ts'
import type { DeliveryLimits } from './limits.ts'
import { Pace, Slots } from './pacing.ts'
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
}

/** Delivers until disposed. Make it with {@link startDispatcher}. */
export class Dispatcher implements AsyncDisposable {
  #deps: DispatcherDeps
  #url: string
  #controls: DeliveryControls
  #inFlightMax: number
  #slots: Slots
  #lanes: Lanes
  #pace: Pace | undefined
  #circuit: Circuit
  #course: Course
  #batches: BatchCollector | undefined
  #gate: WebhookGate | undefined
  #consumption: Consumption | undefined
  /** Events may come, and be done with, before the stream has said that it hands them over. */
  #consuming = Promise.withResolvers<Consumption>()
  /** Deliveries held without being busy, as they wait for another try at a reply or dead letter. */
  #waiting = 0
  /** Whether so many do that there is no place left for new ones. */
  #isTakenUp = false
  /** Whether so many events wait that the stream hands over no new ones. */
  #isFull = false
  #windowSet: number
  #stopping = new AbortController()
  #cutting = new AbortController()
  #closed: Promise<void> | undefined

  constructor(spec: DispatchSpec, deps: DispatcherDeps) {
    const { limits, clock, telemetry, send } = deps
    this.#deps = deps
    this.#controls = deliveryControls(spec.annotations)
    const { inFlightMax = limits.inFlightMax, ratePerSecond } = this.#controls
    this.#inFlightMax = inFlightMax
    this.#windowSet = this.#window()
    this.#slots = new Slots(inFlightMax)
    if (ratePerSecond !== undefined) this.#pace = new Pace(ratePerSecond)
    this.#url = spec.subscriber?.url ?? ''
    const onTrouble = (): void => telemetry.troubleChanged(this.#url, this.trouble)
    this.#lanes = new Lanes({
      perKeyMax: limits.heldPerKeyMax,
      // So that there is always room to take new events.
      heldMax: limits.waitingMax / 2,
      work: (delivery) => this.#try(delivery),
      recall: (offset) => this.#recall(offset),
    })
    const circuit = (this.#circuit = new Circuit(limits, onTrouble))
    const pause = (delayMs: number): Promise<boolean> => this.#pause(delayMs)
    const rest = (delayMs: number): Promise<boolean> => this.#sleep(delayMs)
    const onGone = (): void => this.#gate?.close()
    const { signal } = this.#cutting
    const route = routeOf(spec, deps)
    this.#course = new Course(route, { send, clock, telemetry, circuit, pause, rest, signal, onGone })
    this.#gate = this.#gateOf(route, onTrouble)
    this.#batches = this.#collectorOf(route)
  }

  /** Why events wait for the subscriber; `undefined` while they do not. */
  get trouble(): DeliveryTrouble | undefined {
    const { open } = this.#circuit
    if (this.#gate?.trouble !== undefined) return this.#gate.trouble
    if (open !== undefined)
      return { reason: 'SubscriberDoesNotAnswer', message: `${this.#url} does not answer: ${open}` }
    if (!this.#isFull && !this.#isTakenUp) return undefined
    const waiting = this.#isFull
      ? `${this.#deps.limits.unsettledMax} events wait for another try, or behind one that does`
      : `${this.#window()} events wait for another try at their reply or dead letter`
    return { reason: 'TooManyEventsWait', message: `${this.#url} fails: ${waiting}, and no others are taken` }
  }

  /** Tells of what `change` changes in it. */
  #tellTrouble(change: () => void): void {
    const before = this.trouble?.reason
    change()
    const { trouble } = this
    if (trouble?.reason !== before) this.#deps.telemetry.troubleChanged(this.#url, trouble)
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
    const { stream, limits } = this.#deps
    this.#consumption = await stream.consume(consumer, {
      inFlightMax: this.#windowSet,
      inOrder: this.#controls.orderingAttribute !== undefined,
      unsettledMax: limits.unsettledMax,
      handle: (delivery) => this.#handle(delivery),
      onLost: (offset) => this.#lanes.lost(offset),
      onFull: (isFull) => this.#tellTrouble(() => void (this.#isFull = isFull)),
    })
    this.#consuming.resolve(this.#consumption)
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

  #handle(delivery: Delivery): void {
    // Handed over before `pause` could take effect: stays unsettled and is given back.
    if (this.#controls.paused || this.#stopping.signal.aborted) return
    if (this.#gate === undefined) this.#begin(delivery)
    else void this.#beginAfter(this.#gate.passed(), delivery)
  }

  async #beginAfter(consent: Promise<boolean>, delivery: Delivery): Promise<void> {
    if ((await consent) && !this.#stopping.signal.aborted) this.#begin(delivery)
  }

  #begin(delivery: Delivery): void {
    if (this.#batches !== undefined) return this.#batches.add(delivery)
    const { orderingAttribute } = this.#controls
    if (orderingAttribute === undefined) return void this.#work(delivery)
    const key = attributeText(delivery.message.event, orderingAttribute)
    // In order, what an earlier process had to try again comes before its time.
    const isDue = delivery.dueMs <= this.#deps.clock.now()
    if (key !== undefined) this.#lanes.arrive(key, delivery, { isDue })
    else if (isDue) void this.#work(delivery)
    else {
      delivery.setAside()
      // Should its time have come since: nobody else would ask for it.
      this.#recall(delivery.offset)
    }
  }

  #recall(offset: Offset): void {
    void this.#consuming.promise.then((consumption) => consumption.recall(offset))
  }

  async #work(delivery: Delivery): Promise<void> {
    const verdict = await this.#try(delivery)
    if (verdict.kind === 'done') delivery.ack()
    else if (verdict.kind === 'retry') delivery.retryLater(verdict.delayMs)
  }

  /** Once there is a place for it and its time has come. Waits only where there is something to wait for. */
  async #try(delivery: Delivery): Promise<Verdict> {
    const place = this.#slots.enter()
    if (place !== undefined) await place
    if (this.#pace !== undefined) await this.#keepPace(this.#pace)
    const verdict = this.#maySend ? await this.#send(delivery) : interrupted
    this.#slots.leave()
    return verdict
  }

  #send(delivery: Delivery): Verdict | Promise<Verdict> {
    const { attempt, appendedMs, message } = delivery
    if (this.#hasExpired(delivery)) return { kind: 'done' }
    if (attempt === 1) this.#deps.telemetry.taken(appendedMs)
    return this.#course.take(message, attempt)
  }

  /** Deliveries of the same attempt. */
  async #workBatch(deliveries: Delivery[]): Promise<void> {
    await this.#slots.enter()
    if (this.#pace !== undefined) await this.#keepPace(this.#pace)
    const live = this.#maySend ? deliveries.filter((delivery) => this.#isLive(delivery)) : []
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

  async #keepPace(pace: Pace): Promise<void> {
    const waitMs = pace.reserve(this.#deps.clock.monotonicMs())
    if (waitMs > 0) await this.#sleep(waitMs)
  }

  get #maySend(): boolean {
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
    if (expireAfterMs === undefined) return false
    const ageMs = this.#deps.clock.now() - appendedMs
    if (ageMs < expireAfterMs) return false
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
    // Those that stop waiting when delivery stops make no room for others.
    if (this.#stopping.signal.aborted) return
    this.#waiting += change
    const window = this.#window()
    const isTakenUp = this.#waiting >= (this.#isTakenUp ? window * roomAgainShare : window)
    if (isTakenUp !== this.#isTakenUp) this.#tellTrouble(() => void (this.#isTakenUp = isTakenUp))
    if (window === this.#windowSet) return
    this.#windowSet = window
    this.#consumption?.setInFlightMax(window)
  }

  #window(): number {
    const { waitingMax, batchedEventsMax } = this.#deps.limits
    const { batch, orderingAttribute } = this.#controls
    // One batch is gathered while the others are being sent.
    const busyMax =
      batch === undefined ? this.#inFlightMax : Math.min(batch.eventsMax * (this.#inFlightMax + 1), batchedEventsMax)
    // Events behind a blocked key must be taken to be seen, so an ordered consumer reaches out at once.
    return busyMax + (orderingAttribute === undefined ? Math.min(this.#waiting, waitingMax) : waitingMax)
  }
}

const interrupted: Verdict = { kind: 'interrupted' }

/** Of the places for events that wait, the share below which there is room again: not every one should be told. */
const roomAgainShare = 0.9

function routeOf(spec: DispatchSpec, { addresses, limits }: DispatcherDeps): Route {
  const delivery = parseDelivery(spec.delivery)
  const { webhookOrigin } = deliveryControls(spec.annotations)
  const { kind, namespace, name } = spec.owner
  return {
    contract: spec.contract,
    namespace,
    destination: `${kind.split('.')[0]!.toLowerCase()}:${name}.${namespace}`,
    delivery,
    timeoutMs: delivery.timeoutMs ?? limits.tryMsMax,
    ...(webhookOrigin !== undefined && { webhookOrigin }),
    ...(spec.subscriber && { subscriber: parseTarget(spec.subscriber, addresses) }),
    ...(spec.reply && { reply: parseTarget(spec.reply, addresses) }),
    ...(spec.deadLetter && { deadLetter: parseTarget(spec.deadLetter, addresses) }),
  }
}
