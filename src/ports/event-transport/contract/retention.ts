// Promises about what a stream lets go, and what it refuses.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { eventually } from '../../../base/eventually.ts'
import { KnodeError } from '../../../base/errors.ts'
import { settle } from '../../../base/fake-clock.ts'
import { aMessage, appendMany, Collector, readAll } from '../collector.ts'
import type { WithStream } from './place.ts'

export function itKeepsWhatIsNeeded(withStream: WithStream): void {
  describe('retention', () => {
    it('lets go what is old, but never what a consumer still needs', async () => {
      await withStream(
        async (stream, clock) => {
          const taken = new Collector()
          await stream.consume('slow', { handle: taken.handle, inFlightMax: 1_000 })
          await appendMany(stream, 0, 10)
          await taken.has(10)
          await clock.advance(10_000)
          await appendMany(stream, 10, 12)
          await settle()
          assert.equal(stream.info().firstOffset, 0)
          assert.equal((await readAll(stream, 'earliest')).length, 12)
          for (const delivery of taken.deliveries) delivery.ack()
          await clock.advance(10_000)
          await stream.append(aMessage('new'))
          await eventually(() => stream.info().firstOffset >= 10, 'old events to go')
          assert.ok((stream.info().oldestMs ?? 0) >= clock.now() - 20_000)
          assert.deepEqual((await readAll(stream, 'earliest')).at(-1)?.offset, 12)
        },
        { retentionMs: 5_000 },
      )
    })

    it('lets go the oldest above its size, but never what a consumer still needs', async () => {
      const kept = 400_000
      await withStream(
        async (stream) => {
          const taken = new Collector()
          await stream.consume('slow', { handle: taken.handle, inFlightMax: 1 })
          for (let id = 0; id < 1_000; id += 50) await appendMany(stream, id, id + 50, 1_000)
          assert.equal(stream.info().firstOffset, 0)
          assert.ok(stream.info().bytes > 2 * kept)
          await stream.deleteConsumer('slow')
          await appendMany(stream, 1_000, 1_050, 1_000)
          await eventually(() => stream.info().bytes <= kept * 1.25, 'the stream to become small')
          assert.ok(stream.info().firstOffset > 500)
          assert.ok(stream.info().nextOffset - stream.info().firstOffset > 100)
        },
        { retentionBytes: kept },
      )
    })

    it('refuses events at the hard limit and takes them again once consumers moved on', async () => {
      await withStream(
        async (stream) => {
          const taken = new Collector()
          await stream.consume('slow', { handle: taken.handle, inFlightMax: 1_000 })
          const outcomes: unknown[] = []
          while (outcomes.length < 1_000 && outcomes.at(-1) !== 'TRANSPORT_FULL') {
            const appended = stream.append(aMessage(String(outcomes.length), { bytes: 1_000 }))
            outcomes.push(await appended.catch((error: unknown) => (error instanceof KnodeError ? error.code : error)))
          }
          const accepted = outcomes.length - 1
          assert.ok(accepted > 100 && accepted < 450, `${accepted} were accepted`)
          await assert.rejects(stream.append(aMessage('x', { bytes: 1_000 })), {
            code: 'TRANSPORT_FULL',
            retryable: true,
          })
          await taken.has(accepted)
          assert.equal(stream.info().nextOffset, accepted)
          for (const delivery of taken.deliveries) delivery.ack()
          assert.equal(await stream.append(aMessage('again', { bytes: 1_000 })), accepted)
          await taken.has(accepted + 1)
          assert.equal(taken.ids.at(-1), 'again')
        },
        { streamBytesMax: 450_000 },
      )
    })

    it('a deleted consumer keeps nothing and starts anew', async () => {
      await withStream(async (stream) => {
        const taken = new Collector()
        await stream.consume('c', { handle: taken.handle })
        await appendMany(stream, 0, 2)
        await taken.has(2)
        await stream.deleteConsumer('c')
        await stream.deleteConsumer('c')
        assert.deepEqual(stream.info().consumers, [])
        taken.deliveries[0]!.retryLater(0)
        await appendMany(stream, 2, 3)
        await settle()
        assert.deepEqual(taken.offsets, [0, 1])
        const again = new Collector()
        await stream.consume('c', { handle: again.handle })
        await appendMany(stream, 3, 4)
        await again.has(1)
        assert.deepEqual(again.offsets, [3])
      })
    })
  })
}
