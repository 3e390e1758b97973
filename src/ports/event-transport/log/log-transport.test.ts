// The log keeps the contract of the port, on the real file system.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe } from 'node:test'
import { FakeClock } from '../../../base/fake-clock.ts'
import { silentLogger } from '../../../base/log.ts'
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
