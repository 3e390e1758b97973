// Sender and subscribers of the isolation benchmark in one process, so that one clock sees both ends of a delivery.
// Subscribers: /healthy answers 202, /failing 500, /hanging never. Prints `ready URL`; a line `URL RATE COUNT` on standard
// input sends COUNT events at RATE a second, on the minute whatever the answers, and is answered with JSON: latencies from
// when an event was to be sent to its arrival at /healthy, in milliseconds.
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { connect } from 'node:net'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** Connections to Knode that share the sending. */
const senders = 16
const body = JSON.stringify({ filler: 'x'.repeat(1024 - 13) })

let startedMs = 0
let perSecond = 1
let latenciesMs: number[] = []
const accepted = Buffer.from('HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n')
const failed = Buffer.from('HTTP/1.1 500 Failed\r\nContent-Length: 0\r\n\r\n')

const dueMs = (n: number): number => startedMs + (n / perSecond) * 1_000

/** A head that may come in pieces, and the body behind it. */
function take(socket: Socket, pending: Buffer): Buffer {
  for (;;) {
    const end = pending.indexOf('\r\n\r\n')
    if (end < 0) return pending
    const head = pending.toString('latin1', 0, end)
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
    if (pending.length < end + 4 + length) return pending
    pending = pending.subarray(end + 4 + length)
    if (head.startsWith('POST /healthy')) {
      latenciesMs.push(performance.now() - dueMs(Number(/ce-id: (\d+)/i.exec(head)?.[1])))
      socket.write(accepted)
    } else if (head.startsWith('POST /failing')) {
      socket.write(failed)
    }
  }
}

const server = createServer({ noDelay: true }, (socket) => {
  let pending: Buffer = Buffer.alloc(0)
  socket.on('error', () => undefined)
  socket.on('data', (chunk) => (pending = take(socket, pending.length === 0 ? chunk : Buffer.concat([pending, chunk]))))
})
server.listen(0, '127.0.0.1', () => console.log(`ready http://127.0.0.1:${(server.address() as AddressInfo).port}`))

async function send(url: string, count: number): Promise<void> {
  const { hostname, port, pathname } = new URL(url)
  const head = [
    `POST ${pathname} HTTP/1.1`,
    `Host: ${hostname}:${port}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    'ce-specversion: 1.0',
    'ce-source: /bench/isolation',
    'ce-type: dev.knode.bench',
    'ce-id: ',
  ].join('\r\n')
  const open = await Promise.all(
    Array.from({ length: senders }, async () => {
      const socket = connect({ host: hostname, port: Number(port), noDelay: true })
      await once(socket, 'connect')
      return socket
    }),
  )
  let answered = 0
  const done = Promise.withResolvers<void>()
  for (const socket of open) {
    socket.on('error', done.reject)
    // An answer is small enough to come in one piece; answers of one connection may come together.
    socket.on('data', (chunk) => {
      answered += chunk.toString('latin1').split('HTTP/1.1 202').length - 1
      if (answered === count) done.resolve()
    })
  }
  startedMs = performance.now()
  for (let n = 0; n < count; n++) {
    const waitMs = dueMs(n) - performance.now()
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, Math.ceil(waitMs)))
    open[n % senders]!.write(`${head}${n}\r\n\r\n${body}`)
  }
  await done.promise
  for (const socket of open) socket.destroy()
}

for await (const line of createInterface({ input: process.stdin })) {
  const [url = '', rate = '1', count = '1', deliveries = '0'] = line.split(' ')
  perSecond = Number(rate)
  latenciesMs = []
  await send(url, Number(count))
  while (latenciesMs.length < Number(deliveries)) await new Promise((resolve) => setTimeout(resolve, 10))
  const sorted = latenciesMs.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!
  console.log(JSON.stringify({ deliveries: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99) }))
}
process.exit(0)
