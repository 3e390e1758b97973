// The bound: what one event costs with the same HTTP stack and nothing else. node:http in, undici's dispatch out; 202 as
// soon as the body is there. Prints `ready URL`. Usage: proxy.ts SUBSCRIBER_URL
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Pool } from 'undici'

const target = new URL(process.argv[2] ?? '')
const pool = new Pool(target.origin, { connections: 64 })
/** Beyond this the answer waits, as everywhere in this comparison. */
const inFlightMax = 2048
let inFlight = 0
const waiting: (() => void)[] = []

function forward(headers: Record<string, string>, body: Buffer): void {
  inFlight++
  const done = (): void => {
    inFlight--
    waiting.shift()?.()
  }
  pool.dispatch(
    { method: 'POST', path: target.pathname, headers, body },
    {
      onRequestStart: () => undefined,
      onResponseStart: () => undefined,
      onResponseData: () => undefined,
      onResponseEnd: done,
      onResponseError: done,
    },
  )
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const headers: Record<string, string> = { 'content-type': request.headers['content-type'] ?? '' }
    for (const [name, value] of Object.entries(request.headers)) {
      if (name.startsWith('ce-') || name === 'traceparent') headers[name] = String(value)
    }
    const accept = (): void => {
      forward(headers, chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks))
      response.writeHead(202, { 'content-length': '0' }).end()
    }
    if (inFlight < inFlightMax) accept()
    else waiting.push(accept)
  })
})
server.listen(0, '127.0.0.1', () => console.log(`ready http://127.0.0.1:${(server.address() as AddressInfo).port}/`))
process.stdin.on('data', () => undefined)
process.stdin.on('end', () => process.exit(0))
