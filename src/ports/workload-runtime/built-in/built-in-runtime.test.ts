import { describe } from 'node:test'
import { systemClock } from '../../../base/clock.ts'
import { systemRandom } from '../../../base/random.ts'
import { itKeepsTheRuntimeContract } from '../contract.ts'
import type { WorkloadSpec } from '../port.ts'
import { createBuiltInRuntime } from './built-in-runtime.ts'
import type { BuiltInImage } from './program.ts'

const server: BuiltInImage = {
  names: /^server$/,
  description: 'a server',
  start(context) {
    context.stdout('one\ntwo\n')
    return { kind: 'server', handle: (_request, response) => response.end('hello') }
  },
}

const failing: BuiltInImage = {
  names: /^failing$/,
  description: 'prints and ends',
  start(context) {
    context.stderr('boom\n')
    return { kind: 'work', run: () => Promise.resolve(3) }
  },
}

const silent: BuiltInImage = {
  names: /^silent$/,
  description: 'works, and listens to nothing',
  start: ({ signal }) => ({
    kind: 'work',
    run: () => new Promise((resolve) => signal.addEventListener('abort', () => resolve(0), { once: true })),
  }),
}

const spec = (image: string): WorkloadSpec => ({ name: image, namespace: 'default', image, env: {} })

describe('the runtime of built-in images', () => {
  itKeepsTheRuntimeContract(async () => ({
    runtime: createBuiltInRuntime({ clock: systemClock, random: systemRandom, images: [server, failing, silent] }),
    server: spec('example.com/any/server:v1'),
    failing: spec('failing'),
    silent: spec('silent'),
    impossible: spec('impossible'),
  }))
})
