// The log keeps the contract of the port, on the real file system.
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { FakeClock } from '../../../base/fake-clock.ts'
import { silentLogger } from '../../../base/log.ts'
import { aMessage, appendMany, Collector } from '../collector.ts'
import { itKeepsTheTransportContract } from '../contract.ts'
import type { TransportPlace } from '../contract/place.ts'
import { openEventTransport } from '../open.ts'

const placeWith = (durability: 'disk' | 'process') => async (): Promise<TransportPlace> => {
  const directory = await mkdtemp(join(tmpdir(), 'knode-log-'))
  const clock = new FakeClock()
  return {
    clock,
    open: () => openEventTransport({ driver: 'log', directory, durability, clock, log: silentLogger }),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  }
}

describe('the log transport', () => itKeepsTheTransportContract(placeWith('disk'), { durable: true }))
describe('the log transport without syncs', () => itKeepsTheTransportContract(placeWith('process'), { durable: true }))

it('answers all who appended before it hands the events over', async () => {
  await using place = await placeWith('disk')()
  await using transport = await place.open()
  const stream = await transport.ensureStream('s')
  const order: string[] = []
  const taken = new Collector(() => order.push('handed over'))
  await stream.consume('c', { handle: taken.handle })
  await Promise.all(
    Array.from({ length: 3 }, async (_, id) => {
      await stream.append(aMessage(String(id)))
      order.push('answered')
    }),
  )
  await taken.has(3)
  assert.deepEqual(order, [...Array<string>(3).fill('answered'), ...Array<string>(3).fill('handed over')])
})

it('passes over what others have put beside the streams, and leaves it there', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'knode-log-'))
  const open = () => openEventTransport({ driver: 'log', directory, clock: new FakeClock(), log: silentLogger })
  try {
    {
      await using transport = await open()
      await appendMany(await transport.ensureStream('s'), 0, 3)
    }
    await writeFile(join(directory, '.DS_Store'), 'x')
    await mkdir(join(directory, 'lost+found'))
    {
      await using transport = await open()
      assert.deepEqual(
        transport.streams().map(({ name, nextOffset }) => [name, nextOffset]),
        [['s', 3]],
      )
    }
    const names = await readdir(directory)
    assert.ok(names.includes('.DS_Store') && names.includes('lost+found'), names.join(' '))
  } finally {
    await rm(directory, { recursive: true })
  }
})
