// Consumers of one stream that settle, pause, end, begin and move, themselves and each other, also in the middle of
// being handed an event: each still gets every event it wants, none that it is done with, and none twice at a time.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock, settle } from '../../../base/fake-clock.ts'
import { seededRandom } from '../../../base/random.ts'
import { aMessage } from '../collector.ts'
import type { Consumption, Delivery, Offset, Selector, StoredEvent } from '../port.ts'
import { Consumers } from './consumers.ts'

const runs = 400
const steps = 150
const names = ['a', 'b', 'c']
/** Acts within acts. */
const depthMax = 3

/** Of every three events a consumer wants two. */
const wants = (name: string, offset: Offset): boolean => (offset + names.indexOf(name)) % 3 !== 0
const selector: Selector = ({ event }, only) => {
  const offset = Number(event.attributes.get('id'))
  return new Set((only === undefined ? names : [only]).filter((name) => wants(name, offset)))
}

class Player {
  readonly name: string
  consumption: Consumption | undefined
  session = 0
  isStarting = false
  isPaused = false
  /** Events below were passed over when it was moved. */
  from: Offset = 0
  inHand = new Map<Offset, Delivery>()
  done = new Set<Offset>()
  aside: Offset[] = []

  constructor(name: string) {
    this.name = name
  }

  /** What was handed over until now is settled by nobody any more. */
  forget(): void {
    this.inHand.clear()
    this.aside = []
  }

  end(): void {
    void this.consumption?.[Symbol.asyncDispose]()
    this.consumption = undefined
  }
}

class Run {
  #random: ReturnType<typeof seededRandom>
  #clock = new FakeClock()
  #events: StoredEvent[] = []
  #consumers: Consumers
  #players = names.map((name) => new Player(name))
  #depth = 0

  constructor(seed: number) {
    this.#random = seededRandom(seed)
    const shelf = {
      firstOffset: 0,
      // Some are not at hand, and some of those cannot be read for a while.
      peek: (offset: Offset) => (offset % 7 === 3 && this.#upTo(3) === 0 ? undefined : this.#events[offset]),
      load: async (offset: Offset) => {
        if (this.#upTo(5) === 0) throw new Error('not now')
        return { events: this.#events.slice(offset, offset + 3), next: Math.min(offset + 3, this.#events.length) }
      },
    }
    this.#consumers = new Consumers({ stream: 's', shelf, clock: this.#clock, published: 0 })
    this.#consumers.select(selector)
    for (const name of names) this.#consumers.create(name, 0)
  }

  async play(): Promise<void> {
    for (let step = 0; step < steps; step++) {
      const what = this.#upTo(6)
      if (what === 0) this.#publish(1 + this.#upTo(4))
      else if (what === 1) await this.#clock.advance(this.#upTo(1_500))
      else if (what === 2) await settle(1)
      else this.#act()
    }
    await this.#seeToAll()
  }

  #upTo(count: number): number {
    return Math.floor(this.#random.next() * count)
  }

  #publish(count: number): void {
    const first = this.#events.length
    const more = Array.from({ length: count }, (_, index) => first + index)
    const events = more.map((offset) => ({ offset, appendedMs: 0, message: aMessage(String(offset)) }))
    this.#events.push(...events)
    this.#consumers.publish(events)
  }

  #act(): void {
    const player = this.#players[this.#upTo(names.length)]!
    const { consumption, name, aside } = player
    const what = this.#upTo(12)
    if (what <= 4) this.#settleOne(player)
    else if (what <= 6) {
      player.isPaused = what === 5
      if (player.isPaused) consumption?.pause()
      else consumption?.resume()
    } else if (what === 7) player.end()
    else if (what === 8) this.#begin(player)
    else if (what === 9) consumption?.setInFlightMax(1 + this.#upTo(30))
    else if (what === 10 && aside.length > 0) consumption?.recall(aside.shift()!)
    else if (consumption === undefined && !player.isStarting && this.#upTo(3) === 0) {
      player.from = this.#upTo(this.#consumers.published + 1)
      this.#consumers.seek(name, player.from)
      player.forget()
      player.done.clear()
    }
  }

  #settleOne({ inHand, done, aside }: Player): void {
    const delivery = [...inHand.values()][this.#upTo(inHand.size)]
    if (delivery === undefined) return
    const { offset } = delivery
    inHand.delete(offset)
    const how = this.#upTo(9)
    if (how > 1) done.add(offset)
    if (how === 0) delivery.retryLater(this.#upTo(3_000))
    else if (how === 1) {
      aside.push(offset)
      delivery.setAside()
    } else delivery.ack()
  }

  #begin(player: Player): void {
    if (player.consumption !== undefined || player.isStarting) return
    player.forget()
    player.isPaused = false
    player.isStarting = true
    const session = ++player.session
    player.consumption = this.#consumers.consume(player.name, {
      inFlightMax: 1 + this.#upTo(40),
      inOrder: this.#upTo(3) === 0,
      handle: (delivery) => this.#take(player, session, delivery),
    })
    player.isStarting = false
    if (player.isPaused) player.consumption.pause()
  }

  #take(player: Player, session: number, delivery: Delivery): void {
    const { name, inHand, done, from, isPaused, isStarting } = player
    const { offset } = delivery
    assert.equal(session, player.session, `${name} got ${offset} after its end`)
    assert.ok(wants(name, offset) && offset >= from, `${name} did not want ${offset}`)
    assert.ok(!inHand.has(offset) && !done.has(offset), `${name} got ${offset} once more`)
    assert.ok(!isPaused || isStarting, `${name} got ${offset} while it was paused`)
    inHand.set(offset, delivery)
    if (this.#depth >= depthMax) return
    this.#depth++
    if (this.#upTo(4) === 0) this.#act()
    if (this.#upTo(3) > 0) this.#settleOne(player)
    this.#depth--
  }

  async #seeToAll(): Promise<void> {
    for (const player of this.#players) {
      player.end()
      this.#consumers.consume(player.name, {
        handle(delivery) {
          assert.ok(!player.done.has(delivery.offset), `${player.name} got ${delivery.offset} once more`)
          player.done.add(delivery.offset)
          delivery.ack()
        },
      })
    }
    for (let turn = 0; turn < 40; turn++) await this.#clock.advance(2_000)
    for (const { name, done, from } of this.#players) {
      assert.equal(this.#consumers.infos().find((info) => info.name === name)?.lag, 0, `${name} lags`)
      const missing = this.#events.filter(({ offset }) => offset >= from && wants(name, offset) && !done.has(offset))
      assert.deepEqual(missing, [], `${name} misses events`)
    }
  }
}

test(`in ${runs} random runs, whatever consumers do to each other while they are handed events, each gets what it wants`, async () => {
  for (let seed = 1; seed <= runs; seed++) {
    try {
      await new Run(seed).play()
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error })
    }
  }
})
