import { describe } from 'node:test'
import { systemClock } from '../../../base/clock.ts'
import { itKeepsTheRuntimeContract } from '../contract.ts'
import type { WorkloadSpec } from '../port.ts'
import { createFakeRuntime } from './fake-runtime.ts'
import type { FakeProgram } from './fake-runtime.ts'

const scripts: Record<string, FakeProgram> = {
  server: { prints: ['one', 'two'] },
  failing: { prints: ['boom'], exit: { code: 3 } },
  silent: { startMs: Infinity },
}

const spec = (image: string): WorkloadSpec => ({ name: image, namespace: 'default', image, env: {} })

describe('the fake runtime', () => {
  itKeepsTheRuntimeContract(async () => ({
    runtime: createFakeRuntime({ clock: systemClock, program: ({ image }) => scripts[image] }),
    server: spec('server'),
    failing: spec('failing'),
    silent: spec('silent'),
    impossible: spec('impossible'),
  }))
})
