// A stream outlives a clock that was wrong: its times recover, and what is old goes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../../base/fake-clock.ts'
import { silentLogger } from '../../../base/log.ts'
import { seededRandom } from '../../../base/random.ts'
import { aMessage, readAll } from '../collector.ts'
import { openEventTransport } from '../open.ts'
import type { EventTransport } from '../port.ts'
import { SimulatedFileSystem } from './simulated-file-system.ts'

const hourMs = 3_600_000
const yearMs = 8_760 * hourMs
const options = { retentionMs: 24 * hourMs }

/** A machine whose clock on the wall may be set. */
function aMachine() {
  const random = seededRandom(1)
  const [fake, fileSystem] = [new FakeClock(), new SimulatedFileSystem(random)]
  const wall = {
    skewMs: 0,
    now: () => fake.now() + wall.skewMs,
    monotonicMs: () => fake.monotonicMs(),
    setTimer: (delayMs: number, fire: () => void) => fake.setTimer(delayMs, fire),
  }
  const open = (): Promise<EventTransport> =>
    openEventTransport({ driver: 'log', directory: '/data', clock: wall, random, fileSystem, log: silentLogger })
  const advanceHours = async (hours: number): Promise<void> => {
    for (let hour = 0; hour < hours; hour++) await fake.advance(hourMs)
  }
  return { wall, open, advanceHours }
}

test('events of a clock that was years ahead go in their time, and those after them are found by theirs', async () => {
  const { wall, open, advanceHours } = aMachine()
  wall.skewMs = 10 * yearMs
  await using transport = await open()
  const stream = await transport.ensureStream('s', options)
  const wrongMs = wall.now()
  await stream.append(aMessage('wrong'))
  wall.skewMs = 0
  for (let hour = 0; hour < 30; hour++) {
    await stream.append(aMessage(`h${hour}`))
    await advanceHours(1)
  }
  const stored = await readAll(stream, 'earliest')
  const times = stored.map(({ appendedMs }) => appendedMs)
  assert.equal(times.at(-1), wall.now() - hourMs)
  assert.ok(
    times.slice(0, -6).every((appendedMs) => appendedMs >= wrongMs),
    'not believed before a day has passed',
  )
  const found = await readAll(stream, { timeMs: wall.now() - 3.5 * hourMs })
  assert.ok(['h27', 'h28', 'h29'].every((id) => found.some(({ message }) => message.event.attributes.get('id') === id)))

  await advanceHours(31)
  await stream.append(aMessage('new'))
  await advanceHours(3)
  assert.deepEqual(
    (await readAll(stream, 'earliest')).map(({ message }) => message.event.attributes.get('id')),
    ['new'],
  )
  assert.deepEqual((await readAll(stream, { timeMs: wall.now() - 2 * hourMs })).length, 0)
})

test('a machine that starts with a clock far behind changes no times, and loses nothing by it', async () => {
  const { wall, open, advanceHours } = aMachine()
  {
    await using transport = await open()
    const stream = await transport.ensureStream('s', options)
    await stream.append(aMessage('before'))
  }
  const beforeMs = wall.now()
  wall.skewMs = -20 * yearMs
  await using transport = await open()
  const stream = await transport.ensureStream('s', options)
  await stream.append(aMessage('behind'))
  await advanceHours(2)
  wall.skewMs = 0
  await stream.append(aMessage('after'))
  await advanceHours(2)
  assert.deepEqual(
    (await readAll(stream, 'earliest')).map(({ appendedMs }) => appendedMs - beforeMs),
    [0, 0, 2 * hourMs],
  )
})

test('a segment that is full by the time its events are told is as old as they are', async () => {
  const { open, advanceHours } = aMachine()
  await using transport = await open()
  const stream = await transport.ensureStream('s', { ...options, retentionBytes: 4_194_304 })
  await advanceHours(30)
  // Each is more than a segment takes, so that there is a new one for each.
  await Promise.all(['a', 'b', 'c'].map((id) => stream.append(aMessage(id, { bytes: 600_000 }))))
  await advanceHours(4)
  assert.deepEqual(
    (await readAll(stream, 'earliest')).map(({ message }) => message.event.attributes.get('id')),
    ['a', 'b', 'c'],
  )
})
