// Promises of transports that survive their process.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { aMessage, appendMany, Collector } from '../collector.ts'
import type { MakePlace } from './place.ts'

export function itSurvives(makePlace: MakePlace): void {
  describe('opened again', () => {
    it('has its streams, their events and their consumers, and numbers on', async () => {
      await using place = await makePlace()
      {
        await using transport = await place.open()
        const stream = await transport.ensureStream('shop/orders', { retentionMs: 3_600_000 })
        await transport.ensureStream('empty')
        await stream.consume('c', { handle: () => undefined })
        await appendMany(stream, 0, 10)
      }
      await using transport = await place.open()
      assert.deepEqual(
        transport.streams().map(({ name, nextOffset }) => [name, nextOffset]),
        [
          ['empty', 0],
          ['shop/orders', 10],
        ],
      )
      const stream = transport.stream('shop/orders')!
      assert.equal(stream.info().consumers[0]?.lag, 10)
      assert.equal(await stream.append(aMessage('10')), 10)
      const taken = new Collector()
      await stream.consume('c', { handle: taken.handle })
      await taken.has(11)
      assert.deepEqual(taken.ids, [...Array.from({ length: 11 }).keys()].map(String))
    })

    it('goes on where acknowledgements stood, out of order as they came', async () => {
      await using place = await makePlace()
      {
        await using transport = await place.open()
        const stream = await transport.ensureStream('s')
        const taken = new Collector()
        await stream.consume('c', { handle: taken.handle })
        await stream.consume('done', { handle: (delivery) => delivery.ack() })
        await appendMany(stream, 0, 10)
        await taken.has(10)
        for (const offset of [0, 1, 4, 8]) taken.deliveries[offset]!.ack()
      }
      await using transport = await place.open()
      const stream = transport.stream('s')!
      assert.deepEqual(
        stream.info().consumers.map(({ name, position, lag }) => [name, position, lag]),
        [
          ['c', 2, 6],
          ['done', 10, 0],
        ],
      )
      const taken = new Collector()
      await stream.consume('c', { handle: taken.handle })
      await taken.has(6)
      assert.deepEqual(taken.offsets, [2, 3, 5, 6, 7, 9])
    })

    it('neither loses a retry nor starts its waiting or counting again', async () => {
      await using place = await makePlace()
      {
        await using transport = await place.open()
        const stream = await transport.ensureStream('s')
        const taken = new Collector((delivery) => delivery.retryLater(delivery.attempt < 3 ? 10 : 60_000))
        await stream.consume('c', { handle: taken.handle })
        await appendMany(stream, 0, 1)
        await taken.has(1)
        await place.clock.advance(10)
        await taken.has(2)
        await place.clock.advance(10)
        await taken.has(3)
      }
      await place.clock.advance(20_000)
      await using transport = await place.open()
      const taken = new Collector()
      await transport.stream('s')!.consume('c', { handle: taken.handle })
      await place.clock.advance(39_990)
      assert.equal(taken.deliveries.length, 0)
      await place.clock.advance(10)
      await taken.has(1)
      assert.equal(taken.deliveries[0]!.attempt, 4)
    })

    it('keeps count and time of what waits for a retry, and what was set aside, in order', async () => {
      await using place = await makePlace()
      const dueMs = place.clock.now() + 60_000
      {
        await using transport = await place.open()
        const stream = await transport.ensureStream('s')
        const taken = new Collector()
        await stream.consume('c', { handle: taken.handle, inOrder: true })
        await appendMany(stream, 0, 2)
        await taken.has(2)
        taken.deliveries[0]!.retryLater(60_000)
        taken.deliveries[1]!.setAside()
      }
      await using transport = await place.open()
      const taken = new Collector()
      await transport.stream('s')!.consume('c', { handle: taken.handle, inOrder: true })
      await taken.has(2)
      assert.deepEqual(taken.offsets, [0, 1])
      const { attempt } = taken.deliveries[0]!
      assert.deepEqual([attempt, taken.deliveries[0]!.dueMs], [2, dueMs])
    })

    it('keeps a consumer that never acknowledged anything, and forgets a deleted one', async () => {
      await using place = await makePlace()
      {
        await using transport = await place.open()
        const stream = await transport.ensureStream('s')
        await appendMany(stream, 0, 5)
        await stream.consume('kept', { handle: () => undefined })
        await stream.consume('gone', { handle: () => undefined })
        await stream.deleteConsumer('gone')
        await transport.ensureStream('deleted')
        await transport.deleteStream('deleted')
      }
      {
        await using transport = await place.open()
        await appendMany(transport.stream('s')!, 5, 6)
        assert.equal(transport.stream('deleted'), undefined)
      }
      await using transport = await place.open()
      const stream = transport.stream('s')!
      assert.deepEqual(
        stream.info().consumers.map(({ name, position }) => [name, position]),
        [['kept', 5]],
      )
    })

    it('has moved the consumers that were moved', async () => {
      await using place = await makePlace()
      {
        await using transport = await place.open()
        const stream = await transport.ensureStream('s')
        await (await stream.consume('c', { handle: () => undefined }))[Symbol.asyncDispose]()
        await appendMany(stream, 0, 5)
        await stream.seek('c', { offset: 3 })
      }
      await using transport = await place.open()
      assert.equal(transport.stream('s')!.info().consumers[0]?.position, 3)
    })
  })
}
