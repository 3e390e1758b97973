import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, RequestListener } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { createServer as createTcpServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { test } from 'node:test'
import { closedPort } from '../../../test/harness/revision-door.ts'
import { systemClock } from '../../base/clock.ts'
import type { Container } from '../../model/kubernetes/pod/container-schema.ts'
import type { Probe } from '../../model/kubernetes/pod/probe-schema.ts'
import type { Workload } from '../../ports/workload-runtime/port.ts'
import { attemptProbe } from './probe-attempt.ts'

const longMs = 300_000

/** A container whose port 8080 leads to `port`. */
const look = (probe: Probe, port: number, more: Partial<Workload> = {}, timeoutMs = longMs) => {
  const workload = {
    host: '127.0.0.1',
    port,
    portOf: (containerPort: number) => (containerPort === 8080 ? port : undefined),
    ...more,
  } as Workload
  const container: Container = { ports: [{ name: 'web', containerPort: 8080 }] }
  return attemptProbe(probe, { workload, container, clock: systemClock }, timeoutMs)
}

async function listening<Listener extends Server>(server: Listener) {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { port, [Symbol.asyncDispose]: async () => void (await new Promise((resolve) => server.close(resolve))) }
}
const serving = (listener: RequestListener) => listening(createServer(listener))
const messageOf = async (result: ReturnType<typeof look>): Promise<string> => {
  const found = await result
  return found.isWell ? '' : found.message
}

test('200 to 399 is well, anything else is not, and the program sees who asks', async () => {
  const seen: IncomingMessage[] = []
  await using server = await serving((request, response) => {
    seen.push(request)
    response.writeHead(Number(request.url!.slice(1)), { location: '/elsewhere' }).end('because')
  })
  const get = (path: string) =>
    look({ httpGet: { path, port: 'web', httpHeaders: [{ name: 'X-Custom', value: 'Awesome' }] } }, server.port)
  assert.deepEqual([await get('/200'), await get('302')], [{ isWell: true }, { isWell: true }])
  assert.equal(await messageOf(get('/500')), 'HTTP probe failed with statuscode: 500: because')
  assert.match(seen[0]!.headers['user-agent'] ?? '', /^kube-probe\//)
  assert.equal(seen[0]!.headers['x-custom'], 'Awesome')
})

test('a path may hold anything: what cannot stand in a URL is escaped', async () => {
  const seen: string[] = []
  await using server = await serving((request, response) => {
    seen.push(request.url!)
    response.end()
  })
  const rows = [
    ['/a b', '/a%20b'],
    ['größe?x=1&y=ü z#part', '/gr%C3%B6%C3%9Fe?x=1&y=%C3%BC%20z'],
    ['/100%/%2Fdone%', '/100%25/%2Fdone%25'],
    ['/line\nbreak\u0000"', '/line%0Abreak%00%22'],
    ['//other/😀\ud800', '//other/%F0%9F%98%80%EF%BF%BD'],
  ] as const
  for (const [path] of rows)
    assert.deepEqual(await look({ httpGet: { path, port: 'web' } }, server.port), { isWell: true })
  assert.deepEqual(
    seen,
    rows.map(([, asked]) => asked),
  )
})

test('ports go by number, by name, or are the container’s own; one that Knode does not know is taken as it is', async () => {
  await using server = await serving((_, response) => response.end())
  for (const port of [8080, 'web', 0, '8080', server.port]) {
    assert.deepEqual(await look({ httpGet: { port } }, server.port), { isWell: true }, String(port))
  }
  assert.deepEqual(await look({ tcpSocket: {} }, server.port), { isWell: true })
  assert.equal(await messageOf(look({ tcpSocket: { port: 'nope' } }, server.port)), `couldn't find port "nope"`)
})

test('a port that nobody listens on is not well, a program that does not answer neither', async () => {
  await using silent = await listening(createTcpServer((socket) => socket.on('error', () => undefined).resume()))
  assert.deepEqual(await look({ tcpSocket: { port: 8080 } }, silent.port), { isWell: true })
  assert.match(await messageOf(look({ httpGet: { port: 8080 } }, silent.port, {}, 50)), /no answer within 50 ms/)
  assert.match(
    await messageOf(look({ tcpSocket: { port: 8080 } }, closedPort)),
    /dial tcp 127\.0\.0\.1:\d+: .*ECONNREFUSED/,
  )
})

test('a gRPC service is well when its health check says SERVING', async () => {
  const server = createHttp2Server()
  const questions: Buffer[] = []
  server.on('stream', (stream, headers) => {
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => {
      const question = Buffer.concat(chunks)
      questions.push(question.subarray(5))
      const asked = question.subarray(7).toString()
      assert.equal(headers[':path'], '/grpc.health.v1.Health/Check')
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': asked === 'gone' ? '5' : '0' }))
      stream.end(Buffer.from([0, 0, 0, 0, 2, 8, asked === 'sick' ? 2 : 1]))
    })
  })
  await using running = await listening(server)
  const check = (service: string) => look({ grpc: { port: 8080, service } }, running.port)
  assert.deepEqual(await check(''), { isWell: true })
  assert.equal(await messageOf(check('sick')), 'service unhealthy (responded with "NOT_SERVING")')
  assert.equal(await messageOf(check('gone')), 'error: health rpc probe failed: grpc-status 5')
  // Lengths of 128 and more take two bytes: protobuf.dev/programming-guides/encoding.
  for (const length of [127, 128, 300]) assert.deepEqual(await check('s'.repeat(length)), { isWell: true })
  assert.deepEqual(
    questions.slice(-3).map((question) => [...question.subarray(0, 3)]),
    [
      [0x0a, 127, 0x73],
      [0x0a, 0x80, 0x01],
      [0x0a, 0xac, 0x02],
    ],
  )
})

test('a command is well when it ends with 0; what it said is told otherwise', async () => {
  const exec = (command: readonly string[]) => Promise.resolve({ code: command[0] === 'true' ? 0 : 1, output: 'no\n' })
  const run = (word: string) => look({ exec: { command: [word] } }, 1, { exec })
  assert.deepEqual(await run('true'), { isWell: true })
  assert.equal(await messageOf(run('false')), 'no')
  assert.match(await messageOf(look({ exec: { command: ['true'] } }, 1)), /cannot run commands/)
})
