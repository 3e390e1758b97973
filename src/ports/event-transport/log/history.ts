// A random history of a stream, played to the log and to the model at once. For tests; the seed tells everything.
import assert from 'node:assert/strict'
import { KnodeError } from '../../../base/errors.ts'
import { eventually } from '../../../base/eventually.ts'
import { FakeClock } from '../../../base/fake-clock.ts'
import { seededRandom } from '../../../base/random.ts'
import type { Random } from '../../../base/random.ts'
import { readAll } from '../collector.ts'
import type { Consumption, Delivery, Offset } from '../port.ts'
import { consumerNames, HistoryPlace, tornEvent } from './history-place.ts'
import type { Crash } from './simulated-file-system.ts'
import type { StreamModel } from './stream-model.ts'

export interface HistoryReport {
  steps: number
  crashes: number
  /** Events handed over again after a crash though they were settled. */
  repeated: number
}

/** Plays one history. @throws {AssertionError} where log and model differ. */
export async function playHistory(seed: number): Promise<HistoryReport> {
  const history = new History(seed)
  await history.play()
  return history.report
}

class History {
  readonly report: HistoryReport = { steps: 0, crashes: 0, repeated: 0 }
  #random: Random
  #place: HistoryPlace
  #model: StreamModel
  #consumptions = new Map<string, Consumption>()
  /** The latest delivery of each event, by consumer. */
  #inHand = new Map<string, Map<Offset, Delivery>>()
  #ids = 0

  constructor(seed: number) {
    this.#random = seededRandom(seed)
    this.#place = new HistoryPlace(this.#random)
    this.#model = this.#place.model
  }

  async play(): Promise<void> {
    await this.#place.open()
    for (let left = 10 + this.#upTo(30); left > 0; left--) {
      this.report.steps++
      await this.#step()
    }
    await this.#checkAll()
    await this.#close()
  }

  async #step(): Promise<void> {
    const running = [...this.#consumptions.keys()]
    const idle = consumerNames.filter((name) => !this.#consumptions.has(name))
    const known = idle.filter((name) => this.#model.consumers.has(name))
    const actions: [weight: number, act: () => Promise<void>][] = [
      [6, () => this.#append(1 + this.#upTo(12))],
      [idle.length, () => this.#consume(this.#pick(idle))],
      [4 * running.length, () => this.#settleSome(this.#pick(running))],
      [running.length, () => this.#recallSome(this.#pick(running))],
      [running.length, () => this.#tune(this.#pick(running))],
      [0.5 * running.length, () => this.#stop(this.#pick(running))],
      [0.5 * known.length, () => this.#seek(this.#pick(known))],
      [0.2 * known.length, () => this.#delete(this.#pick(known))],
      [3, () => this.#advance(this.#pick([1, 10, 49, 200, 3_000]))],
      [0.5, () => this.#reopen()],
      [0.4, () => this.#crash('process')],
      [0.4, () => this.#crash('power')],
      [0.3, () => this.#fillDisk()],
    ]
    let at = this.#random.next() * actions.reduce((sum, [weight]) => sum + weight, 0)
    for (const [weight, act] of actions) {
      at -= weight
      if (at >= 0) continue
      await act()
      return await this.#compare()
    }
  }

  async #append(count: number): Promise<void> {
    const ids = Array.from({ length: count }, () => this.#newId())
    const first = this.#model.events.length
    const offsets = await Promise.all(
      ids.map(({ id, type }) => this.#place.stream.append(this.#place.message(id, type))),
    )
    assert.deepEqual(
      offsets,
      ids.map((_, index) => first + index),
    )
    for (const { id, type } of ids) this.#model.append(id, type)
  }

  async #consume(name: string): Promise<void> {
    const inFlightMax = this.#pick([1, 2, 5, 100])
    const from = this.#upTo(this.#model.events.length)
    const inOrder = this.#random.next() < 0.3
    this.#inHand.set(name, new Map())
    const consumption = await this.#place.stream.consume(name, {
      inFlightMax,
      inOrder,
      from: { offset: from },
      handle: (delivery) => {
        this.#place.checkContent(delivery)
        this.#inHand.get(name)!.set(delivery.offset, delivery)
      },
    })
    this.#consumptions.set(name, consumption)
    this.#model.consume(name, inFlightMax, from, inOrder)
  }

  async #settleSome(name: string): Promise<void> {
    for (let left = 1 + this.#upTo(6); left > 0; left--) {
      const inFlight = [...this.#model.consumers.get(name)!.inFlight.keys()]
      if (inFlight.length === 0) return
      const offset = this.#pick(inFlight)
      const delivery = this.#inHand.get(name)!.get(offset)!
      const chance = this.#random.next()
      const delayMs = this.#pick([0, 5, 100, 1_000])
      if (chance < 0.65) {
        delivery.ack()
        this.#model.ack(name, offset)
      } else if (chance < 0.75) {
        // It comes again with the same attempt.
        this.#inHand.get(name)!.delete(offset)
        delivery.setAside()
        this.#model.setAside(name, offset)
      } else {
        delivery.retryLater(delayMs)
        this.#model.retryLater(name, offset, delayMs)
      }
      await this.#compare()
    }
  }

  async #recallSome(name: string): Promise<void> {
    const waiting = [...this.#model.consumers.get(name)!.waiting.keys()]
    for (let left = this.#upTo(3); left > 0 && waiting.length > 0; left--) {
      const offset = this.#pick(waiting)
      this.#consumptions.get(name)!.recall(offset)
      this.#model.recall(name, offset)
      await this.#compare()
    }
  }

  async #tune(name: string): Promise<void> {
    const consumption = this.#consumptions.get(name)!
    const inFlightMax = this.#pick([1, 3, 50])
    const isPaused = this.#model.consumers.get(name)!.session!.paused
    if (this.#random.next() < 0.5) {
      consumption.setInFlightMax(inFlightMax)
      this.#model.change(name, { inFlightMax })
    } else {
      if (isPaused) consumption.resume()
      else consumption.pause()
      this.#model.change(name, { paused: !isPaused })
    }
  }

  async #stop(name: string): Promise<void> {
    await this.#consumptions.get(name)![Symbol.asyncDispose]()
    this.#consumptions.delete(name)
    this.#model.stop(name)
  }

  async #seek(name: string): Promise<void> {
    const offset = this.#upTo(this.#model.events.length)
    await this.#place.stream.seek(name, { offset })
    this.#model.seek(name, offset)
  }

  async #delete(name: string): Promise<void> {
    await this.#place.stream.deleteConsumer(name)
    this.#model.consumers.delete(name)
  }

  async #advance(byMs: number): Promise<void> {
    await this.#place.clock.advance(byMs)
    this.#model.advance(byMs)
  }

  async #reopen(): Promise<void> {
    await this.#close()
    for (const name of this.#model.consumers.keys()) this.#model.stop(name)
    await this.#place.open()
    await this.#place.checkContents()
  }

  /** A full disk refuses events once the room made before is used, and takes them when there is room again. */
  async #fillDisk(): Promise<void> {
    this.#place.fileSystem.bytesMax = 0
    while (await this.#isTaken());
    if (this.#random.next() < 0.5) await this.#advance(100)
    if (this.#random.next() < 0.3) {
      this.#place.fileSystem.faults.write = (_path, bytes) => Math.ceil(bytes * this.#random.next())
      this.#place.fileSystem.bytesMax = Infinity
      await this.#append(3)
    }
    this.#place.fileSystem.faults = {}
    this.#place.fileSystem.bytesMax = Infinity
    // The checkpoint that failed is made up for.
    await this.#advance(2_000)
  }

  /** Appends one event. @returns whether there was room for it. */
  async #isTaken(): Promise<boolean> {
    const { id, type } = this.#newId()
    try {
      await this.#place.stream.append(this.#place.message(id, type))
    } catch (error) {
      assert.ok(error instanceof KnodeError && error.code === 'TRANSPORT_FULL' && error.retryable, String(error))
      return false
    }
    this.#model.append(id, type)
    return true
  }

  /**
   * The program ends in the middle of its work. Then: every acknowledged event is there and unchanged, and each consumer
   * gets all it had not settled.
   */
  async #crash(crash: Crash): Promise<void> {
    this.report.crashes++
    const quietMs = this.#random.next() < 0.5 ? 2_000 : 0
    if (quietMs > 0) await this.#advance(quietMs)
    const settledBefore = this.#settledNow()
    this.#place.fileSystem.dieAfter(1 + this.#upTo(4), crash)
    const unsure = this.#lastDeeds()
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    this.#place.fileSystem = this.#place.fileSystem.afterCrash(crash)
    this.#consumptions.clear()
    // Timers of the dead program must not ring in the next one's time.
    this.#place.clock = new FakeClock(this.#place.clock.now())
    await this.#place.open()

    const known = this.#model.events.length
    const stored = new Set((await readAll(this.#place.stream, 'earliest')).map(({ offset }) => offset))
    const end = Math.max(known, ...[...stored].map((offset) => offset + 1))
    assert.ok(end <= known + unsure.length, 'there are events that nobody appended')
    for (const [index, { id, type, offset }] of unsure.entries()) {
      const isThere = stored.has(known + index)
      assert.ok(isThere || offset === undefined, `acknowledged event ${id} is lost`)
      if (known + index < end) this.#model.events.push(isThere ? { id, type } : tornEvent)
    }
    await this.#place.checkContents()
    await this.#checkRedelivery(settledBefore, quietMs > 0)
  }

  /** Things under way when the program ends; what is acknowledged gets its offset. */
  #lastDeeds(): { id: string; type: string; offset?: Offset }[] {
    const deeds: { id: string; type: string; offset?: Offset }[] = []
    for (let left = this.#upTo(8); left > 0; left--) {
      const deed: { id: string; type: string; offset?: Offset } = this.#newId()
      deeds.push(deed)
      this.#place.stream.append(this.#place.message(deed.id, deed.type)).then(
        (offset) => (deed.offset = offset),
        () => undefined,
      )
    }
    for (const [name, { inFlight, settled }] of this.#model.consumers) {
      for (const [offset] of inFlight) {
        if (this.#random.next() < 0.7) continue
        this.#inHand.get(name)?.get(offset)?.ack()
        settled.add(offset)
        inFlight.delete(offset)
      }
    }
    return deeds
  }

  #settledNow(): Map<string, Set<Offset>> {
    return new Map([...this.#model.consumers].map(([name, { settled }]) => [name, new Set(settled)]))
  }

  /** Hands everything to everybody and settles it, so that log and model agree again. */
  async #checkRedelivery(settledLongAgo: Map<string, Set<Offset>>, wasQuiet: boolean): Promise<void> {
    const end = this.#model.events.length
    for (const [name, consumer] of this.#model.consumers) {
      const got = new Map<Offset, number>()
      this.#inHand.set(name, new Map())
      const consumption = await this.#place.stream.consume(name, {
        inFlightMax: 1_000_000,
        handle: (delivery) => {
          this.#place.checkContent(delivery)
          assert.ok(this.#model.wants(name, delivery.offset), `${name} got ${delivery.offset} without wanting it`)
          got.set(delivery.offset, delivery.attempt)
          delivery.ack()
        },
      })
      await this.#place.clock.advance(10_000)
      await eventually(() => this.#place.infoOf(name).lag === 0, `${name} to catch up after a crash`)
      for (const [offset, attempt] of [...consumer.inFlight, ...attemptsOf(consumer.waiting)]) {
        assert.ok(got.has(offset), `${name} did not get ${offset}, which it had not settled`)
        assert.ok(got.get(offset)! <= attempt, `${name} got attempt ${got.get(offset)} of ${offset}, not ${attempt}`)
        if (wasQuiet) assert.equal(got.get(offset), attempt, `the count of attempts of ${offset} began again`)
      }
      for (let offset = consumer.next; offset < end; offset++) {
        assert.ok(got.has(offset) || !this.#model.wants(name, offset), `${name} did not get ${offset}, which was new`)
      }
      for (const offset of got.keys()) {
        if (!consumer.settled.has(offset)) continue
        this.report.repeated++
        const isOld = wasQuiet && settledLongAgo.get(name)!.has(offset)
        assert.ok(!isOld, `${name} got ${offset} again, which it had settled long before the crash`)
      }
      await consumption[Symbol.asyncDispose]()
      this.#model.consumers.set(name, {
        next: end,
        inFlight: new Map(),
        early: new Map(),
        waiting: new Map(),
        owed: [],
        settled: new Set(Array.from({ length: end }).keys()),
        session: undefined,
      })
    }
    this.#model.advance(this.#place.clock.now() - this.#model.nowMs)
  }

  /** In the end everything is handed over. */
  async #checkAll(): Promise<void> {
    for (const name of this.#consumptions.keys()) await this.#stop(name)
    await this.#checkRedelivery(this.#settledNow(), true)
  }

  /** Waits until the log has handed over what the model has, and nothing else. */
  async #compare(): Promise<void> {
    for (const [name, { inFlight, waiting, session }] of this.#model.consumers) {
      if (session === undefined) continue
      const expected = [...inFlight].sort(([one], [other]) => one - other)
      const actual = (): [Offset, number][] =>
        [...this.#inHand.get(name)!.values()]
          .filter(({ offset, attempt }) => inFlight.get(offset) === attempt)
          .map(({ offset, attempt }): [Offset, number] => [offset, attempt])
          .sort(([one], [other]) => one - other)
      await eventually(() => actual().length === expected.length, `${name} to get ${expected.join(' ')}`)
      assert.deepEqual(actual(), expected)
      const info = this.#place.infoOf(name)
      assert.deepEqual([info.inFlight, info.retrying], [inFlight.size, waiting.size], name)
    }
  }

  #newId(): { id: string; type: string } {
    return { id: String(this.#ids++), type: this.#pick(['a', 'b', 'c']) }
  }

  async #close(): Promise<void> {
    this.#consumptions.clear()
    await this.#place.close()
  }

  #upTo(max: number): number {
    return Math.floor(this.#random.next() * (max + 1))
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[this.#upTo(items.length - 1)]!
  }
}

const attemptsOf = (waiting: Map<Offset, { attempt: number }>): [Offset, number][] =>
  [...waiting].map(([offset, { attempt }]) => [offset, attempt])
