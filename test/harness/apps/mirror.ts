// A program for tests: answers with the head of the request as JSON; `/last` with that of the last POST.
import { createServer } from 'node:http'

let last = '{}'
const server = createServer((request, response) => {
  const head = JSON.stringify({ path: request.url, ...request.headers })
  if (request.method === 'POST') last = head
  request.resume().on('end', () => response.end(request.url === '/last' ? last : head))
})
server.listen(Number(process.env['PORT'] ?? 8080))
process.on('SIGTERM', () => server.close())
