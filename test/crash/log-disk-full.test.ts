// A really full disk: events are refused, none is lost, and it heals when there is room again.
import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { createLogger } from '../../src/base/log.ts'
import { aMessage, Collector, readAll } from '../../src/ports/event-transport/collector.ts'
import { openEventTransport } from '../../src/ports/event-transport/open.ts'
import type { EventStream, EventTransport } from '../../src/ports/event-transport/port.ts'
import { skipUnless } from '../harness/require.ts'
import { smallDisk } from '../harness/small-disk.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'

const diskBytes = 8_388_608

test('a full disk refuses events, loses none, and takes them again when there is room', async (context) => {
  await using directory = await temporaryDirectory()
  await using disk = await smallDisk(join(directory.path, 'disk'), diskBytes)
  if (!skipUnless(context, disk.isMounted, 'mounting a small tmpfs needs root on Linux')) return
  const ballast = join(disk.path, 'ballast')
  await writeFile(ballast, Buffer.alloc(diskBytes / 2))
  const lines: string[] = []
  const open = (): Promise<EventTransport> =>
    openEventTransport({
      driver: 'log',
      directory: join(disk.path, 'streams'),
      clock: systemClock,
      log: createLogger({ write: (line) => void lines.push(line) }),
    })

  let accepted = 0
  {
    await using transport = await open()
    const stream = await transport.ensureStream('s')
    const taken = new Collector((delivery) => delivery.ack())
    await stream.consume('c', { handle: taken.handle })
    accepted = await appendUntilFull(stream, accepted)
    await taken.has(accepted)
    assert.equal(lines.filter((line) => line.includes('events are refused')).length, 1)
    // Nothing changes by asking again.
    assert.equal(await appendUntilFull(stream, accepted), accepted)
  }
  {
    // Neither does starting anew, on the full disk.
    await using transport = await open()
    const stream = transport.stream('s')!
    assert.deepEqual(await idsIn(stream), idsUpTo(accepted))
    assert.equal(await appendUntilFull(stream, accepted), accepted)
    await rm(ballast)
    const healed = await appendUntilFull(stream, accepted)
    assert.ok(healed > accepted * 1.5, `${healed} with room for twice ${accepted}`)
    accepted = healed
  }
  await using transport = await open()
  const stream = transport.stream('s')!
  assert.deepEqual(await idsIn(stream), idsUpTo(accepted))
  assert.deepEqual(stream.info().damaged, [])
  const taken = new Collector((delivery) => delivery.ack())
  await stream.consume('c', { handle: taken.handle })
  await taken.has(stream.info().consumers[0]!.lag)
  assert.equal(taken.offsets.at(-1), accepted - 1)
})

/** Appends numbered events until one is refused. @returns how many there are now. */
async function appendUntilFull(stream: EventStream, count: number): Promise<number> {
  for (;;) {
    const ids = Array.from({ length: 20 }, (_, index) => count + index)
    const appended = await Promise.allSettled(ids.map((id) => stream.append(aMessage(String(id), { bytes: 2_000 }))))
    const refused = appended.filter((one) => one.status === 'rejected')
    for (const { reason } of refused) assert.equal((reason as { code: string }).code, 'TRANSPORT_FULL')
    count += appended.length - refused.length
    if (refused.length > 0) return count
  }
}

const idsUpTo = (count: number): string[] => Array.from({ length: count }, (_, id) => String(id))
const idsIn = async (stream: EventStream): Promise<unknown[]> =>
  (await readAll(stream, 'earliest')).map(({ message }) => message.event.attributes.get('id'))
