// Promises about streams: made, found, deleted, described.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { aMessage, appendMany, Collector } from '../collector.ts'
import type { WithStream } from './place.ts'

export function itKeepsStreams(withStream: WithStream): void {
  describe('streams', () => {
    it('are there once ensured, by any name, and gone once deleted', async () => {
      await withStream(async (stream, _clock, transport) => {
        assert.equal(transport.stream('shop/orders'), stream)
        assert.equal(await transport.ensureStream('shop/orders', { retentionMs: 5 }), stream)
        const odd = '../渴了 "%2F" \u0000 ' + 'n'.repeat(300)
        const other = await transport.ensureStream(odd)
        assert.equal(other.name, odd)
        assert.deepEqual(
          transport.streams().map(({ name }) => name),
          [odd, 'shop/orders'],
        )
        await transport.deleteStream(odd)
        await transport.deleteStream(odd)
        assert.equal(transport.stream(odd), undefined)
      })
    })

    it('deleted ones end their consumers, take no more and begin anew when ensured again', async () => {
      await withStream(async (stream, _clock, transport) => {
        const taken = new Collector()
        await stream.consume('c', { handle: taken.handle })
        await appendMany(stream, 0, 3)
        await taken.has(3)
        await transport.deleteStream(stream.name)
        await assert.rejects(stream.append(aMessage('late')), { code: 'TRANSPORT_CLOSED' })
        const again = await transport.ensureStream(stream.name)
        assert.deepEqual(again.info(), {
          name: 'shop/orders',
          firstOffset: 0,
          nextOffset: 0,
          bytes: 0,
          consumers: [],
          damaged: [],
        })
        assert.equal(await again.append(aMessage('first')), 0)
        for (const delivery of taken.deliveries) delivery.ack()
      })
    })

    it('closed transports take no more events, consumers or streams', async () => {
      await withStream(async (stream, _clock, transport) => {
        const last = stream.append(aMessage('in time'))
        await transport[Symbol.asyncDispose]()
        assert.equal(await last, 0)
        await assert.rejects(stream.append(aMessage('late')), { code: 'TRANSPORT_CLOSED' })
        await assert.rejects(stream.consume('c', { handle: () => undefined }), { code: 'TRANSPORT_CLOSED' })
        await assert.rejects(transport.ensureStream('other'), { code: 'TRANSPORT_CLOSED' })
        await transport[Symbol.asyncDispose]()
      })
    })
  })

  describe('info', () => {
    it('tells how far each consumer is', async () => {
      await withStream(async (stream, clock) => {
        const startMs = clock.now()
        const taken = new Collector()
        const consumption = await stream.consume('c', { handle: taken.handle, inFlightMax: 3 })
        await appendMany(stream, 0, 10)
        await taken.has(3)
        taken.deliveries[1]!.retryLater(1_000)
        await taken.has(4)
        const { bytes, ...rest } = stream.info()
        assert.ok(bytes > 10 * 16)
        const consumer = { name: 'c', position: 0, lag: 10, inFlight: 3, retrying: 1, active: true }
        assert.deepEqual(rest, {
          name: 'shop/orders',
          firstOffset: 0,
          nextOffset: 10,
          oldestMs: startMs,
          consumers: [consumer],
          damaged: [],
        })
        taken.deliveries[0]!.ack()
        await taken.has(5)
        await consumption[Symbol.asyncDispose]()
        assert.deepEqual(stream.info().consumers, [
          { name: 'c', position: 1, lag: 9, inFlight: 0, retrying: 1, active: false },
        ])
      })
    })
  })
}
