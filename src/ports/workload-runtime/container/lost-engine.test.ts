import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../../base/clock.ts'
import { silentLogger } from '../../../base/log.ts'
import { systemRandom } from '../../../base/random.ts'
import { createContainerRuntime } from './container-runtime.ts'
import { EngineClient } from './engine-client.ts'
import { json, startTestEngine } from './test-engine.ts'

test('a container whose engine is gone counts as ended, and can be stopped', async () => {
  const head = (_request: unknown, response: { writeHead(status: number): { flushHeaders(): void } }): void =>
    response.writeHead(200).flushHeaders()
  const engine = await startTestEngine({
    'GET /_ping': json('OK'),
    'GET /info': json({ OperatingSystem: 'Docker Desktop' }),
    'GET /containers/json': json([]),
    'GET /images/': json({ Id: 'sha256:1' }),
    'POST /containers/create': json({ Id: 'c1' }),
    'POST /containers/c1/attach': head,
    'POST /containers/c1/start': json(null),
    'GET /containers/c1/json': json({
      State: { Pid: 1 },
      NetworkSettings: { Ports: { '8080/tcp': [{ HostPort: '1' }] } },
    }),
    'POST /containers/c1/wait': head,
  })
  await using runtime = createContainerRuntime({
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
    owner: '/data',
    env: { DOCKER_HOST: `unix://${engine.address.path}` },
  })
  const spec = { name: 'a', namespace: 'default', image: 'a:v1', env: {}, containerPort: 8080 }
  const workload = await runtime.start(spec)
  const last = (async () => {
    const lines: string[] = []
    for await (const { text } of workload.logs({ follow: true })) lines.push(text)
    return lines.join('\n')
  })()
  await engine[Symbol.asyncDispose]()
  assert.deepEqual(await workload.exited, { signal: 'SIGKILL' })
  assert.match(await last, /the container is lost/)
  await workload.stop({ graceMs: 1_000 })
  await assert.rejects(runtime.start(spec), { code: 'WORKLOAD_FAILED', message: /container engine/ })
})

test('a kept connection that the engine closes is not an error', async () => {
  let isFirst = true
  await using engine = await startTestEngine({
    'GET /_ping': json('OK'),
    'GET /info': ({ socket }, response) => {
      if (!isFirst) return void response.end('{"Name":"engine"}')
      isFirst = false
      socket.destroy()
    },
  })
  using client = new EngineClient(engine.address)
  await client.call('GET', '/_ping')
  assert.deepEqual(await client.call('GET', '/info'), { Name: 'engine' })
})
