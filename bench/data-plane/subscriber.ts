// The receiver, a process of its own: answers every POST with 202 and counts. Raw sockets, to cost little.
// Prints `ready URL`; every line on standard input is answered with the count so far.
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'

const answer = Buffer.from('HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n')
/** Longest head that is looked through, in bytes. */
const headBytesMax = 1024
let received = 0

const server = createServer({ noDelay: true }, (socket) => {
  /** Bytes of the request that have not come yet. */
  let missing = 0
  socket.on('error', () => undefined)
  socket.on('data', (chunk) => {
    if (missing > 0) {
      missing -= chunk.length
    } else {
      // A head comes in one piece; only its body may follow.
      const head = chunk.toString('latin1', 0, Math.min(chunk.length, headBytesMax))
      const length = head.toLowerCase().indexOf('content-length: ') + 'content-length: '.length
      missing = head.indexOf('\r\n\r\n') + 4 + Number.parseInt(head.slice(length, length + 10), 10) - chunk.length
    }
    if (missing > 0) return
    received++
    socket.write(answer)
  })
})
server.listen(0, '127.0.0.1', () => console.log(`ready http://127.0.0.1:${(server.address() as AddressInfo).port}/`))
process.stdin.on('data', () => console.log(String(received)))
process.stdin.on('end', () => process.exit(0))
