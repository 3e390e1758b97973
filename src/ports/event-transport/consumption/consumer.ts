// One named position in a stream: what was handed over and not settled, what waits for a retry, what comes next.
import { KnodeError } from '../../../base/errors.ts'
import type { ConsumeOptions, ConsumerInfo, Consumption, Offset, StoredEvent } from '../port.ts'
import type { ConsumerChange, ConsumerContext } from './consumer-context.ts'
import type { WaitingEvent } from './due-queue.ts'
import { OpenDelivery } from './open-delivery.ts'
import type { Settler } from './open-delivery.ts'
import { OpenEvents } from './open-events.ts'
import type { OpenEvent } from './open-events.ts'
import { Session } from './session.ts'
import { eventIn } from './shelf.ts'
import type { LoadedRun } from './shelf.ts'
import { UnstoredChanges } from './unstored-changes.ts'
import { WaitingLine } from './waiting-line.ts'
import { WakeUp } from './wake-up.ts'

/** Events looked at without a break, so that a long way to the tail does not hold up the process. */
const stepsMax = 256
/** Wait before reading again what could not be read, in milliseconds. */
const readRetryDelayMs = 1_000

export class Consumer implements Settler {
  readonly name: string
  #context: ConsumerContext
  #next: Offset
  /** Ascending by offset: entries are replaced in place, new ones are always the highest. */
  #open = new OpenEvents()
  #waiting = new WaitingLine(this.#open)
  #changes = new UnstoredChanges(this.#open)
  #session: Session | undefined
  #inFlight = 0
  #following = false
  /** What it has itself passed of the events that followers are offered. */
  #followsFrom: Offset = 0
  #run: LoadedRun | undefined
  #loading = false
  #pumping = false
  #pumpAgain = false
  #pumpQueued = false
  #wakeUp: WakeUp

  constructor(context: ConsumerContext, name: string, next: Offset, open: readonly WaitingEvent[] = []) {
    this.#context = context
    this.name = name
    this.#next = next
    const { clock } = context
    this.#wakeUp = new WakeUp({ clock, ring: () => this.pump(), onSetBack: (byMs) => this.#bringForward(byMs) })
    for (const { offset, attempt, dueMs } of open) {
      this.#open.set(offset, { offset, attempt, dueMs, stored: false, isAside: false })
    }
  }

  get next(): Offset {
    return this.#following ? Math.max(this.#followsFrom, this.#context.offered()) : this.#next
  }

  /** The oldest event not settled. */
  get position(): Offset {
    for (const offset of this.#open.keys()) return offset
    return this.next
  }

  get isActive(): boolean {
    return this.#session !== undefined
  }

  info(): ConsumerInfo {
    const waiting = this.#open.size - this.#inFlight
    return {
      name: this.name,
      position: this.position,
      lag: this.#context.published() - this.next + this.#open.size,
      inFlight: this.isActive ? this.#inFlight : 0,
      retrying: waiting,
      active: this.isActive,
    }
  }

  /** @throws {KnodeError} CONFLICT when it is consuming already. */
  consume(options: ConsumeOptions): Consumption {
    this.#refuseWhenActive()
    // What the last consumption had in hand and did not settle by now is handed over anew.
    for (const event of this.#open.values()) if (event instanceof OpenDelivery) this.#wait(event, event)
    this.#inFlight = 0
    this.#waiting.sort({ inOrder: options.inOrder === true })
    const session = (this.#session = new Session(options))
    session.noteUnsettled(this.#open.size)
    this.pump()
    const whileCurrent = (change: () => void): void => {
      if (this.#session !== session) return
      change()
      this.pump()
    }
    return {
      pause: () =>
        whileCurrent(() => {
          session.paused = true
          this.#leaveTail(this.next)
        }),
      resume: () => whileCurrent(() => void (session.paused = false)),
      setInFlightMax: (max) => whileCurrent(() => void (session.inFlightMax = max)),
      recall: (offset) => whileCurrent(() => this.#recall(offset)),
      [Symbol.asyncDispose]: async () => {
        if (this.#session === session) this.stop()
      },
    }
  }

  /** Ends the consumption, if there is one. What is in hand may still be settled until the next one begins. */
  stop(): void {
    this.#leaveTail(this.next)
    this.#session = undefined
    this.#run = undefined
    this.#armTimer()
  }

  /** Moves it and forgets what is open. @throws {KnodeError} CONFLICT when it is consuming. */
  seek(next: Offset): void {
    this.#refuseWhenActive()
    this.#next = next
    this.#open.clear()
    this.#waiting.clear()
    this.#inFlight = 0
    this.#changes.reset()
    this.#context.changed(this)
  }

  /** An event at the tail that it wants. Without room it stops following and comes back to it later. */
  offer(stored: StoredEvent): void {
    // It may have reached the tail, by a settlement during this very fan-out, beyond the event.
    if (this.#followsFrom > stored.offset) return
    if (!this.#hasRoom()) return this.#leaveTail(stored.offset)
    this.#followsFrom = stored.offset + 1
    this.#handOver(stored, 1)
  }

  /** Hands over what may be handed over now. */
  pump(): void {
    if (this.#pumping) return void (this.#pumpAgain = true)
    this.#pumping = true
    do {
      this.#pumpAgain = false
      for (let steps = 0; this.#step();) {
        if (++steps < stepsMax) continue
        this.#pumpSoon()
        this.#pumpAgain = false
        break
      }
    } while (this.#pumpAgain)
    this.#pumping = false
    this.#armTimer()
  }

  /** Called by its deliveries. */
  settle(delivery: OpenDelivery, retryDelayMs: number | undefined): void {
    if (this.#open.get(delivery.offset) !== delivery) return
    this.#inFlight--
    if (retryDelayMs === undefined) this.#close(delivery.offset, delivery)
    else {
      const dueMs = this.#wakeUp.now() + Math.max(0, retryDelayMs)
      this.#wait(delivery, { attempt: delivery.attempt + 1, dueMs })
    }
    if (this.#session !== undefined) this.pump()
  }

  /** Called by its deliveries. */
  setAside(delivery: OpenDelivery): void {
    if (this.#open.get(delivery.offset) !== delivery) return
    this.#inFlight--
    const { attempt, dueMs } = delivery
    this.#wait(delivery, { attempt, dueMs, isAside: dueMs <= this.#context.clock.now() })
    if (this.#session !== undefined) this.pump()
  }

  /** What changed since the last call; everything, if `all`. */
  takeChange(all: boolean): ConsumerChange {
    const changes = this.#changes.take(all)
    return { name: this.name, deleted: false, next: this.#following ? 'following' : this.#next, ...changes }
  }

  /** One thing done, or false when there is nothing to do now. */
  #step(): boolean {
    const session = this.#session
    if (session === undefined || session.paused || this.#loading || this.#following) return this.#stepDue()
    if (this.#stepDue()) return true
    if (this.#loading || this.#waiting.isOwing) return false
    this.#next = Math.max(this.#next, this.#context.shelf.firstOffset)
    if (this.#next >= this.#context.published()) {
      this.#following = true
      this.#run = undefined
      this.#followsFrom = this.#next
      this.#context.follow(this)
      this.#context.changed(this)
      return false
    }
    const stored = this.#find(this.#next)
    if (stored === undefined) {
      this.#load(this.#next)
      return false
    }
    const isWanted = this.#context.wants(this.name, stored.message)
    if (isWanted && !this.#hasRoom()) return false
    this.#next = stored.offset + 1
    if (isWanted) this.#handOver(stored, 1)
    else this.#context.changed(this)
    return true
  }

  #stepDue(): boolean {
    const session = this.#session
    if (session === undefined || session.paused || this.#loading || this.#inFlight >= session.inFlightMax) return false
    const waiting = this.#waiting.peek(this.#context.clock)
    if (waiting === undefined) return false
    const stored = this.#find(waiting.offset)
    if (stored === undefined) {
      this.#load(waiting.offset)
      return false
    }
    // Whoever gets what is owed sees to it that it is due; all others get it when it is.
    const dueMs = this.#waiting.isOwing ? waiting.dueMs : 0
    this.#waiting.take()
    this.#handOver(stored, waiting.attempt, dueMs)
    return true
  }

  #find(offset: Offset): StoredEvent | undefined {
    return this.#context.shelf.peek(offset) ?? (this.#run === undefined ? undefined : eventIn(this.#run, offset))
  }

  #load(offset: Offset): void {
    const session = this.#session
    this.#loading = true
    this.#context.shelf.load(offset).then(
      (run) => {
        this.#loading = false
        if (this.#session === session) this.#take(offset, run)
        this.pump()
      },
      () => {
        // The driver has told the cause; the consumer stays where it is and tries again.
        this.#context.clock.setTimer(readRetryDelayMs, () => {
          this.#loading = false
          this.pump()
        })
      },
    )
  }

  /** Uses a fetched run, passing over what is lost. */
  #take(offset: Offset, run: LoadedRun): void {
    this.#run = run
    if (eventIn(run, offset) !== undefined) return
    const lost = this.#open.get(offset)
    if (lost !== undefined && !(lost instanceof OpenDelivery)) {
      this.#close(offset, lost)
      return this.#session?.lost(offset)
    }
    if (this.#next !== offset) return
    this.#next = run.events.find((event) => event.offset > offset)?.offset ?? run.next
    this.#context.changed(this)
  }

  #hasRoom(): boolean {
    return this.#session?.hasRoom(this.#inFlight, this.#open.size) === true
  }

  #handOver(stored: StoredEvent, attempt: number, dueMs = 0): void {
    const delivery = new OpenDelivery(this, stored, attempt, dueMs, this.#open.get(stored.offset)?.stored ?? false)
    this.#open.set(stored.offset, delivery)
    this.#inFlight++
    this.#touch(stored.offset)
    const session = this.#session!
    session.noteUnsettled(this.#open.size)
    session.handle(delivery)
  }

  #wait({ offset, stored }: OpenDelivery, as: { attempt: number; dueMs: number; isAside?: boolean }): void {
    const { attempt, dueMs, isAside = false } = as
    const waiting = { offset, attempt, dueMs, stored, isAside }
    this.#open.set(offset, waiting)
    if (!isAside) this.#waiting.push(waiting)
    this.#touch(offset)
  }

  #recall(offset: Offset): void {
    const event = this.#open.get(offset)
    if (event === undefined || event instanceof OpenDelivery || !event.isAside) return
    event.isAside = false
    this.#waiting.push(event)
  }

  #close(offset: Offset, event: OpenEvent): void {
    this.#open.delete(offset)
    this.#changes.close(offset, event)
    this.#context.changed(this)
    this.#session?.noteUnsettled(this.#open.size)
  }

  #touch(offset: Offset): void {
    this.#changes.touch(offset)
    this.#context.changed(this)
  }

  #leaveTail(next: Offset): void {
    if (!this.#following) return
    this.#following = false
    this.#next = next
    this.#context.unfollow(this)
    this.#context.changed(this)
  }

  #pumpSoon(): void {
    if (this.#pumpQueued) return
    this.#pumpQueued = true
    setImmediate(() => {
      this.#pumpQueued = false
      this.pump()
    })
  }

  /** Wakes up for the soonest retry, if there is room for it by then. */
  #armTimer(): void {
    const session = this.#session
    const canTake = session !== undefined && !session.paused && !this.#loading && this.#inFlight < session.inFlightMax
    this.#wakeUp.set(canTake ? this.#waiting.soonestMs : Infinity)
  }

  /** The clock was set back while events waited: they have waited all the same. */
  #bringForward(byMs: number): void {
    this.#waiting.bringForward(byMs)
    for (const event of this.#open.values()) if (!(event instanceof OpenDelivery)) this.#touch(event.offset)
  }

  #refuseWhenActive(): void {
    if (!this.isActive) return
    throw new KnodeError('CONFLICT', `consumer "${this.name}" of stream "${this.#context.stream}" is consuming already`)
  }
}
