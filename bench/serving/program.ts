// The program behind the gateway, a process of its own. Raw sockets, to cost little beside what is measured.
// Prints `ready URL`; listens on PORT, or on a free one.
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'

const text = 'Hello World!\n'
const answer = Buffer.from(
  `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
)
const headEnd = Buffer.from('\r\n\r\n')

// Requests have no body, and come one at a time on a connection.
const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => undefined)
  socket.on('data', (chunk) => {
    if (chunk.subarray(-4).equals(headEnd)) socket.write(answer)
  })
})
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(`ready http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
})
if (process.env.PORT === undefined) {
  process.stdin.on('data', () => undefined)
  process.stdin.on('end', () => process.exit(0))
}
