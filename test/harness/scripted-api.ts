// An HTTP server that answers as a test tells it, and remembers what it was asked.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface SeenRequest {
  /** `GET /path` */
  line: string
  query: Record<string, string>
  headers: Record<string, string>
  /** Parsed if it is JSON. */
  body: unknown
}

export interface ScriptedAnswer {
  status?: number
  headers?: Record<string, string>
  /** An object is sent as JSON, text as it is. */
  body?: unknown
  /** Sent line by line; the answer stays open until the client goes. */
  lines?: unknown[]
  /** Closes the connection without an answer. */
  hangUp?: boolean
}

export interface ScriptedApi extends AsyncDisposable {
  url: string
  requests: SeenRequest[]
}

/** Answers by request line, `GET /path`; several answers for one line are used in turn, the last one for ever. */
export async function startScriptedApi(
  script: Record<string, ScriptedAnswer | ScriptedAnswer[] | ((request: SeenRequest) => ScriptedAnswer)>,
): Promise<ScriptedApi> {
  const requests: SeenRequest[] = []
  const server = createServer((request, response) => {
    void (async () => {
      const url = new URL(request.url ?? '/', 'http://scripted')
      const chunks: Buffer[] = []
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
      const seen: SeenRequest = {
        line: `${request.method} ${url.pathname}`,
        query: Object.fromEntries(url.searchParams),
        headers: request.headers as Record<string, string>,
        body: parsed(Buffer.concat(chunks).toString('utf8')),
      }
      const before = requests.filter(({ line }) => line === seen.line).length
      requests.push(seen)
      const entry = script[seen.line]
      const answers = typeof entry === 'function' ? [entry(seen)] : Array.isArray(entry) ? entry : [entry]
      const answer = answers[Math.min(before, answers.length - 1)] ?? { status: 404, body: '404 page not found' }
      if (answer.hangUp === true) return void request.socket.destroy()
      const isText = typeof answer.body === 'string'
      response.writeHead(answer.status ?? 200, {
        'content-type': isText ? 'text/plain' : 'application/json',
        ...answer.headers,
      })
      if (answer.lines === undefined) return response.end(isText ? answer.body : JSON.stringify(answer.body ?? {}))
      response.flushHeaders()
      for (const line of answer.lines) response.write(`${typeof line === 'string' ? line : JSON.stringify(line)}\n`)
    })()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}

/** Aggregated discovery of a few kinds, for {@link startScriptedApi}. */
export const scriptedDiscovery: Record<string, ScriptedAnswer> = {
  'GET /api': {
    body: {
      items: [
        {
          metadata: {},
          versions: [
            {
              version: 'v1',
              resources: [
                aResource('configmaps', 'ConfigMap', 'Namespaced', ['cm']),
                aResource('namespaces', 'Namespace', 'Cluster', ['ns']),
                aResource('services', 'Service', 'Namespaced', ['svc'], ['all']),
              ],
            },
          ],
        },
      ],
    },
  },
  'GET /apis': {
    body: {
      items: [
        {
          metadata: { name: 'eventing.knative.dev' },
          versions: [
            {
              version: 'v1',
              resources: [
                aResource('brokers', 'Broker', 'Namespaced', [], ['all', 'knative', 'eventing']),
                aResource('triggers', 'Trigger', 'Namespaced', [], ['all', 'knative', 'eventing']),
              ],
            },
          ],
        },
        {
          metadata: { name: 'serving.knative.dev' },
          versions: [{ version: 'v1', resources: [aResource('services', 'Service', 'Namespaced', ['ksvc'], ['all'])] }],
        },
      ],
    },
  },
}

function aResource(plural: string, kind: string, scope: string, shortNames: string[], categories: string[] = []) {
  return {
    resource: plural,
    responseKind: { kind },
    scope,
    singularResource: kind.toLowerCase(),
    shortNames,
    categories,
    verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  }
}
