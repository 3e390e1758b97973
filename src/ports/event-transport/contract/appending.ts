// Promises about appending and reading.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { aMessage, Collector, readAll } from '../collector.ts'
import type { EventStream } from '../port.ts'
import type { WithStream } from './place.ts'

export function itAppendsAndReads(withStream: WithStream): void {
  describe('appending and reading', () => {
    it('numbers events from 0 and gives them back unchanged', async () => {
      await withStream(async (stream, clock) => {
        const message = {
          event: {
            attributes: new Map<string, string | number | boolean>([
              ['specversion', '1.0'],
              ['id', 'ü "1"'],
              ['source', '/s'],
              ['type', ''],
              ['count', -5],
              ['urgent', true],
            ]),
            data: Buffer.from([0, 255, 10]),
          },
          headers: { traceparent: '00-1-2-01', 'x-b3-flags': '\u00ff' },
        }
        assert.equal(await stream.append(message), 0)
        await clock.advance(5)
        assert.equal(await stream.append({ ...message, event: { ...message.event, data: undefined } }), 1)
        const stored = await readAll(stream, 'earliest')
        assert.deepEqual(
          stored.map(({ offset, appendedMs }) => [offset, appendedMs]),
          [
            [0, clock.now() - 5],
            [1, clock.now()],
          ],
        )
        assert.deepEqual([...stored[0]!.message.event.attributes], [...message.event.attributes])
        assert.deepEqual(stored[0]!.message.headers, message.headers)
        assert.deepEqual(Buffer.from(stored[0]!.message.event.data ?? []), message.event.data)
        assert.equal(stored[1]!.message.event.data, undefined)
      })
    })

    it('keeps the order of calls when many append at once', async () => {
      await withStream(async (stream) => {
        const offsets = await Promise.all(Array.from({ length: 500 }, (_, id) => stream.append(aMessage(String(id)))))
        assert.deepEqual(offsets, [...offsets.keys()])
        const ids = (await readAll(stream, 'earliest')).map(({ message }) => message.event.attributes.get('id'))
        assert.deepEqual(ids, [...offsets.keys()].map(String))
      })
    })

    it('has at once what it acknowledged: for readers, for numbers and for consumers that begin behind it', async () => {
      await withStream(async (stream) => {
        const behind = new Collector()
        stream.select(() => new Set(['behind']))
        for (let id = 0; id < 20; id++) {
          await stream.append(aMessage(String(id)))
          assert.equal(stream.info().nextOffset, id + 1)
          assert.equal((await readAll(stream, { offset: id })).length, 1)
        }
        await stream.append(aMessage('before'))
        await stream.consume('behind', { handle: behind.handle })
        await stream.append(aMessage('after'))
        await behind.has(1)
        assert.deepEqual(behind.ids, ['after'])
        assert.equal(stream.info().consumers[0]?.lag, 1)
      })
    })

    it('takes an event of megabytes', async () => {
      await withStream(async (stream) => {
        await stream.append(aMessage('small'))
        await stream.append(aMessage('large', { bytes: 5_000_000 }))
        await stream.append(aMessage('small again'))
        const sizes = (await readAll(stream, 'earliest')).map(({ message }) => message.event.data?.length)
        assert.deepEqual(sizes, [16, 5_000_000, 16])
      })
    })

    it('reads from an offset, from a time and from the end, up to the newest event at the call', async () => {
      await withStream(async (stream, clock) => {
        const startMs = clock.now()
        for (let id = 0; id < 10; id++) {
          await stream.append(aMessage(String(id)))
          await clock.advance(1_000)
        }
        const read = async (from: Parameters<EventStream['read']>[0]): Promise<number[]> =>
          (await readAll(stream, from)).map(({ offset }) => offset)
        assert.deepEqual(await read({ offset: 7 }), [7, 8, 9])
        assert.deepEqual(await read({ offset: 99 }), [])
        assert.deepEqual(await read({ timeMs: startMs + 8_000 }), [8, 9])
        assert.deepEqual(await read({ timeMs: startMs + 7_001 }), [8, 9])
        assert.deepEqual(await read({ timeMs: 0 }), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
        assert.deepEqual(await read({ timeMs: startMs + 3_600_000 }), [])
        assert.deepEqual(await read('latest'), [])

        const seen: number[] = []
        for await (const { offset } of stream.read({ offset: 8 })) {
          seen.push(offset)
          await stream.append(aMessage('meanwhile'))
        }
        assert.deepEqual(seen, [8, 9])
      })
    })
  })
}
