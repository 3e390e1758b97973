// A program for tests: answers with the headers it got, as JSON. `/fail` answers 500.
import { createServer } from 'node:http'

const server = createServer((request, response) => {
  response.statusCode = request.url === '/fail' ? 500 : 200
  request.resume().on('end', () => response.end(JSON.stringify(request.headers)))
})
// The gateway closes idle connections: after a machine stood still, no request meets one that is closing here.
server.keepAliveTimeout = 0
server.listen(Number(process.env['PORT'] ?? 8080))
process.on('SIGTERM', () => server.close())
