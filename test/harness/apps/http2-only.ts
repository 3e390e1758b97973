// A program for tests that speaks HTTP/2 with prior knowledge and nothing else.
import { createServer } from 'node:http2'

const server = createServer()
server.on('sessionError', () => undefined)
server.on('stream', (stream) => {
  stream.on('error', () => undefined)
  stream.respond({ ':status': 200 })
  stream.end('by HTTP/2')
})
server.listen(Number(process.env['PORT'] ?? 8080))
process.on('SIGTERM', () => process.exit(0))
