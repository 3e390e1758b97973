// The receiver, a process of its own: answers every POST with 202 and counts. Raw sockets, to cost little.
// Prints `ready URL`; every line on standard input is answered with the count so far.
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'

const answer = 'HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n'
let received = 0

const server = createServer({ noDelay: true }, (socket) => {
  let pending = ''
  socket.on('error', () => undefined)
  socket.on('data', (chunk) => {
    pending += chunk.toString('latin1')
    for (;;) {
      const end = pending.indexOf('\r\n\r\n')
      if (end < 0) return
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(pending.slice(0, end))?.[1] ?? '0')
      if (pending.length < end + 4 + length) return
      pending = pending.slice(end + 4 + length)
      received++
      socket.write(answer)
    }
  })
})
server.listen(0, '127.0.0.1', () => console.log(`ready http://127.0.0.1:${(server.address() as AddressInfo).port}/`))
process.stdin.on('data', () => console.log(String(received)))
process.stdin.on('end', () => process.exit(0))
