// The little that a function needs to take CloudEvents over HTTP and answer with one: no library, just the binding.
// Source: CloudEvents HTTP protocol binding 1.0.2, binary content mode.
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ServiceEvent {
  id: string
  type: string
  source: string
  /** The data, parsed from JSON. */
  data: unknown
}

/** What a function answers: the type and JSON data of the next event. */
export interface ServiceAnswer {
  type: string
  data: unknown
}

/** Thrown by a function to refuse an event for good (4xx), or for now (5xx: the sender tries again). */
export class Refusal extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** Larger bodies are refused with 413, in bytes. */
const bodyBytesMax = 1_048_576

/** Serves `handle` on `port`, 0 for any, which it prints; the answer's source is `source`. */
export function serveEvents(
  { port, source }: { port: number; source: string },
  handle: (event: ServiceEvent) => Promise<ServiceAnswer>,
): Server {
  const server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      const header = (name: string): string => String(request.headers[name] ?? '')
      const chunks: Buffer[] = []
      let bytes = 0
      for await (const chunk of request as AsyncIterable<Buffer>) {
        bytes += chunk.length
        if (bytes > bodyBytesMax) throw new Refusal(413, `more than ${bodyBytesMax} bytes`)
        chunks.push(chunk)
      }
      if (request.method !== 'POST' || header('ce-id') === '') throw new Refusal(400, 'expected a CloudEvent by POST')
      const data = parseJson(Buffer.concat(chunks).toString('utf8'))
      const next = await handle({ id: header('ce-id'), type: header('ce-type'), source: header('ce-source'), data })
      const headers = { 'ce-specversion': '1.0', 'ce-id': randomUUID(), 'ce-type': next.type, 'ce-source': source }
      response.writeHead(200, { ...headers, 'content-type': 'application/json' }).end(JSON.stringify(next.data))
    }
    answer().catch((error: unknown) => {
      const status = error instanceof Refusal ? error.status : 500
      console.error(`refused with ${status}: ${String(error)}`)
      response.writeHead(status, { 'content-type': 'text/plain' }).end(String(error))
    })
  })
  server.listen(port, () => console.log(`listening on port ${(server.address() as AddressInfo).port}`))
  // Finish what was taken, then go.
  process.once('SIGTERM', () => server.close(() => process.exit(0)))
  return server
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Refusal(400, 'the data is not JSON')
  }
}
