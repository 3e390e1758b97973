// Opening a long stream tells how far it is.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { FakeClock } from '../../../base/fake-clock.ts'
import { createLogger } from '../../../base/log.ts'
import { seededRandom } from '../../../base/random.ts'
import { appendMany } from '../collector.ts'
import { openEventTransport } from '../open.ts'
import { SimulatedFileSystem } from './simulated-file-system.ts'

/** A clock on which looking at it takes 600 ms. */
class SlowClock extends FakeClock {
  #looks = 0

  override monotonicMs(): number {
    return this.#looks++ * 600
  }
}

it('tells the progress about once a second while it reads what is there', async () => {
  const random = seededRandom(1)
  const fileSystem = new SimulatedFileSystem(random)
  const lines: Record<string, unknown>[] = []
  const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>)
  const clock = new SlowClock()
  const open = () =>
    openEventTransport({
      driver: 'log',
      directory: '/d',
      clock,
      random,
      fileSystem,
      log: createLogger({ clock, write }),
    })
  {
    await using transport = await open()
    await appendMany(await transport.ensureStream('s'), 0, 5_000)
  }
  lines.length = 0
  await using transport = await open()
  assert.equal(transport.stream('s')!.info().nextOffset, 5_000)
  const progress = lines.filter(({ msg }) => msg === 'stream is read')
  const { bytes } = transport.stream('s')!.info()
  assert.ok(progress.length >= 2)
  for (const line of progress) assert.deepEqual([line['stream'], line['bytesInAll']], ['s', bytes])
  assert.ok(progress.every((line, at) => at === 0 || Number(line['bytes']) > Number(progress[at - 1]!['bytes'])))
})
