// Promises about retries, selectors and moved consumers.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { eventually } from '../../../base/eventually.ts'
import { settle } from '../../../base/fake-clock.ts'
import { aMessage, appendMany, Collector } from '../collector.ts'
import type { Delivery, EventStream } from '../port.ts'
import type { WithStream } from './place.ts'

export function itRetriesSelectsAndSeeks(withStream: WithStream): void {
  describe('retries', () => {
    it('come when they are due, with a higher attempt, and hold no place in flight meanwhile', async () => {
      await withStream(async (stream, clock) => {
        const taken = new Collector()
        await stream.consume('c', { handle: taken.handle, inFlightMax: 1 })
        await appendMany(stream, 0, 3)
        await taken.has(1)
        taken.deliveries[0]!.retryLater(500)
        await taken.has(2)
        assert.equal(stream.info().consumers[0]?.retrying, 1)
        await clock.advance(499)
        taken.deliveries[1]!.ack()
        await taken.has(3)
        taken.deliveries[2]!.ack()
        await settle()
        assert.deepEqual(taken.offsets, [0, 1, 2])
        await clock.advance(1)
        await taken.has(4)
        assert.deepEqual([taken.deliveries[3]!.offset, taken.deliveries[3]!.attempt], [0, 2])
        taken.deliveries[3]!.retryLater(0)
        await taken.has(5)
        assert.deepEqual([taken.deliveries[4]!.offset, taken.deliveries[4]!.attempt], [0, 3])
        taken.deliveries[4]!.ack()
        assert.deepEqual(stream.info().consumers[0], {
          name: 'c',
          position: 3,
          lag: 0,
          inFlight: 0,
          retrying: 0,
          active: true,
        })
      })
    })

    it('are handed over soonest first', async () => {
      await withStream(async (stream, clock) => {
        const delays = [700, 300, 900, 100, 500]
        const taken = new Collector((delivery) => {
          if (delivery.attempt === 1) delivery.retryLater(delays[delivery.offset]!)
        })
        await stream.consume('c', { handle: taken.handle })
        await appendMany(stream, 0, 5)
        await taken.has(5)
        await clock.advance(1_000)
        await taken.has(10)
        assert.deepEqual(taken.offsets.slice(5), [3, 1, 4, 0, 2])
      })
    })

    it('keep their attempt and their time when the consumption starts again', async () => {
      await withStream(async (stream, clock) => {
        const first = new Collector((delivery) => delivery.retryLater(delivery.attempt === 1 ? 10 : 60_000))
        const consumption = await stream.consume('c', { handle: first.handle })
        await appendMany(stream, 0, 1)
        await first.has(1)
        await clock.advance(10)
        await first.has(2)
        await consumption[Symbol.asyncDispose]()
        await clock.advance(30_000)
        const second = new Collector()
        await stream.consume('c', { handle: second.handle })
        await clock.advance(29_999)
        assert.equal(second.deliveries.length, 0)
        await clock.advance(1)
        await second.has(1)
        assert.equal(second.deliveries[0]!.attempt, 3)
      })
    })
  })

  describe('a consumption in order', () => {
    it('is handed what the last one left at once and in the order of the stream, before all else', async () => {
      await withStream(async (stream, clock) => {
        const first = new Collector()
        const consumption = await stream.consume('c', { handle: first.handle })
        await appendMany(stream, 0, 5)
        await first.has(5)
        const [zero, one, two] = first.deliveries
        zero!.retryLater(60_000)
        one!.ack()
        two!.retryLater(10)
        await consumption[Symbol.asyncDispose]()
        await appendMany(stream, 5, 7)
        const second = new Collector()
        await stream.consume('c', { handle: second.handle, inFlightMax: 2, inOrder: true })
        for (let at = 0; at < 6; at++) {
          await second.has(at + 1)
          await settle()
          second.deliveries[at]!.ack()
        }
        assert.deepEqual(second.offsets, [0, 2, 3, 4, 5, 6])
        const startMs = clock.now()
        const seen = second.deliveries.map(({ attempt, dueMs }) => [attempt, Math.max(0, dueMs - startMs)])
        assert.deepEqual(seen, [
          [2, 60_000],
          [2, 10],
          [1, 0],
          [1, 0],
          [1, 0],
          [1, 0],
        ])
        assert.equal(stream.info().consumers[0]?.lag, 0)
      })
    })

    it('may set aside what comes before its time, and count and time stay when it ends', async () => {
      await withStream(async (stream, clock) => {
        const first = new Collector((delivery) => delivery.retryLater(60_000))
        const consumption = await stream.consume('c', { handle: first.handle })
        await appendMany(stream, 0, 1)
        await first.has(1)
        const dueMs = clock.now() + 60_000
        await consumption[Symbol.asyncDispose]()
        for (const attempt of [2, 2]) {
          const early = new Collector((delivery) => delivery.setAside())
          await using again = await stream.consume('c', { handle: early.handle, inFlightMax: 1, inOrder: true })
          await early.has(1)
          again.recall(0)
          await clock.advance(10_000)
          assert.deepEqual(
            early.deliveries.map((delivery) => [delivery.attempt, delivery.dueMs]),
            [[attempt, dueMs]],
          )
          const { inFlight, retrying } = stream.info().consumers[0]!
          assert.deepEqual([inFlight, retrying], [0, 1])
        }
        const last = new Collector((delivery) => (delivery.dueMs > clock.now() ? delivery.setAside() : delivery.ack()))
        await stream.consume('c', { handle: last.handle, inOrder: true })
        await last.has(1)
        await clock.advance(39_999)
        assert.equal(last.deliveries.length, 1)
        await clock.advance(1)
        await last.has(2)
        assert.equal(last.deliveries[1]!.attempt, 2)
      })
    })

    it('that is followed by one out of order leaves it what waits, each at its time', async () => {
      await withStream(async (stream, clock) => {
        const first = new Collector()
        const inOrder = await stream.consume('c', { handle: first.handle, inOrder: true })
        await appendMany(stream, 0, 3)
        await first.has(3)
        first.deliveries[0]!.retryLater(1_000)
        first.deliveries[2]!.setAside()
        await inOrder[Symbol.asyncDispose]()
        const again = await stream.consume('c', { handle: () => undefined, inFlightMax: 0, inOrder: true })
        await again[Symbol.asyncDispose]()
        const second = new Collector()
        await stream.consume('c', { handle: second.handle })
        await second.has(2)
        await clock.advance(999)
        assert.deepEqual(second.offsets, [1, 2])
        await clock.advance(1)
        await second.has(3)
        assert.deepEqual(second.offsets, [1, 2, 0])
      })
    })
  })

  describe('what is set aside', () => {
    it('comes again as it was when it is recalled, and holds up nobody until then', async () => {
      await withStream(async (stream, clock) => {
        const taken = new Collector()
        const consumption = await stream.consume('c', { handle: taken.handle, inFlightMax: 1 })
        await appendMany(stream, 0, 3)
        await taken.has(1)
        taken.deliveries[0]!.setAside()
        await taken.has(2)
        const stale = taken.deliveries[0]!
        stale.ack()
        taken.deliveries[1]!.ack()
        await taken.has(3)
        await clock.advance(3_600_000)
        assert.deepEqual(taken.offsets, [0, 1, 2])
        const { position, lag, inFlight, retrying } = stream.info().consumers[0]!
        assert.deepEqual([position, lag, inFlight, retrying], [0, 2, 1, 1])
        consumption.recall(0)
        consumption.recall(1)
        consumption.recall(7)
        await settle()
        assert.equal(taken.deliveries.length, 3)
        taken.deliveries[2]!.ack()
        await taken.has(4)
        const recalled = taken.deliveries[3]!
        assert.deepEqual([recalled.offset, recalled.attempt, recalled.message], [0, 1, stale.message])
        recalled.ack()
        assert.equal(stream.info().consumers[0]!.lag, 0)
      })
    })

    it('counts as unsettled: the consumer is told when it has too much, and when there is room again', async () => {
      await withStream(async (stream) => {
        const told: boolean[] = []
        const taken = new Collector((delivery) => delivery.setAside())
        const consumption = await stream.consume('c', {
          handle: taken.handle,
          unsettledMax: 20,
          onFull: (isFull) => told.push(isFull),
        })
        await appendMany(stream, 0, 30)
        await taken.has(20)
        await settle()
        assert.deepEqual([taken.deliveries.length, told], [20, [true]])
        await consumption[Symbol.asyncDispose]()
        const again: Delivery[] = []
        await stream.consume('c', {
          handle: (delivery) => void again.push(delivery),
          unsettledMax: 20,
          onFull: (isFull) => told.push(isFull),
        })
        await eventually(() => again.length === 20, 'what was set aside')
        assert.deepEqual(told, [true, true])
        for (let at = 0; at < 30; at++) {
          await eventually(() => again.length > at, 'the next one')
          again[at]!.ack()
        }
        assert.deepEqual(told, [true, true, false])
        assert.deepEqual(
          again.map(({ offset }) => offset),
          Array.from({ length: 30 }, (_, index) => index),
        )
      })
    })
  })

  describe('selecting', () => {
    it('asks once for each event and hands it to the consumers named', async () => {
      await withStream(async (stream) => {
        const asked: unknown[] = []
        stream.select(({ event }) => {
          asked.push(event.attributes.get('id'))
          return new Set(event.attributes.get('id') === '1' ? ['a', 'b'] : ['b', 'absent'])
        })
        const [a, b] = [new Collector(), new Collector()]
        await stream.consume('a', { handle: a.handle })
        await stream.consume('b', { handle: b.handle })
        await appendMany(stream, 0, 3)
        await b.has(3)
        assert.deepEqual(a.ids, ['1'])
        assert.deepEqual(b.ids, ['0', '1', '2'])
        assert.deepEqual(asked, ['0', '1', '2'])
        const [infoA] = stream.info().consumers
        assert.deepEqual([infoA?.position, infoA?.lag], [1, 1 + 0])
        a.deliveries[0]!.ack()
        assert.deepEqual([stream.info().consumers[0]?.position, stream.info().consumers[0]?.lag], [3, 0])
      })
    })

    it('holds for consumers that lag, too', async () => {
      await withStream(async (stream) => {
        const odd = (delivery: Delivery['message']): boolean => Number(delivery.event.attributes.get('id')) % 2 === 1
        stream.select((message) => new Set(odd(message) ? ['odd', 'all'] : ['all']))
        await appendMany(stream, 0, 100)
        const [lagging, all] = [new Collector(), new Collector()]
        await stream.consume('odd', { handle: lagging.handle, from: 'earliest', inFlightMax: 3 })
        await stream.consume('all', { handle: all.handle, from: 'earliest', inFlightMax: 1_000 })
        await all.has(100)
        await lagging.has(3)
        for (let at = 0; at < 50; at++) {
          await lagging.has(at + 1)
          lagging.deliveries[at]!.ack()
        }
        assert.deepEqual(
          lagging.offsets,
          Array.from({ length: 50 }, (_, index) => 2 * index + 1),
        )
      })
    })

    it('passes over unwanted events even while the consumer has no room', async () => {
      await withStream(async (stream) => {
        stream.select(({ event }) => new Set(event.attributes.get('id') === '0' ? ['c'] : []))
        const taken = new Collector()
        await stream.consume('c', { handle: taken.handle, inFlightMax: 1 })
        await appendMany(stream, 0, 50)
        await taken.has(1)
        assert.equal(stream.info().consumers[0]?.lag, 1)
      })
    })

    it('follows a selector that is replaced or taken away', async () => {
      await withStream(async (stream) => {
        stream.select(() => new Set())
        const taken = new Collector((delivery) => delivery.ack())
        await stream.consume('c', { handle: taken.handle })
        await appendMany(stream, 0, 2)
        stream.select(() => new Set(['c']))
        await appendMany(stream, 2, 4)
        stream.select(undefined)
        await appendMany(stream, 4, 6)
        await taken.has(4)
        assert.deepEqual(taken.ids, ['2', '3', '4', '5'])
      })
    })
  })

  describe('seeking', () => {
    it('moves a consumer to the earliest, the latest, an offset or a time, and forgets its retries', async () => {
      await withStream(async (stream, clock) => {
        const startMs = clock.now()
        for (let id = 0; id < 6; id++) {
          await stream.append(aMessage(String(id)))
          await clock.advance(1_000)
        }
        const failing = new Collector((delivery) => delivery.retryLater(5))
        const consumption = await stream.consume('c', { handle: failing.handle, from: 'earliest', inFlightMax: 2 })
        await failing.has(2)
        await consumption[Symbol.asyncDispose]()
        const from = async (to: Parameters<EventStream['seek']>[1]): Promise<[number, number][]> => {
          await stream.seek('c', to)
          const taken = new Collector()
          await using _consumption = await stream.consume('c', { handle: taken.handle })
          await clock.advance(10)
          await eventually(() => taken.deliveries.length === stream.info().consumers[0]!.lag, 'all to be delivered')
          return taken.deliveries.map(({ offset, attempt }) => [offset, attempt])
        }
        assert.deepEqual(await from({ offset: 4 }), [
          [4, 1],
          [5, 1],
        ])
        assert.deepEqual(await from({ timeMs: startMs + 5_000 }), [[5, 1]])
        assert.deepEqual(await from('latest'), [])
        assert.deepEqual((await from('earliest')).length, 6)
      })
    })

    it('refuses a consumer that does not exist', async () => {
      await withStream(async (stream) => {
        await assert.rejects(stream.seek('nobody', 'earliest'), { code: 'NOT_FOUND' })
      })
    })
  })
}
