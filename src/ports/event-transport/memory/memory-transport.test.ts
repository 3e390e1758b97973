// The memory driver keeps the contract of the port.
import { describe } from 'node:test'
import { FakeClock } from '../../../base/fake-clock.ts'
import { silentLogger } from '../../../base/log.ts'
import { itKeepsTheTransportContract } from '../contract.ts'
import { openEventTransport } from '../open.ts'

describe('the memory transport', () => {
  itKeepsTheTransportContract(
    async () => {
      const clock = new FakeClock()
      const open = () => openEventTransport({ driver: 'memory', clock, log: silentLogger })
      return { clock, open, [Symbol.asyncDispose]: async () => undefined }
    },
    { durable: false },
  )
})
