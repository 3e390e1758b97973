// The ports of this machine by which containers are reached.
import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { test } from 'node:test'
import { systemClock } from '../../../base/clock.ts'
import { silentLogger } from '../../../base/log.ts'
import { systemRandom } from '../../../base/random.ts'
import type { WorkloadRuntime } from '../port.ts'
import { createContainerRuntime } from './container-runtime.ts'
import { json, startTestEngine } from './test-engine.ts'
import type { TestEngine } from './test-engine.ts'

const spec = { name: 'a', namespace: 'default', image: 'a:v1', env: {}, containerPort: 8080, otherPorts: [9090, 8080] }

interface CreateBody {
  HostConfig: { PortBindings: Record<string, { HostIp: string; HostPort: string }[]> }
}

const head = (_request: unknown, response: ServerResponse): void => response.writeHead(200).flushHeaders()

/** An engine that refuses to start the first `refusals` containers, saying this. Keeps what it was to make. */
async function anEngine(refusals: number, message: string): Promise<{ engine: TestEngine; made: CreateBody[] }> {
  const made: CreateBody[] = []
  const create = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    made.push(JSON.parse((await request.toArray()).join('')) as CreateBody)
    response.end(JSON.stringify({ Id: 'c1' }))
  }
  const engine = await startTestEngine({
    'GET /_ping': json('OK'),
    'GET /info': json({ OperatingSystem: 'Docker Desktop' }),
    'GET /containers/json': json([]),
    'GET /images/': json({ Id: 'sha256:1' }),
    'POST /containers/create': (request, response) => void create(request, response),
    'POST /containers/c1/attach': head,
    'POST /containers/c1/start': (_request, response) =>
      void response.writeHead(made.length > refusals ? 204 : 500).end(JSON.stringify({ message })),
    'GET /containers/c1/json': (_request, response) =>
      json({ State: { Pid: 1 }, NetworkSettings: { Ports: made.at(-1)!.HostConfig.PortBindings } })(_request, response),
    'POST /containers/c1/wait': head,
    'DELETE /containers/c1': json(null),
  })
  return { engine, made }
}

const openRuntime = ({ address }: TestEngine): WorkloadRuntime =>
  createContainerRuntime({
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
    owner: '/data',
    env: { DOCKER_HOST: `unix://${address.path}` },
  })

test('a container’s ports get ports of loopback that the system gives to nobody by itself', async () => {
  const { engine, made } = await anEngine(0, '')
  await using _engine = engine
  await using runtime = openRuntime(engine)
  const workload = await runtime.start(spec)
  const { PortBindings } = made[0]!.HostConfig
  assert.deepEqual(Object.keys(PortBindings), ['8080/tcp', '9090/tcp'])
  for (const [key, [binding]] of Object.entries(PortBindings)) {
    const port = Number(binding!.HostPort)
    assert.equal(binding!.HostIp, '127.0.0.1')
    assert.ok(port >= 20_000 && port < 32_000, key)
    assert.equal(workload.portOf(Number.parseInt(key)), port)
  }
  await engine[Symbol.asyncDispose]()
  await workload.exited
})

test('a container whose port somebody else took meanwhile starts with another one', async () => {
  const { engine, made } = await anEngine(
    2,
    'driver failed programming: Bind for 127.0.0.1:2 failed: port is already allocated',
  )
  await using _engine = engine
  await using runtime = openRuntime(engine)
  const workload = await runtime.start(spec)
  assert.equal(made.length, 3)
  const ports = made.map(({ HostConfig }) => HostConfig.PortBindings['8080/tcp']![0]!.HostPort)
  assert.equal(workload.port, Number(ports[2]))
  await engine[Symbol.asyncDispose]()
  await workload.exited
})

test('an engine that finds no port free for long, or refuses for another reason, is believed', async () => {
  for (const [message, tries] of [
    ['address already in use', 3],
    ['no space left on device', 1],
  ] as const) {
    const { engine, made } = await anEngine(9, message)
    await using _engine = engine
    await using runtime = openRuntime(engine)
    await assert.rejects(runtime.start(spec), { code: 'WORKLOAD_FAILED', message: new RegExp(message) })
    assert.equal(made.length, tries, message)
  }
})
