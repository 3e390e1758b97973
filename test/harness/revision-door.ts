// For tests: a Revision's door on a fake clock, in front of programs that the test makes, behind a server of its own.
import { createServer, request as httpRequest } from 'node:http'
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage, RequestListener, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { eventually, programPatience } from '../../src/base/eventually.ts'
import { FakeClock, settle } from '../../src/base/fake-clock.ts'
import { silentLogger } from '../../src/base/log.ts'
import { createMetrics } from '../../src/base/metrics.ts'
import type { Metrics } from '../../src/base/metrics.ts'
import { seededRandom } from '../../src/base/random.ts'
import { createPodTable } from '../../src/engine/pod-table.ts'
import { createRevisionDoors } from '../../src/engine/request-path/revision-doors.ts'
import type {
  PodTable,
  RegisteredPod,
  RevisionDoor,
  RevisionDoors,
  RevisionDoorSpec,
} from '../../src/engine/serving.ts'
import { noTracing } from '../../src/engine/tracing.ts'
import type { Tracing } from '../../src/engine/tracing.ts'

export interface DoorSetup extends AsyncDisposable {
  door: RevisionDoor & AsyncDisposable
  doors: RevisionDoors
  pods: PodTable
  clock: FakeClock
  metrics: Metrics
  /** What was written of requests. */
  requestLines: string[]
  port: number
  /** Sends a request through the door. */
  send(options?: SendOptions): Promise<Answer>
  /** Starts a program and registers its Pod. */
  addPod(program?: Program): Promise<TestPod>
}

export interface TestPod extends RegisteredPod {
  name: string
  port: number
  server: Server
}

export interface Program {
  /** @default `pod-1`, … */
  name?: string
  /** @default true */
  isReady?: boolean
  /** @default answers with the Pod's name */
  handle?: RequestListener
  upgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
  /** Where it listens, when it is no program of ours. */
  port?: number
}

export interface SendOptions {
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

export const containerPort = 8080
const selector = { 'serving.knative.dev/revisionUID': 'uid-1' }

export const aDoorSpec = (settings: Partial<RevisionDoorSpec> = {}): RevisionDoorSpec => ({
  namespace: 'default',
  name: 'hello-00001',
  uid: 'uid-1',
  selector,
  containerPort,
  protocol: 'http1',
  containerConcurrency: 0,
  timeouts: { totalMs: 300_000 },
  ...settings,
})

/** A door without Pods. */
export async function openDoor(
  settings: Partial<RevisionDoorSpec> = {},
  { tracing = noTracing }: { tracing?: Tracing } = {},
): Promise<DoorSetup> {
  const clock = new FakeClock()
  const metrics = createMetrics()
  const pods = createPodTable({ clock })
  const requestLines: string[] = []
  const doors = createRevisionDoors({
    pods,
    clock,
    random: seededRandom(1),
    log: silentLogger,
    metrics,
    tracing,
    writeRequestLog: (line) => void requestLines.push(line),
  })
  const door = doors.open(aDoorSpec(settings))
  const programs: Server[] = []
  const server = createServer((request, response) => door.handle(request, response))
  server.on('upgrade', (request, socket, head) => door.upgrade!(request, socket, head))
  const port = await listen(server)
  let made = 0
  return {
    door,
    doors,
    pods,
    clock,
    metrics,
    requestLines,
    port,
    send: (options) => send(port, options),
    async addPod({ name = `pod-${++made}`, isReady = true, handle, upgrade, port: given } = {}) {
      const program = createServer(handle ?? ((_request, response) => void response.end(name)))
      if (upgrade !== undefined) program.on('upgrade', upgrade)
      programs.push(program)
      const programPort = given ?? (await listen(program))
      const pod = pods.register({
        namespace: 'default',
        name,
        uid: `uid-of-${name}`,
        labels: selector,
        host: '127.0.0.1',
        ports: new Map([[containerPort, programPort]]),
        portNames: new Map(),
        isReady,
      })
      return Object.assign(pod, { name, port: programPort, server: program })
    },
    async [Symbol.asyncDispose]() {
      for (const each of [server, ...programs]) {
        each.close()
        each.closeAllConnections()
      }
      const closing = door[Symbol.asyncDispose]()
      await settle()
      await clock.advance(60_000)
      await closing
    },
  }
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

export function send(
  port: number,
  { method = 'GET', path = '/', headers = {}, body }: SendOptions = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent: false })
    request.on('error', reject)
    request.on('response', (response) => void read(response).then(resolve, reject))
    request.end(body)
  })
}

/** Of a suite, in milliseconds: a hang becomes a failure, and ten thousand requests on a starved machine do not. */
export const limit = { timeout: 3_600_000 }

/** A port that nobody listens on, and that no other test is given meanwhile: tcpmux, which is not in use any more. */
export const closedPort = 1

export async function read(response: IncomingMessage): Promise<Answer> {
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk as string
  return { status: response.statusCode!, headers: response.headers, body: text, trailers: response.trailers }
}

/** Turns the loop until the condition holds. */
export async function until(isSo: () => boolean): Promise<void> {
  await eventually(isSo, isSo.toString(), programPatience)
}

/** A program whose answers are given by the test. */
export function manual(): { handle: RequestListener; asked: string[]; answer: () => void; most: () => number } {
  const asked: string[] = []
  const answers: (() => void)[] = []
  let now = 0
  let most = 0
  return {
    asked,
    most: () => most,
    answer: () => answers.shift()!(),
    handle(request, response) {
      most = Math.max(most, ++now)
      asked.push(request.url!)
      response.on('close', () => now--)
      answers.push(() => response.end('done'))
    },
  }
}

/** Begins a request whose answer, or failure, nobody waits for. */
export function ask(port: number, path: string): ClientRequest {
  const request = httpRequest({ host: '127.0.0.1', port, path, agent: false })
  request.on('error', () => undefined)
  return request.end()
}
