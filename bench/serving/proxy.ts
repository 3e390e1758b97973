// What the gateway is measured against: a reverse proxy of the same libraries and nothing else. node:http in, undici's
// dispatch out, bodies streamed. Prints `ready URL`. Usage: proxy.ts PROGRAM_URL
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Pool } from 'undici'

const pool = new Pool(new URL(process.argv[2] ?? '').origin, { connections: 1_000 })

function forward(request: IncomingMessage, response: ServerResponse): void {
  const { method = 'GET', url: path = '/', rawHeaders } = request
  const headers: string[] = []
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (rawHeaders[at]!.toLowerCase() !== 'connection') headers.push(rawHeaders[at]!, rawHeaders[at + 1]!)
  }
  const hasBody = request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined
  pool.dispatch(
    { method, path, headers, body: hasBody ? request : null },
    {
      onRequestStart: (controller) => void response.on('close', () => controller.abort(new Error('closed'))),
      onResponseStart(controller, status) {
        response.writeHead(status, ((controller.rawHeaders ?? []) as Buffer[]).map(String))
      },
      onResponseData(controller, chunk) {
        if (response.write(chunk)) return
        controller.pause()
        response.once('drain', () => controller.resume())
      },
      onResponseEnd: () => void response.end(),
      onResponseError: () => void response.writeHead(502).end(),
    },
  )
}

const server = createServer(forward)
server.listen(0, '127.0.0.1', () => console.log(`ready http://127.0.0.1:${(server.address() as AddressInfo).port}/`))
process.stdin.on('data', () => undefined)
process.stdin.on('end', () => process.exit(0))
