// One consumer at work: takes deliveries from its stream, decides when each may go, and settles them.
import { sleep } from '../../base/clock.ts'
import type { Clock } from '../../base/clock.ts'
import { attributeText } from '../../model/cloudevents/event.ts'
import { parseDelivery } from '../../model/duck/delivery.ts'
import type { Consumption, Delivery, EventStream } from '../../ports/event-transport/port.ts'
import type { Addresses, DispatchSpec } from '../reconciler.ts'
import { deliveryControls } from './annotations.ts'
import type { DeliveryControls } from './annotations.ts'
import { Circuit } from './circuit.ts'
import { Course } from './course.ts'
import type { CourseDeps, Route, Verdict } from './course.ts'
import type { DeliveryLimits } from './limits.ts'
import { Pace, Slots, Turns } from './pacing.ts'
import type { Send } from './send.ts'
import { parseTarget } from './target.ts'
import type { DispatchTelemetry } from './telemetry.ts'

export interface DispatcherDeps {
  stream: EventStream
  send: Send
  addresses: Addresses
  clock: Clock
  limits: DeliveryLimits
  telemetry: DispatchTelemetry
  visible: CourseDeps['visible']
}

/** Delivers until disposed. Make it with {@link startDispatcher}. */
export class Dispatcher implements AsyncDisposable {
  #deps: DispatcherDeps
  #controls: DeliveryControls
  #inFlightMax: number
  #slots: Slots
  #turns = new Turns()
  #pace: Pace | undefined
  #circuit: Circuit
  #course: Course
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
    const circuit = (this.#circuit = new Circuit(limits, (open) =>
      telemetry.circuitChanged(spec.subscriber?.url ?? '', open),
    ))
    const pause = (delayMs: number): Promise<boolean> => this.#pause(delayMs)
    const { signal } = this.#cutting
    this.#course = new Course(routeOf(spec, deps), { send, clock, telemetry, circuit, visible, pause, signal })
  }

  /** Why the subscriber counts as dead; `undefined` while it does not. */
  get trouble(): string | undefined {
    return this.#circuit.open
  }

  async start(consumer: string): Promise<void> {
    const { stream } = this.#deps
    this.#consumption = await stream.consume(consumer, {
      inFlightMax: this.#windowSet,
      handle: (delivery) => void this.#handle(delivery),
    })
    if (this.#controls.paused) this.#consumption.pause()
  }

  /** Takes no more, lets what is being sent finish for a while, and gives the rest back. */
  [Symbol.asyncDispose](): Promise<void> {
    return (this.#closed ??= this.#close())
  }

  async #close(): Promise<void> {
    const { clock, limits } = this.#deps
    this.#consumption?.pause()
    this.#stopping.abort()
    const idle = this.#slots.close()
    const cancelTimer = clock.setTimer(limits.drainMs, () => this.#cutting.abort())
    await idle
    cancelTimer()
    await this.#consumption?.[Symbol.asyncDispose]()
  }

  async #handle(delivery: Delivery): Promise<void> {
    // Handed over before `pause` could take effect: stays unsettled and is given back.
    if (this.#controls.paused || this.#stopping.signal.aborted) return
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
    const { clock, telemetry } = this.#deps
    const waitMs = this.#pace?.reserve(clock.monotonicMs()) ?? 0
    if (waitMs > 0 && !(await this.#sleep(waitMs))) return { kind: 'interrupted' }
    if (this.#stopping.signal.aborted) return { kind: 'interrupted' }
    const { expireAfterMs } = this.#controls
    const ageMs = clock.now() - delivery.appendedMs
    if (expireAfterMs !== undefined && ageMs >= expireAfterMs) {
      telemetry.expired(delivery.message.event, ageMs)
      return { kind: 'done' }
    }
    if (attempt === 1) telemetry.taken(delivery.appendedMs)
    return this.#course.take(delivery.message, attempt)
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
    const { waitingMax } = this.#deps.limits
    // Events behind a blocked key must be taken to be seen, so an ordered consumer reaches out at once.
    const ahead = this.#controls.orderingAttribute === undefined ? Math.min(this.#waiting, waitingMax) : waitingMax
    return this.#inFlightMax + ahead
  }
}

function routeOf(spec: DispatchSpec, { addresses, limits }: DispatcherDeps): Route {
  const delivery = parseDelivery(spec.delivery)
  return {
    contract: spec.contract,
    namespace: spec.owner.namespace,
    delivery,
    timeoutMs: delivery.timeoutMs ?? limits.tryMsMax,
    ...(spec.subscriber && { subscriber: parseTarget(spec.subscriber, addresses) }),
    ...(spec.reply && { reply: parseTarget(spec.reply, addresses) }),
    ...(spec.deadLetter && { deadLetter: parseTarget(spec.deadLetter, addresses) }),
  }
}
