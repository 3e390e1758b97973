// Routes behind a real socket, with all they ask for: for their tests.
import { once } from 'node:events'
import { createServer, request as httpRequest } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { FakeClock } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/log.ts'
import { createMetrics } from '../../base/metrics.ts'
import { seededRandom } from '../../base/random.ts'
import { statusOf } from '../../engine/api-server/http/answers.ts'
import type { ExtraRoute } from '../../engine/api-server/http/api-front.ts'
import { kindIdOf } from '../../engine/children.ts'
import { createFlowFeed } from '../../engine/flow.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { openEventTransport } from '../../ports/event-transport/open.ts'
import type { RouteDeps } from './route.ts'

export interface RouteBed extends AsyncDisposable {
  deps: Omit<RouteDeps, 'clock'> & { clock: FakeClock }
  /** What the caches hold. */
  objects: Resource[]
  /** Asks, and waits for the whole answer. */
  call(path: string, method?: string): Promise<{ code: number; text: string; message: string | undefined }>
  /** Asks, and gives the answer as it comes; destroying it is the client going away. */
  open(path: string, method?: string): Promise<IncomingMessage>
  /** How many requests are being handled. */
  readonly handling: number
  /** The server stops. */
  stop(): void
}

export async function aRouteBed(
  makeRoute: (deps: RouteDeps) => ExtraRoute,
  given: Partial<RouteDeps> = {},
): Promise<RouteBed> {
  const clock = new FakeClock()
  const objects: Resource[] = []
  const stopping = new AbortController()
  const ofKind = (kind: string, namespace?: string): Resource[] =>
    objects.filter(
      (object) => kindIdOf(object) === kind && (namespace === undefined || object.metadata.namespace === namespace),
    )
  const deps = {
    caches: {
      get: <Object extends Resource>(kind: string, namespace: string, name: string) =>
        ofKind(kind, namespace).find(({ metadata }) => metadata.name === name) as Object | undefined,
      list: <Object extends Resource>(kind: string, namespace?: string) => ofKind(kind, namespace) as Object[],
    },
    transport: await openEventTransport({ driver: 'memory', clock, log: silentLogger }),
    runtime: { logs: () => undefined },
    delivery: {
      replay() {
        throw new Error('not expected')
      },
    },
    autoscaler: { snapshot: () => undefined },
    flow: createFlowFeed(),
    metrics: createMetrics(),
    random: seededRandom(1),
    ...given,
    clock,
  }
  const route = makeRoute(deps)
  let handling = 0
  const server = createServer((request, response) => {
    const url = new URL(`http://knode${request.url}`)
    handling++
    const handled = (async () => {
      if (!route.matches(url.pathname)) return void response.writeHead(404).end()
      await route.handle(request, response, { url, user: { username: 'test', groups: [] }, stopping: stopping.signal })
    })()
    void handled
      .catch((error: unknown) => {
        const status = statusOf(error, silentLogger)
        response.writeHead(status.code).end(JSON.stringify(status))
      })
      .finally(() => handling--)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const open = (path: string, method = 'GET'): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const request = httpRequest({ port, path, method, agent: false }, resolve)
      request.on('error', reject)
      request.end()
    })
  return {
    deps,
    objects,
    open,
    async call(path, method) {
      const response = await open(path, method)
      let text = ''
      for await (const chunk of response.setEncoding('utf8')) text += String(chunk)
      const code = response.statusCode ?? 0
      const { message } = (code >= 400 && text !== '' ? JSON.parse(text) : {}) as { message?: string }
      return { code, text, message }
    },
    get handling() {
      return handling
    },
    stop: () => stopping.abort(),
    async [Symbol.asyncDispose]() {
      stopping.abort()
      server.closeAllConnections()
      server.close()
      await deps.transport[Symbol.asyncDispose]()
    },
  }
}

/** The values of an answer of JSON lines, one by one. */
export async function* valuesOf<Value>(response: IncomingMessage): AsyncGenerator<Value> {
  for await (const line of createInterface({ input: response })) yield JSON.parse(line) as Value
}
