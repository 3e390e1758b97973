import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, request as httpRequest } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { describe, it } from 'node:test'
import { systemClock } from '../../base/clock.ts'
import { settle } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/log.ts'
import { createMetrics } from '../../base/metrics.ts'
import { systemRandom } from '../../base/random.ts'
import { startEchoProgram } from '../../../test/harness/echo-program.ts'
import { aDoorSpec, containerPort, limit, read, until } from '../../../test/harness/revision-door.ts'
import { createPodTable } from '../pod-table.ts'
import type { PodTable, RevisionDoor, RevisionDoorSpec } from '../serving.ts'
import { createRevisionDoors } from './revision-doors.ts'
import { aGateway } from './test-gateway.ts'
import type { TestGateway } from './test-gateway.ts'
import { connectH2c, frame, FrameReader, readH2c } from './test-http2.ts'

const host = 'echo.default.example.com'

interface Setup extends AsyncDisposable {
  gateway: TestGateway
  pods: PodTable
  door: RevisionDoor
  addPod(port: number): void
}

/** The gateway and a door as `knode up` has them, on the machine's clock. */
async function setUp(settings: Partial<RevisionDoorSpec> = {}): Promise<Setup> {
  const deps = { clock: systemClock, random: systemRandom, log: silentLogger, metrics: createMetrics() }
  const pods = createPodTable(deps)
  const spec = aDoorSpec(settings)
  const door = createRevisionDoors({ pods, writeRequestLog: () => undefined, ...deps }).open(spec)
  const gateway = await aGateway({ endpoints: { [host]: door, ' /chat': door } })
  return {
    gateway,
    pods,
    door,
    addPod(port) {
      const name = `pod-${port}`
      const ports = new Map([[containerPort, port]])
      const labels = spec.selector
      const identity = { namespace: 'default', name, uid: name, labels }
      pods.register({ ...identity, host: '127.0.0.1', ports, portNames: new Map(), isReady: true })
    },
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      await door[Symbol.asyncDispose]()
    },
  }
}

describe('a real program behind the gateway', limit, () => {
  it('gets every request of a burst that came before it was there', async () => {
    await using set = await setUp({ containerConcurrency: 20 })
    const answers = Promise.all(Array.from({ length: 300 }, (_, at) => post(set.gateway.port, `渴了 ${at}`)))
    await until(() => set.door.inFlight === 300)
    await using program = await startEchoProgram('http1')
    set.addPod(program.port)
    assert.deepEqual(
      await answers,
      Array.from({ length: 300 }, (_, at) => `200 渴了 ${at}`),
    )
    assert.equal(set.door.inFlight, 0)
  })

  it('serves gRPC: one message, and a stream of them', async () => {
    await using program = await startEchoProgram('h2c')
    await using set = await setUp({ protocol: 'h2c' })
    set.addPod(program.port)
    using client = connectH2c(set.gateway.port)
    const headers = {
      ':method': 'POST',
      ':path': '/ping.Ping/Ping',
      'content-type': 'application/grpc',
      te: 'trailers',
    }
    const unary = client.request(headers)
    unary.end(frame('ping'))
    const { body, trailers } = await readH2c(unary)
    assert.deepEqual([...new FrameReader().read(body), trailers['grpc-status']], ['PING', '0'])
    const stream = client.request(headers)
    const reader = new FrameReader()
    const seen: string[] = []
    stream.on('data', (piece: Buffer) => seen.push(...reader.read(piece)))
    const answer = readH2c(stream)
    for (let at = 0; at < 20; at++) {
      stream.write(frame(`ping ${at}`))
      await until(() => seen.length > at)
      assert.equal(seen[at], `PING ${at}`)
    }
    stream.end()
    assert.equal((await answer).trailers['grpc-status'], '0')
  })

  it('talks to a WebSocket client', async () => {
    await using program = await startEchoProgram('http1')
    await using set = await setUp()
    set.addPod(program.port)
    const socket = new WebSocket(`ws://127.0.0.1:${set.gateway.port}/chat`)
    await once(socket, 'open')
    const heard: unknown[] = []
    socket.addEventListener('message', ({ data }) => heard.push(data))
    for (const text of ['hello', '渴了']) {
      socket.send(text)
      await until(() => heard.includes(text))
    }
    assert.equal(set.door.inFlight, 1)
    socket.close()
    await once(socket, 'close')
    await until(() => set.door.inFlight === 0)
  })
})

describe('ten thousand requests', limit, () => {
  it('leave no place taken, no timer and no connection behind, however they end', async () => {
    await using program = await startEchoProgram('http1')
    await using set = await setUp({ containerConcurrency: 8, timeouts: { totalMs: 600_000, idleMs: 300_000 } })
    set.addPod(program.port)
    const pod = set.pods.select('default', set.door.spec.selector)[0]!
    const agent = new Agent({ keepAlive: true, maxSockets: 32 })
    const connections = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const one = async (at: number): Promise<void> => {
      const request = httpRequest({
        host: '127.0.0.1',
        port: set.gateway.port,
        method: 'POST',
        agent,
        headers: { host },
      })
      request.on('error', () => undefined)
      if (at % 10 === 0) {
        // It gives up, before its body has ended or while it waits.
        request.write('half')
        await settle(at % 3)
        request.destroy()
        return
      }
      request.end(`body ${at}`)
      const [response] = (await once(request, 'response')) as [IncomingMessage]
      assert.deepEqual([response.statusCode, (await read(response)).body], [200, `body ${at}`])
    }
    const run = async (from: number, count: number): Promise<void> => {
      for (let at = from; at < from + count; at += 64) {
        await Promise.all(Array.from({ length: Math.min(64, from + count - at) }, (_, step) => one(at + step)))
      }
      await until(() => set.door.inFlight === 0 && pod.inFlight === 0)
    }
    await run(0, 1_000)
    const before = { connections: connections(), timers: timers() }
    await run(1_000, 9_000)
    assert.ok(connections() <= before.connections + 16, `${before.connections} connections became ${connections()}`)
    assert.ok(timers() <= before.timers + 16, `${before.timers} timers became ${timers()}`)
    agent.destroy()
  })
})

function post(port: number, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, method: 'POST', headers: { host }, agent: false })
    request.on('error', reject)
    request.on('response', (response) => {
      read(response).then((answer) => resolve(`${answer.status} ${answer.body}`), reject)
    })
    request.end(body)
  })
}
