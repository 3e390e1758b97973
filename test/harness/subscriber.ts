// A real HTTP server that takes events, remembers them, and answers as the test says.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Received {
  /** Path it was sent to, which tells the subscribers of one server apart. */
  path: string
  headers: IncomingHttpHeaders
  body: string
}

export interface Answer {
  /** @default 204, or 200 with a body */
  status?: number
  headers?: Record<string, string>
  body?: string
}

export interface Subscriber extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  url: string
  received: Received[]
  /** Resolves with all that came to `path` once there are `count` of them. Fails after `timeoutMs`. */
  until(path: string, count: number, timeoutMs?: number): Promise<Received[]>
}

/** How long a test waits for an event, in milliseconds: generous, because it only matters when the test fails. */
const patienceMs = 60_000

/** Listens on a free port of the loopback interface. */
export async function startSubscriber(answer: (event: Received) => Answer = () => ({})): Promise<Subscriber> {
  const received: Received[] = []
  const waiting = new Set<() => void>()
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const event: Received = {
        path: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString('utf8'),
      }
      received.push(event)
      const { body, status = body === undefined ? 204 : 200, headers = {} } = answer(event)
      response.writeHead(status, headers).end(body)
      for (const look of waiting) look()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const at = (path: string): Received[] => received.filter((event) => event.path === path)
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    until(path, count, timeoutMs = patienceMs) {
      return new Promise((resolve, reject) => {
        const done = (settle: () => void): void => {
          waiting.delete(look)
          clearTimeout(timer)
          settle()
        }
        const look = (): void => {
          if (at(path).length >= count) done(() => resolve(at(path)))
        }
        const timer = setTimeout(() => {
          const seen = received.map((event) => `${event.path} ${String(event.headers['ce-type'])}`).join(', ')
          done(() => reject(new Error(`waited for ${count} events at ${path}; came: ${seen || 'none'}`)))
        }, timeoutMs)
        waiting.add(look)
        look()
      })
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** An answer that is an event. */
export function eventAnswer(attributes: Record<string, string>, body: string): Answer {
  const headers = Object.entries({ specversion: '1.0', ...attributes }).map(([name, value]) => [`ce-${name}`, value])
  return { status: 200, headers: { 'content-type': 'application/json', ...Object.fromEntries(headers) }, body }
}
