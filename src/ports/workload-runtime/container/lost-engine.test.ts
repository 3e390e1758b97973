import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { systemClock } from '../../../base/clock.ts'
import { eventually } from '../../../base/eventually.ts'
import { FakeClock } from '../../../base/fake-clock.ts'
import { silentLogger } from '../../../base/log.ts'
import { systemRandom } from '../../../base/random.ts'
import { createContainerRuntime } from './container-runtime.ts'
import { LogRing } from '../log-ring.ts'
import { ContainerWorkload } from './container-workload.ts'
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

test('a start that is given up does not wait for a pull that takes long, and neither does the end of Knode', async () => {
  let pulls = 0
  await using engine = await startTestEngine({
    'GET /_ping': json('OK'),
    'GET /info': json({ OperatingSystem: 'Docker Desktop' }),
    'GET /containers/json': json([]),
    'POST /images/create': () => void pulls++,
  })
  const runtime = createContainerRuntime({
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
    owner: '/data',
    env: { DOCKER_HOST: `unix://${engine.address.path}` },
  })
  const spec = { name: 'a', namespace: 'default', image: 'a:v1', env: {}, containerPort: 8080 }
  const leaving = new AbortController()
  const given = assert.rejects(runtime.start(spec, { signal: leaving.signal }), { name: 'AbortError' })
  const other = assert.rejects(runtime.start({ ...spec, image: 'b:v1' }), { code: 'WORKLOAD_FAILED' })
  await eventually(() => pulls === 2, 'both pulls')
  leaving.abort()
  await given
  await runtime[Symbol.asyncDispose]()
  await other
})

test('a container is killed sooner when it is asked to end again with less time', async () => {
  const clock = new FakeClock()
  const signals: string[] = []
  let end: () => void = () => undefined
  await using engine = await startTestEngine({
    'POST /containers/c1/kill': ({ url }, response) => {
      const signal = new URL(url!, 'http://engine').searchParams.get('signal')!
      signals.push(signal)
      response.end()
      if (signal === 'SIGKILL') end()
    },
    'POST /containers/c1/wait': (_request, response) => {
      end = () => response.end(JSON.stringify({ StatusCode: 137 }))
    },
    'GET /containers/c1/json': json({ State: {} }),
    'DELETE /containers/c1': json(null),
  })
  using client = new EngineClient(engine.address)
  const output = new PassThrough()
  output.end()
  const spec = { name: 'a', namespace: 'default', image: 'a:v1', env: {} }
  const workload = new ContainerWorkload(spec, {
    engine: client,
    clock,
    ring: new LogRing(clock),
    id: 'c1',
    address: undefined,
    host: '127.0.0.1',
    portOf: () => 1,
    stopSignal: 'SIGTERM',
    output,
    pid: undefined,
    imageId: undefined,
  })
  const patient = workload.stop({ graceMs: 300_000 })
  await eventually(() => signals.length === 1, 'the first signal')
  const hasty = workload.stop({ graceMs: 5_000 })
  await clock.advance(5_000)
  await eventually(() => signals.length === 2, 'the second signal', { patienceMs: 5_000 })
  await Promise.all([patient, hasty])
  assert.deepEqual(signals.slice(0, 2), ['SIGTERM', 'SIGKILL'])
  assert.equal(clock.pendingTimers, 0)
})

test('containers that an earlier Knode has left are not forgotten while there is no engine to end them', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'knode-marker-'))
  const markerFile = join(folder, 'containers')
  await writeFile(markerFile, '')
  const options = { clock: systemClock, random: systemRandom, log: silentLogger, owner: '/data', markerFile }
  const without = createContainerRuntime({ ...options, env: { DOCKER_HOST: `unix://${join(folder, 'nowhere')}` } })
  await without[Symbol.asyncDispose]()
  assert.deepEqual(await readdir(folder), ['containers'])

  let isUp = false
  await using engine = await startTestEngine({
    'GET /_ping': (_request, response) => void (isUp ? response.end('OK') : response.writeHead(500).end()),
    'GET /info': json({ OperatingSystem: 'Docker Desktop' }),
    'GET /containers/json': json([{ Id: 'old' }]),
    'POST /containers/old/stop': json(null),
    'DELETE /containers/old': json(null),
    'POST /images/create': json({ error: 'manifest unknown' }),
  })
  const clock = new FakeClock()
  const env = { DOCKER_HOST: `unix://${engine.address.path}` }
  const late = createContainerRuntime({ ...options, clock, env })
  const spec = { name: 'a', namespace: 'default', image: 'a:v1', env: {} }
  await assert.rejects(late.start(spec), { code: 'WORKLOAD_FAILED' })
  isUp = true
  await clock.advance(10_000)
  await assert.rejects(late.start(spec), { code: 'IMAGE_PULL_FAILED' })
  assert.ok(
    engine.asked.some((line) => line.startsWith('DELETE /containers/old')),
    engine.asked.join('\n'),
  )
  await late[Symbol.asyncDispose]()
  assert.deepEqual(await readdir(folder), [])
  await rm(folder, { recursive: true })
})

test('an engine that stops answering while it is being found holds up neither a start nor the end of Knode', async () => {
  await using engine = await startTestEngine({ 'GET /_ping': json('OK'), 'GET /info': () => undefined })
  const clock = new FakeClock()
  const runtime = createContainerRuntime({
    clock,
    random: systemRandom,
    log: silentLogger,
    owner: '/data',
    env: { DOCKER_HOST: `unix://${engine.address.path}` },
  })
  const failed = assert.rejects(runtime.start({ name: 'a', namespace: 'default', image: 'a:v1', env: {} }), {
    code: 'WORKLOAD_FAILED',
  })
  await eventually(() => engine.asked.some((line) => line.startsWith('GET /info')), 'the question')
  await clock.advance(10_000)
  await failed
  await runtime[Symbol.asyncDispose]()
})
