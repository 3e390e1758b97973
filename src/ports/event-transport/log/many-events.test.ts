// A stream with a million events opens again, and says how far it is.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { FakeClock } from '../../../base/fake-clock.ts'
import { createLogger } from '../../../base/log.ts'
import { aMessage, appendMany, Collector } from '../collector.ts'
import { openEventTransport } from '../open.ts'

const events = 1_000_000
/** Events appended together. */
const together = 10_000

/** A second passes whenever somebody looks. */
class HurryingClock extends FakeClock {
  #looks = 0

  override monotonicMs(): number {
    return ++this.#looks * 1_000
  }
}

interface Line {
  msg: string
  bytes: number
  bytesInAll: number
}

test('a million events are opened again whole, with progress told, and the consumer goes on where it was', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'knode-log-'))
  const said: Line[] = []
  const log = createLogger({ level: 'info', write: (line) => void said.push(JSON.parse(line) as Line) })
  const open = () =>
    openEventTransport({ driver: 'log', directory, clock: new HurryingClock(), log, durability: 'process' })
  try {
    {
      await using transport = await open()
      const stream = await transport.ensureStream('many')
      const taken = new Collector((delivery) => delivery.ack())
      await using consumption = await stream.consume('reader', { from: 'earliest', handle: taken.handle })
      await appendMany(stream, 0, 1)
      await taken.has(1)
      consumption.pause()
      for (let from = 1; from < events; from += together) {
        await appendMany(stream, from, Math.min(from + together, events), 1)
      }
    }
    assert.equal(said.length, 0)
    await using transport = await open()
    const stream = transport.stream('many')!
    assert.deepEqual(stream.info().damaged, [])
    assert.deepEqual([stream.info().firstOffset, stream.info().nextOffset], [0, events])
    assert.equal(stream.info().consumers[0]!.position, 1)
    const progress = said.filter(({ msg }) => msg === 'stream is read')
    assert.ok(progress.length > 100, `${progress.length} lines of progress`)
    const { bytesInAll } = progress[0]!
    for (const [index, line] of progress.entries()) {
      assert.ok(line.bytes > (progress[index - 1]?.bytes ?? 0) && line.bytes <= bytesInAll, 'it always goes on')
    }
    assert.ok(progress.at(-1)!.bytes > bytesInAll * 0.9)
    const taken = new Collector((delivery) => delivery.ack())
    await using _consumption = await stream.consume('reader', { handle: taken.handle })
    await taken.has(3)
    assert.deepEqual(taken.ids.slice(0, 3), ['1', '2', '3'])
    assert.equal(await stream.append(aMessage('last')), events)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})
