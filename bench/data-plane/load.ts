// The sender, a process of its own: keep-alive connections that each post the next event when the last was answered, or
// (with a rate) at given times. Raw sockets, because a client library would cost more than what is measured.
// Usage: load.ts URL CONNECTIONS COUNT [RATE_PER_SECOND]
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'

const [url = '', connections = '64', count = '0', rate = '0'] = process.argv.slice(2)
const { hostname, port, pathname } = new URL(url)
const total = Number(count)
const ratePerSecond = Number(rate)

const body = JSON.stringify({ filler: 'x'.repeat(1024 - 13) })
/** Digits of an id: of one length, so that a request is written anew in its place. */
const idDigits = 10
const head = [
  `POST ${pathname} HTTP/1.1`,
  `Host: ${hostname}:${port}`,
  'Content-Type: application/json',
  `Content-Length: ${body.length}`,
  'ce-specversion: 1.0',
  'ce-source: /bench/load',
  'ce-type: dev.knode.bench',
  'ce-time: 2026-01-01T00:00:00Z',
  'ce-subject: bench',
  'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  'ce-id: ',
].join('\r\n')
const template = Buffer.from(`${head}${'0'.repeat(idDigits)}\r\n\r\n${body}`, 'latin1')

const latenciesMs: number[] = []
const statuses = new Map<string, number>()
let sent = 0
let answered = 0
let startedMs = 0
const finished = Promise.withResolvers<void>()

/** When event `n` should leave: with a rate latency counts from here, so that a stalled server cannot hide its queue. */
const dueMs = (n: number): number => (ratePerSecond === 0 ? 0 : startedMs + (n / ratePerSecond) * 1000)

interface Connection {
  fromMs: number
  request: Buffer
}

function next(socket: Socket, state: Connection): void {
  if (sent >= total) return void socket.end()
  const n = sent++
  const post = (): void => {
    state.fromMs = ratePerSecond === 0 ? performance.now() : dueMs(n)
    // One request is under way at a time, so that its bytes may be written over.
    state.request.write(String(n).padStart(idDigits, '0'), head.length, 'latin1')
    socket.write(state.request)
  }
  const waitMs = dueMs(n) - performance.now()
  if (waitMs > 0) setTimeout(post, Math.ceil(waitMs))
  else post()
}

const open = Array.from({ length: Number(connections) }, async () => {
  const socket = connect(Number(port), hostname)
  socket.setNoDelay(true)
  const state: Connection = { fromMs: 0, request: Buffer.from(template) }
  // An answer is small enough to come in one piece.
  socket.on('data', (chunk) => {
    const status = chunk.toString('latin1', 9, 12)
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
    latenciesMs.push(performance.now() - state.fromMs)
    answered++
    if (answered === total) finished.resolve()
    next(socket, state)
  })
  socket.on('error', (error) => finished.reject(error))
  await once(socket, 'connect')
  return { socket, state }
})
// The clock starts when all are connected: what connecting takes is not what is measured.
const ready = await Promise.all(open)
startedMs = performance.now()
for (const { socket, state } of ready) next(socket, state)

await finished.promise
const seconds = (performance.now() - startedMs) / 1000
/** The first answers tell how fast this program warms up, not the server. */
const warmUpShare = 0.1
latenciesMs.splice(0, Math.floor(latenciesMs.length * warmUpShare))
latenciesMs.sort((a, b) => a - b)
const at = (share: number): number =>
  latenciesMs[Math.min(latenciesMs.length - 1, Math.floor(latenciesMs.length * share))]!
const result = { sent: answered, seconds, p50Ms: at(0.5), p99Ms: at(0.99), statuses: Object.fromEntries(statuses) }
console.log(JSON.stringify(result))
