// Promises about consumers: what they are handed, and how much at a time.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { settle } from '../../../base/fake-clock.ts'
import { appendMany, Collector } from '../collector.ts'
import type { WithStream } from './place.ts'

export function itHandsOver(withStream: WithStream): void {
  describe('consuming', () => {
    it('hands over what is new to a new consumer, and everything to one from the earliest', async () => {
      await withStream(async (stream) => {
        await appendMany(stream, 0, 3)
        const [fresh, whole, third] = [new Collector(), new Collector(), new Collector()]
        await stream.consume('fresh', { handle: fresh.handle })
        await stream.consume('whole', { handle: whole.handle, from: 'earliest' })
        await stream.consume('third', { handle: third.handle, from: { offset: 2 } })
        await appendMany(stream, 3, 5)
        await whole.has(5)
        await fresh.has(2)
        await third.has(3)
        assert.deepEqual(fresh.ids, ['3', '4'])
        assert.deepEqual(whole.ids, ['0', '1', '2', '3', '4'])
        assert.deepEqual(third.offsets, [2, 3, 4])
        assert.deepEqual([...new Set(whole.deliveries.map(({ attempt }) => attempt))], [1])
      })
    })

    it('goes on after the last acknowledged event, with what was not acknowledged in between', async () => {
      await withStream(async (stream) => {
        const first = new Collector()
        const consumption = await stream.consume('c', { handle: first.handle, from: 'earliest' })
        await appendMany(stream, 0, 6)
        await first.has(6)
        for (const offset of [4, 0, 2]) first.deliveries[offset]!.ack()
        await consumption[Symbol.asyncDispose]()
        await appendMany(stream, 6, 8)
        const second = new Collector()
        await stream.consume('c', { handle: second.handle, from: 'latest' })
        await second.has(5)
        assert.deepEqual(second.offsets, [1, 3, 5, 6, 7])
        assert.deepEqual(new Set(second.deliveries.map(({ attempt }) => attempt)), new Set([1]))
      })
    })

    it('refuses a second consumption of the same name until the first is disposed', async () => {
      await withStream(async (stream) => {
        const consumption = await stream.consume('c', { handle: () => undefined })
        await assert.rejects(stream.consume('c', { handle: () => undefined }), { code: 'CONFLICT' })
        await assert.rejects(stream.seek('c', 'earliest'), { code: 'CONFLICT' })
        await consumption[Symbol.asyncDispose]()
        await consumption[Symbol.asyncDispose]()
        await (await stream.consume('c', { handle: () => undefined }))[Symbol.asyncDispose]()
      })
    })

    it('has no more in flight than it may, and goes on as deliveries are settled', async () => {
      await withStream(async (stream) => {
        const taken = new Collector()
        const consumption = await stream.consume('c', { handle: taken.handle, inFlightMax: 2 })
        await appendMany(stream, 0, 20)
        await settle()
        assert.deepEqual(taken.offsets, [0, 1])
        taken.deliveries[1]!.ack()
        await taken.has(3)
        taken.deliveries[2]!.ack()
        taken.deliveries[0]!.ack()
        await taken.has(5)
        await settle()
        assert.deepEqual(taken.offsets, [0, 1, 2, 3, 4])
        consumption.setInFlightMax(10)
        await taken.has(13)
        await settle()
        assert.equal(taken.deliveries.length, 13)
        assert.equal(stream.info().consumers[0]?.inFlight, 10)
      })
    })

    it('settles a delivery once: what comes after has no effect', async () => {
      await withStream(async (stream, clock) => {
        const taken = new Collector()
        await stream.consume('c', { handle: taken.handle, inFlightMax: 1 })
        await appendMany(stream, 0, 2)
        await taken.has(1)
        taken.deliveries[0]!.ack()
        taken.deliveries[0]!.ack()
        taken.deliveries[0]!.retryLater(1)
        await taken.has(2)
        await clock.advance(10)
        assert.deepEqual(taken.offsets, [0, 1])
        assert.equal(stream.info().consumers[0]?.inFlight, 1)
      })
    })

    it('may be settled inside the handler', async () => {
      await withStream(async (stream) => {
        const taken = new Collector((delivery) => delivery.ack())
        await stream.consume('c', { handle: taken.handle, inFlightMax: 1 })
        await appendMany(stream, 0, 1_000)
        await taken.has(1_000)
        assert.deepEqual(taken.offsets, [...taken.offsets.keys()])
      })
    })

    it('pauses and resumes without losing its place', async () => {
      await withStream(async (stream, clock) => {
        const taken = new Collector()
        const consumption = await stream.consume('c', { handle: taken.handle })
        await appendMany(stream, 0, 2)
        await taken.has(2)
        consumption.pause()
        taken.deliveries[0]!.retryLater(10)
        taken.deliveries[1]!.ack()
        await appendMany(stream, 2, 4)
        await clock.advance(1_000)
        assert.deepEqual(taken.offsets, [0, 1])
        consumption.resume()
        await taken.has(5)
        assert.deepEqual(
          taken.offsets.toSorted((a, b) => a - b),
          [0, 0, 1, 2, 3],
        )
      })
    })

    it('counts settlements that come after the consumption ended, until the next one begins', async () => {
      await withStream(async (stream) => {
        const first = new Collector()
        const consumption = await stream.consume('c', { handle: first.handle })
        await appendMany(stream, 0, 3)
        await first.has(3)
        await consumption[Symbol.asyncDispose]()
        first.deliveries[0]!.ack()
        const second = new Collector()
        await stream.consume('c', { handle: second.handle })
        await second.has(2)
        assert.deepEqual(second.offsets, [1, 2])
        first.deliveries[1]!.ack()
        assert.equal(stream.info().consumers[0]?.lag, 2)
      })
    })

    it('one that hangs costs its neighbours nothing', async () => {
      await withStream(async (stream) => {
        const stuck = new Collector()
        const quick = new Collector((delivery) => delivery.ack())
        await stream.consume('stuck', { handle: stuck.handle, inFlightMax: 1 })
        await stream.consume('quick', { handle: quick.handle })
        await appendMany(stream, 0, 500)
        await quick.has(500)
        assert.equal(stuck.deliveries.length, 1)
        for (let count = 1; count < 500; count++) {
          stuck.deliveries.at(-1)!.ack()
          await stuck.has(count + 1)
        }
        assert.deepEqual(stuck.offsets, [...stuck.offsets.keys()])
      })
    })
  })
}
