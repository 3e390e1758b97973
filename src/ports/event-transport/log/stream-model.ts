// What a stream should do, said as simply as possible: the measure of the random histories.
import type { Offset } from '../port.ts'

export interface ModelConsumer {
  /** The next event never handed over. */
  next: Offset
  /** Handed over and not settled: the attempt. */
  inFlight: Map<Offset, number>
  /** Of those in flight that were handed over before their time, maybe: when that is. */
  early: Map<Offset, number>
  /** To be handed over again: the attempt and when, or `isAside`. */
  waiting: Map<Offset, { attempt: number; dueMs: number; isAside?: boolean }>
  /** Of a session in order: what comes before all else. */
  owed: Offset[]
  settled: Set<Offset>
  session: { inFlightMax: number; paused: boolean } | undefined
}

/** A stream without disks, waiting and doubt. Consumers want the events whose type is in their name. */
export class StreamModel {
  nowMs: number
  /** By offset: the event's id, and its type of one letter. */
  events: { id: string; type: string }[] = []
  consumers = new Map<string, ModelConsumer>()

  constructor(nowMs: number) {
    this.nowMs = nowMs
  }

  wants(name: string, offset: Offset): boolean {
    return name.includes(this.events[offset]!.type)
  }

  append(id: string, type: string): void {
    this.events.push({ id, type })
    this.run()
  }

  consume(name: string, inFlightMax: number, from: Offset, inOrder: boolean): void {
    const consumer = this.consumers.get(name) ?? newConsumer(from)
    this.consumers.set(name, consumer)
    const { inFlight, early, waiting } = consumer
    for (const [offset, attempt] of inFlight) waiting.set(offset, { attempt, dueMs: early.get(offset) ?? 0 })
    for (const event of waiting.values()) event.isAside = false
    inFlight.clear()
    early.clear()
    consumer.owed = inOrder ? [...waiting.keys()].sort((one, other) => one - other) : []
    consumer.session = { inFlightMax, paused: false }
    this.run()
  }

  change(name: string, session: Partial<NonNullable<ModelConsumer['session']>>): void {
    Object.assign(this.consumers.get(name)!.session!, session)
    this.run()
  }

  stop(name: string): void {
    this.consumers.get(name)!.session = undefined
  }

  seek(name: string, to: Offset): void {
    this.consumers.set(name, newConsumer(to))
  }

  ack(name: string, offset: Offset): void {
    const consumer = this.consumers.get(name)!
    consumer.inFlight.delete(offset)
    consumer.early.delete(offset)
    consumer.settled.add(offset)
    this.run()
  }

  setAside(name: string, offset: Offset): void {
    const { inFlight, early, waiting } = this.consumers.get(name)!
    const dueMs = early.get(offset) ?? 0
    waiting.set(offset, { attempt: inFlight.get(offset)!, dueMs, isAside: dueMs <= this.nowMs })
    early.delete(offset)
    inFlight.delete(offset)
    this.run()
  }

  recall(name: string, offset: Offset): void {
    const event = this.consumers.get(name)!.waiting.get(offset)
    if (event !== undefined) event.isAside = false
    this.run()
  }

  retryLater(name: string, offset: Offset, delayMs: number): void {
    const { inFlight, early, waiting } = this.consumers.get(name)!
    early.delete(offset)
    waiting.set(offset, { attempt: inFlight.get(offset)! + 1, dueMs: this.nowMs + delayMs })
    inFlight.delete(offset)
    this.run()
  }

  /** Time goes on, one due retry after the other. */
  advance(byMs: number): void {
    const endMs = this.nowMs + byMs
    for (;;) {
      const active = [...this.consumers.values()].filter(({ session }) => session?.paused === false)
      const dues = active.flatMap(({ waiting }) => waitingByTime(waiting).map(([, { dueMs }]) => dueMs))
      const nextMs = Math.min(...dues.filter((dueMs) => dueMs > this.nowMs && dueMs <= endMs))
      this.nowMs = Math.min(nextMs, endMs)
      this.run()
      if (nextMs === Infinity) return
    }
  }

  /** Everybody is handed what there is room for: retries that are due, the longest due first, then new events. */
  run(): void {
    for (const [name, consumer] of this.consumers) {
      const { inFlight, waiting, settled, session } = consumer
      if (session === undefined || session.paused) continue
      while (consumer.owed.length > 0 && inFlight.size < session.inFlightMax) {
        const offset = consumer.owed.shift()!
        const { attempt, dueMs } = waiting.get(offset)!
        waiting.delete(offset)
        inFlight.set(offset, attempt)
        consumer.early.set(offset, dueMs)
      }
      if (consumer.owed.length > 0) continue
      const due = waitingByTime(waiting).filter(([, { dueMs }]) => dueMs <= this.nowMs)
      due.sort(([one, a], [other, b]) => a.dueMs - b.dueMs || one - other)
      for (const [offset, { attempt }] of due.slice(0, Math.max(0, session.inFlightMax - inFlight.size))) {
        waiting.delete(offset)
        inFlight.set(offset, attempt)
      }
      for (; consumer.next < this.events.length; consumer.next++) {
        if (!this.wants(name, consumer.next)) settled.add(consumer.next)
        else if (inFlight.size < session.inFlightMax) inFlight.set(consumer.next, 1)
        else break
      }
    }
  }
}

const waitingByTime = (waiting: ModelConsumer['waiting']): [Offset, { attempt: number; dueMs: number }][] =>
  [...waiting].filter(([, { isAside }]) => isAside !== true)

const newConsumer = (next: Offset): ModelConsumer => ({
  next,
  inFlight: new Map(),
  early: new Map(),
  waiting: new Map(),
  owed: [],
  settled: new Set(),
  session: undefined,
})
