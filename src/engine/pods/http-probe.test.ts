// Probes of programs that speak HTTP/2 without TLS, HTTP/1.1, or both, over the network.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import type { IncomingHttpHeaders, ServerHttp2Session } from 'node:http2'
import { createServer as createTcpServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { test } from 'node:test'
import { systemClock } from '../../base/clock.ts'
import type { Container } from '../../model/kubernetes/pod/container-schema.ts'
import type { Probe } from '../../model/kubernetes/pod/probe-schema.ts'
import type { Workload } from '../../ports/workload-runtime/port.ts'
import { attemptProbe } from './probe-attempt.ts'
import type { ProbeTarget } from './probe-attempt.ts'

const longMs = 10_000

/** An instance of one container whose port 8080 leads to `port`; it is looked at again and again. */
function instance(port: number, { name = 'user-port', ...more }: Partial<ProbeTarget> & { name?: string } = {}) {
  const workload = { host: '127.0.0.1', port, portOf: () => port } as Partial<Workload> as Workload
  const container: Container = { ports: [{ name, containerPort: 8080 }] }
  const spoken = new Map<string, 1 | 2>()
  const target: ProbeTarget = { workload, container, clock: systemClock, spoken, ...more }
  return {
    versions: () => [...spoken.values()],
    look: (httpGet: NonNullable<Probe['httpGet']> = { port: 8080 }, timeoutMs = longMs) =>
      attemptProbe({ httpGet }, target, timeoutMs),
  }
}

async function listening(server: Server, close: () => void = () => undefined) {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    async [Symbol.asyncDispose]() {
      close()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

interface Heard {
  version: 1 | 2
  headers: IncomingHttpHeaders
}

/** Speaks HTTP/2 with prior knowledge and nothing else. */
function http2Program(answer: () => number = () => 200) {
  const heard: Heard[] = []
  const sessions = new Set<ServerHttp2Session>()
  const server = createHttp2Server()
  server.on('session', (session) => {
    sessions.add(session)
    session.on('error', () => undefined)
  })
  server.on('stream', (stream, headers) => {
    heard.push({ version: 2, headers })
    stream.respond({ ':status': answer() })
    stream.end('because')
  })
  return { heard, listen: () => listening(server, () => sessions.forEach((session) => session.destroy())) }
}

/** Speaks HTTP/1.1 and nothing else. */
function http1Program(answer: () => number = () => 200) {
  const heard: Heard[] = []
  const server = createServer(({ headers }, response) => {
    heard.push({ version: 1, headers })
    response.writeHead(answer()).end('because')
  })
  return { heard, listen: () => listening(server) }
}

test('a program that speaks HTTP/2 alone is well once that is looked for, and not before', async () => {
  const program = http2Program()
  await using server = await program.listen()
  assert.equal((await instance(server.port).look()).isWell, false)
  const detecting = instance(server.port, { detectsHttp2: true })
  assert.deepEqual(await detecting.look(), { isWell: true })
  assert.deepEqual(detecting.versions(), [2])
})

test('a port named h2c is enough: no flag is needed', async () => {
  const program = http2Program()
  await using server = await program.listen()
  for (const port of [8080, 'h2c', 0, '']) {
    assert.deepEqual(await instance(server.port, { name: 'h2c' }).look({ port }), { isWell: true }, String(port))
  }
})

test('a probe of another port than the one named h2c asks by HTTP/1.1, as ever', async () => {
  const program = http1Program()
  await using server = await program.listen()
  assert.deepEqual(await instance(server.port, { name: 'h2c' }).look({ port: 9999 }), { isWell: true })
  assert.deepEqual(
    program.heard.map(({ version }) => version),
    [1],
  )
})

test('a program that speaks HTTP/1.1 alone is well, too, and is asked by HTTP/2 only until it is', async () => {
  let status = 503
  const program = http1Program(() => status)
  await using server = await program.listen()
  const { look, versions } = instance(server.port, { detectsHttp2: true })
  assert.deepEqual(await look(), { isWell: false, message: 'HTTP probe failed with statuscode: 503: because' })
  assert.deepEqual(versions(), [], 'what has not succeeded is not remembered')
  status = 200
  assert.deepEqual(await look(), { isWell: true })
  assert.deepEqual(versions(), [1])
})

test('the version that was found is used from then on: one request a look', async () => {
  for (const program of [http1Program(), http2Program()]) {
    await using server = await program.listen()
    const { look } = instance(server.port, { detectsHttp2: true })
    await look()
    const before = program.heard.length
    await look()
    await look()
    assert.equal(program.heard.length - before, 2)
  }
})

test('what a program says by HTTP/2 is what its failure tells', async () => {
  const program = http2Program(() => 500)
  await using server = await program.listen()
  const { look, versions } = instance(server.port, { detectsHttp2: true })
  assert.deepEqual(await look(), { isWell: false, message: 'HTTP probe failed with statuscode: 500: because' })
  assert.deepEqual(versions(), [])
})

test('by HTTP/2, too, a program sees who asks, the path, and the headers of the probe', async () => {
  const program = http2Program()
  await using server = await program.listen()
  const httpHeaders = [
    { name: 'X-Custom', value: 'Awesome' },
    { name: 'Host', value: 'shop.example' },
    { name: 'Connection', value: 'close' },
  ]
  const { look } = instance(server.port, { detectsHttp2: true })
  assert.deepEqual(await look({ port: 8080, path: 'up?now=1', httpHeaders }), { isWell: true })
  const { headers } = program.heard[0]!
  assert.match(headers['user-agent'] ?? '', /^kube-probe\//)
  assert.partialDeepStrictEqual(headers, {
    ':method': 'GET',
    ':path': '/up?now=1',
    ':authority': 'shop.example',
    'x-custom': 'Awesome',
  })
})

test('a program that answers neither is told of in time, and one that is not there at once', async () => {
  await using silent = await listening(createTcpServer((socket) => socket.on('error', () => undefined).resume()))
  const quiet = await instance(silent.port, { detectsHttp2: true }).look({ port: 8080 }, 50)
  assert.match(quiet.isWell ? '' : quiet.message, /no answer within 50 ms/)
  const { port } = await listening(createTcpServer()).then(async (server) => {
    await server[Symbol.asyncDispose]()
    return server
  })
  const gone = await instance(port, { detectsHttp2: true }).look()
  assert.match(gone.isWell ? '' : gone.message, /ECONNREFUSED/)
})
