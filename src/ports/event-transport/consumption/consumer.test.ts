// A consumer keeps its memory bounded and its neighbours free.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Clock } from '../../../base/clock.ts'
import { eventually } from '../../../base/eventually.ts'
import { FakeClock } from '../../../base/fake-clock.ts'
import { seededRandom } from '../../../base/random.ts'
import { aMessage } from '../collector.ts'
import type { Consumption, Delivery, StoredEvent } from '../port.ts'
import { Consumers } from './consumers.ts'
import { DueQueue } from './due-queue.ts'

/** Events that are all in memory. */
const eventsFrom = (first: number, count: number): StoredEvent[] =>
  Array.from({ length: count }, (_, index) => ({ offset: first + index, appendedMs: 0, message: aMessage('x') }))

function consumersOf(events: StoredEvent[]): { consumers: Consumers; clock: FakeClock }
function consumersOf(events: StoredEvent[], clock: Clock): { consumers: Consumers; clock: Clock }
function consumersOf(events: StoredEvent[], clock: Clock = new FakeClock()): { consumers: Consumers; clock: Clock } {
  const shelf = {
    firstOffset: 0,
    peek: (offset: number) => events[offset],
    load: (offset: number) => Promise.reject(new Error(`${offset} is not there`)),
  }
  return { consumers: new Consumers({ stream: 's', shelf, clock, published: 0 }), clock }
}

/** A steady clock, and one on the wall that can be set. */
function aWallClock() {
  const fake = new FakeClock()
  const wall = {
    skewMs: 0,
    now: () => fake.now() + wall.skewMs,
    monotonicMs: () => fake.monotonicMs(),
    setTimer: (delayMs: number, fire: () => void) => fake.setTimer(delayMs, fire),
  }
  return { fake, wall }
}

/** A consumer of two events that asks for another try of the first after 50 s, of the second after one. */
function twoRetries() {
  const events = eventsFrom(0, 2)
  const { fake, wall } = aWallClock()
  const { consumers } = consumersOf(events, wall)
  const tries: number[] = []
  consumers.create('c', 0)
  consumers.consume('c', {
    handle(delivery) {
      tries.push(delivery.offset)
      if (delivery.attempt === 1) delivery.retryLater(delivery.offset === 0 ? 50_000 : 1_000)
      else delivery.ack()
    },
  })
  return { fake, wall, events, consumers, tries }
}

describe('a consumer', () => {
  it('with 50,000 unsettled events takes no new ones until some are settled', async () => {
    const events = eventsFrom(0, 50_010)
    const { consumers, clock } = consumersOf(events)
    let isDown = true
    consumers.create('c', 0)
    consumers.consume('c', { handle: (delivery) => (isDown ? delivery.retryLater(60_000) : delivery.ack()) })
    consumers.publish(events)
    await eventually(() => consumers.infos()[0]!.retrying === 50_000, '50,000 to wait')
    await clock.advance(1_000)
    assert.deepEqual(consumers.infos()[0], {
      name: 'c',
      position: 0,
      lag: 50_010,
      inFlight: 0,
      retrying: 50_000,
      active: true,
    })
    isDown = false
    await clock.advance(60_000)
    await eventually(() => consumers.infos()[0]!.lag === 0, 'no lag')
  })

  it('is told of events it waits for that can no longer be read, and of no others', async () => {
    const events = eventsFrom(0, 4)
    const lost = new Set<number>()
    const shelf = {
      firstOffset: 0,
      peek: (offset: number) => (lost.has(offset) ? undefined : events[offset]),
      load: (offset: number) => Promise.resolve({ events: [], next: offset + 1 }),
    }
    const clock = new FakeClock()
    const consumers = new Consumers({ stream: 's', shelf, clock, published: 0 })
    consumers.create('c', 0)
    const told: number[] = []
    const taken: Delivery[] = []
    const consumption = consumers.consume('c', {
      handle: (delivery) => void taken.push(delivery),
      onLost: (offset) => told.push(offset),
    })
    consumers.publish(events)
    taken[0]!.setAside()
    taken[1]!.retryLater(100)
    taken[2]!.setAside()
    for (const offset of [0, 1, 3]) lost.add(offset)
    for (const offset of [0, 2]) consumption.recall(offset)
    await clock.advance(100)
    assert.deepEqual(told, [0, 1])
    assert.deepEqual(
      taken.slice(4).map(({ offset }) => offset),
      [2],
    )
    assert.equal(consumers.infos()[0]!.lag, 2)
  })

  it('waits no less for a retry because the clock was set back before', async () => {
    const { fake, wall, events, consumers, tries } = twoRetries()
    wall.skewMs = -3_600_000
    consumers.publish(events)
    await fake.advance(49_999)
    assert.deepEqual(tries, [0, 1, 1])
    await fake.advance(1)
    assert.deepEqual(tries, [0, 1, 1, 0])
  })

  it('waits no longer for one retry because the clock was set back while it waited for another', async () => {
    const { fake, wall, events, consumers, tries } = twoRetries()
    consumers.publish(events.slice(0, 1))
    await fake.advance(1_000)
    wall.skewMs = -3_600_000
    consumers.publish(events.slice(1))
    await fake.advance(1_000)
    assert.deepEqual(tries, [0, 1, 1])
    await fake.advance(47_999)
    assert.equal(tries.length, 3)
    await fake.advance(1)
    assert.deepEqual(tries, [0, 1, 1, 0])
  })

  it('that began on a machine whose clock was years behind goes on once the clock is right', async () => {
    const { fake, wall } = aWallClock()
    const { consumers } = consumersOf(eventsFrom(0, 1), wall)
    wall.skewMs = -1_000_000_000_000
    consumers.publish(eventsFrom(0, 1))
    consumers.restore({ name: 'c', next: 1, open: [{ offset: 0, attempt: 2, dueMs: fake.now() + 1_000 }] })
    const tries: number[] = []
    consumers.consume('c', { handle: (delivery) => (tries.push(delivery.attempt), delivery.ack()) })
    await fake.advance(10_000)
    wall.skewMs = 0
    await fake.advance(60_000)
    assert.deepEqual(tries, [2])
  })

  it('waits for a retry as long as was asked for, also when the clock is set back meanwhile', async () => {
    const events = eventsFrom(0, 3)
    const { fake, wall } = aWallClock()
    const { consumers } = consumersOf(events, wall)
    const tries: [offset: number, attempt: number][] = []
    consumers.create('c', 0)
    consumers.consume('c', {
      handle(delivery) {
        tries.push([delivery.offset, delivery.attempt])
        if (delivery.attempt === 1) delivery.retryLater(5_000 * (delivery.offset + 1))
        else delivery.ack()
      },
    })
    consumers.publish(events)
    await fake.advance(1_000)
    wall.skewMs = -3_600_000
    await fake.advance(3_999)
    assert.equal(tries.length, 3)
    await fake.advance(1)
    assert.deepEqual(tries.slice(3), [[0, 2]])
    await fake.advance(4_999)
    assert.equal(tries.length, 4)
    await fake.advance(5_001)
    assert.deepEqual(tries.slice(4), [
      [1, 2],
      [2, 2],
    ])
    assert.equal(consumers.infos()[0]!.lag, 0)
  })

  it('that comes back after a crash counts nothing that retention has let go meanwhile', () => {
    // What was settled after the last checkpoint may be gone: it was delivered, so it is neither lag nor a retry.
    const shelf = { firstOffset: 5, peek: () => undefined, load: () => Promise.reject(new Error('not asked')) }
    const consumers = new Consumers({ stream: 's', shelf, clock: new FakeClock(), published: 8 })
    const waiting = (offset: number) => ({ offset, attempt: 2, dueMs: 0 })
    consumers.restore({ name: 'c', next: 3, open: [waiting(1), waiting(2)] })
    consumers.restore({ name: 'd', next: 7, open: [waiting(4), waiting(6)] })
    const [c, d] = consumers.infos()
    assert.deepEqual([c?.position, c?.lag, c?.retrying], [5, 3, 0])
    assert.deepEqual([d?.position, d?.lag, d?.retrying], [6, 2, 1])
    assert.equal(consumers.neededFrom(), 5)
  })

  it('on its long way to the tail lets others run', async () => {
    const events = eventsFrom(0, 5_000)
    const { consumers } = consumersOf(events)
    consumers.publish(events)
    consumers.create('c', 0)
    let turns = 0
    const count = (): void => {
      turns++
      if (consumers.infos()[0]!.lag > 0) setImmediate(count)
    }
    setImmediate(count)
    consumers.consume('c', { handle: (delivery) => delivery.ack() })
    await eventually(() => consumers.infos()[0]!.lag === 0, 'no lag')
    assert.ok(turns > 5, `others ran ${turns} times`)
  })

  it('that others settle during a fan-out gets each event once', () => {
    const events = eventsFrom(0, 100)
    const { consumers } = consumersOf(events)
    const got: number[] = []
    const inHand: (() => void)[] = []
    const settleAll = (): void => inHand.splice(0).forEach((ack) => ack())
    for (const name of ['first', 'second']) consumers.create(name, 0)
    // Its handler makes room for the other, which catches up to the tail in the middle of the fan-out.
    consumers.consume('first', {
      handle: (delivery) => {
        if (delivery.offset % 4 === 3) settleAll()
        delivery.ack()
      },
    })
    consumers.consume('second', {
      inFlightMax: 2,
      handle: (delivery) => {
        got.push(delivery.offset)
        inHand.push(() => delivery.ack())
      },
    })
    consumers.publish(events)
    while (inHand.length > 0) settleAll()
    assert.deepEqual(
      got,
      events.map(({ offset }) => offset),
    )
  })
})

describe('a consumer that ends or pauses another in the middle of a fan-out', () => {
  for (const how of ['pause', 'end'] as const) {
    for (const order of [
      ['acting', 'other'],
      ['other', 'acting'],
    ] as const) {
      it(`by ${how}, with ${order[0]} first, takes no event from it, and gives it none twice`, () => {
        const events = eventsFrom(0, 3)
        const { consumers } = consumersOf(events)
        const got: number[] = []
        const takeAll = (): Consumption =>
          consumers.consume('other', {
            handle(delivery) {
              got.push(delivery.offset)
              delivery.ack()
            },
          })
        let other: Consumption | undefined
        for (const name of order) consumers.create(name, 0)
        const begin = {
          acting: () =>
            consumers.consume('acting', {
              handle(delivery) {
                delivery.ack()
                if (delivery.offset !== 1) return
                if (how === 'pause') other?.pause()
                else void other?.[Symbol.asyncDispose]()
              },
            }),
          other: () => (other = takeAll()),
        }
        for (const name of order) begin[name]()
        consumers.publish(events)
        assert.ok(got.length < 3)
        if (how === 'pause') other?.resume()
        else takeAll()
        assert.deepEqual(got, [0, 1, 2])
      })
    }
  }
})

describe('the queue of due events', () => {
  it('gives the soonest first, and of equally soon ones the oldest', () => {
    const random = seededRandom(3)
    const queue = new DueQueue()
    const events = eventsFrom(0, 500).map(({ offset }) => ({
      offset,
      attempt: 2,
      dueMs: Math.floor(random.next() * 50),
    }))
    for (const event of events) queue.push(event)
    const popped = Array.from({ length: 500 }, () => queue.pop())
    assert.deepEqual(
      popped,
      events.toSorted((one, other) => one.dueMs - other.dueMs || one.offset - other.offset),
    )
    assert.equal(queue.pop(), undefined)
  })
})
