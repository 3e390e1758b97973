// Takes a CloudEvent, works on it for a moment, prints it.
import { createServer } from 'node:http'
import { setTimeout } from 'node:timers/promises'

/** What one event takes, in milliseconds. */
const workMs = Number(process.env['WORK_MS'] ?? 100)

const server = createServer((request, response) => {
  request.resume().on('end', () => {
    void setTimeout(workMs).then(() => {
      console.log(`${String(request.headers['ce-type'])} of ${String(request.headers['ce-source'])}`)
      response.writeHead(204).end()
    })
  })
})
// The gateway lets go of idle connections.
server.keepAliveTimeout = 0
server.listen(Number(process.env['PORT'] ?? 8080))
process.on('SIGTERM', () => server.close())
