// For tests: a backend on a fake clock and a fake runtime, behind a server of its own.
import { createServer, request as httpRequest } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { FakeClock, settle } from '../../src/base/fake-clock.ts'
import { silentLogger } from '../../src/base/log.ts'
import { seededRandom } from '../../src/base/random.ts'
import { createFakeRuntime } from '../../src/ports/workload-runtime/fake/fake-runtime.ts'
import type { FakeProgram, FakeRuntime } from '../../src/ports/workload-runtime/fake/fake-runtime.ts'
import { RevisionBackend } from '../../src/engine/request-path/revision-backend.ts'
import type { RevisionBackendOptions } from '../../src/engine/request-path/revision-backend.ts'

interface Setup extends AsyncDisposable {
  backend: RevisionBackend
  clock: FakeClock
  runtime: FakeRuntime
  /** How often `onChange` was called. */
  changes: () => number
  /** Sends a request through the backend. */
  send(options?: SendOptions): Promise<Answer>
  port: number
}

interface SendOptions {
  method?: string
  path?: string
  headers?: Record<string, string>
  body?: string | Buffer
}

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: string
  trailers: Record<string, string | undefined>
}

/** A backend that has been proven before and idles after 60 s, behind a server of its own. */
export async function setUp(
  script: FakeProgram | (() => FakeProgram | undefined) = {},
  settings: Partial<RevisionBackendOptions> = {},
): Promise<Setup> {
  const clock = new FakeClock()
  const runtime = createFakeRuntime({ clock, program: () => (typeof script === 'function' ? script() : script) })
  let changes = 0
  const backend = new RevisionBackend({
    instancesMin: 0,
    instancesInitial: 0,
    containerConcurrency: 0,
    idleMs: 60_000,
    readyMs: 600_000,
    timeouts: { totalMs: 300_000 },
    workload: () => ({ name: 'hello-00001', namespace: 'default', image: 'hello', env: {} }),
    onChange: () => void changes++,
    runtime,
    clock,
    random: seededRandom(1),
    log: silentLogger,
    ...settings,
  })
  backend.start()
  const server = createServer((request, response) => backend.handle(request, response))
  server.on('upgrade', (request, socket, head) => backend.upgrade(request, socket, head))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    backend,
    clock,
    runtime,
    changes: () => changes,
    port,
    send: (options) => send(port, options),
    [Symbol.asyncDispose]: () => tearDown(server, backend, clock),
  }
}

async function tearDown(server: Server, backend: RevisionBackend, clock: FakeClock): Promise<void> {
  server.close()
  server.closeAllConnections()
  const closing = backend[Symbol.asyncDispose]()
  await clock.advance(60_000)
  await closing
}

function send(port: number, { method = 'GET', path = '/', headers = {}, body }: SendOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent: false })
    request.on('error', reject)
    request.on('response', (response) => void read(response).then(resolve, reject))
    request.end(body)
  })
}

export async function read(response: IncomingMessage): Promise<Answer> {
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk as string
  return { status: response.statusCode!, headers: response.headers, body: text, trailers: response.trailers }
}

/** Turns the loop until the condition holds. */
export async function until(isSo: () => boolean): Promise<void> {
  const untilMs = performance.now() + 5_000
  while (!isSo()) {
    if (performance.now() > untilMs) throw new Error(`never came true: ${isSo.toString()}`)
    await settle(1)
  }
}
