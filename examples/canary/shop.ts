// A shop window in one colour. Answers every request with it.
import { createServer } from 'node:http'

const color = process.env['COLOR'] ?? 'grey'
const server = createServer((_request, response) => response.end(`${color}\n`))
// The gateway lets go of idle connections.
server.keepAliveTimeout = 0
server.listen(Number(process.env['PORT'] ?? 8080))
process.on('SIGTERM', () => server.close())
