import assert from 'node:assert/strict'
import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { systemClock } from '../../base/clock.ts'
import { silentLogger } from '../../base/log.ts'
import { systemRandom } from '../../base/random.ts'
import { openWorkloadRuntime } from '../../ports/workload-runtime/open.ts'
import { RevisionBackend } from './revision-backend.ts'

const program = `require('node:http').createServer((q, r) => r.end(process.env.GREETING)).listen(process.env.PORT)`

test('no request of a burst is lost while a real program starts', { timeout: 30_000 }, async () => {
  const deps = { clock: systemClock, random: systemRandom, log: silentLogger }
  await using runtime = await openWorkloadRuntime(deps)
  await using backend = new RevisionBackend({
    instancesMin: 0,
    instancesInitial: 0,
    containerConcurrency: 0,
    idleMs: 60_000,
    readyMs: 20_000,
    timeouts: { totalMs: 20_000 },
    workload: () => ({
      name: 'hello-00001',
      namespace: 'default',
      image: '',
      env: { GREETING: '渴了' },
      processCommand: `exec node -e "${program}"`,
    }),
    onChange: () => undefined,
    runtime,
    ...deps,
  })
  const server = createServer((request, response) => backend.handle(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const answers = await Promise.all(Array.from({ length: 300 }, () => fetchText(port)))
  assert.deepEqual([...new Set(answers)], ['200 渴了'])
  assert.equal(backend.readyCount, 1)
  server.close()
})

function fetchText(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve(`${response.statusCode} ${text}`))
    }).on('error', reject)
  })
}
