// A real HTTP server that takes events, remembers them, and answers as the test says.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inTime, programPatience } from '../../src/base/eventually.ts'

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
  /** Resolves with all that came to `path` once there are `count` of them. @throws when they do not come in time */
  until(path: string, count: number): Promise<Received[]>
}

/** Listens on a free port of the loopback interface. An answer that is promised keeps its sender waiting. */
export async function startSubscriber(
  answer: (event: Received) => Answer | Promise<Answer> = () => ({}),
): Promise<Subscriber> {
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
      void (async () => {
        const { body, status = body === undefined ? 204 : 200, headers = {} } = await answer(event)
        response.writeHead(status, headers).end(body)
        for (const look of waiting) look()
      })()
    })
  })
  // Senders close idle connections: after a machine stood still, no request meets one that is closing here.
  server.keepAliveTimeout = 0
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const at = (path: string): Received[] => received.filter((event) => event.path === path)
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    until(path, count) {
      const { promise, resolve } = Promise.withResolvers<Received[]>()
      const look = (): void => {
        if (at(path).length < count) return
        waiting.delete(look)
        resolve(at(path))
      }
      waiting.add(look)
      look()
      const seen = (): string => received.map((event) => `${event.path} ${String(event.headers['ce-type'])}`).join(', ')
      return inTime(promise, () => `${count} events at ${path}; came: ${seen() || 'none'}`, programPatience)
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
