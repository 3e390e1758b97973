// The sender, a process of its own: keep-alive connections that each post the next event when the last was answered, or
// (with a rate) at given times. Raw sockets, because a client library would cost more than what is measured.
// Usage: load.ts URL CONNECTIONS COUNT [RATE_PER_SECOND]
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'

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

/** When event `n` should leave. */
const dueMs = (n: number): number => (ratePerSecond === 0 ? 0 : startedMs + (n / ratePerSecond) * 1000)

interface Connection {
  fromMs: number
  request: Buffer
}

function next(socket: Socket, state: Connection): void {
  if (sent >= total) return void socket.end()
  const n = sent++
  const post = (fromMs: number): void => {
    state.fromMs = fromMs
    // One request is under way at a time, so that its bytes may be written over.
    state.request.write(String(n).padStart(idDigits, '0'), head.length, 'latin1')
    socket.write(state.request)
  }
  if (ratePerSecond === 0) return post(performance.now())
  const waitMs = dueMs(n) - performance.now()
  // Where the last answer came too late, latency counts from when this one was due, so that a stalled server cannot
  // hide its queue. Where it did not, a timer that fires late is no fault of the server.
  if (waitMs > 0) setTimeout(() => post(performance.now()), Math.ceil(waitMs))
  else post(dueMs(n))
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
const ownDelay = monitorEventLoopDelay({ resolution: 1 })
ownDelay.enable()
for (const { socket, state } of ready) next(socket, state)

await finished.promise
const seconds = (performance.now() - startedMs) / 1000
/** The first answers tell how fast this program warms up, not the server. */
const warmUpShare = 0.1
latenciesMs.splice(0, Math.floor(latenciesMs.length * warmUpShare))
latenciesMs.sort((a, b) => a - b)
const at = (share: number): number =>
  latenciesMs[Math.min(latenciesMs.length - 1, Math.floor(latenciesMs.length * share))]!
const { user, system } = process.cpuUsage()
const result = {
  sent: answered,
  seconds,
  p50Ms: at(0.5),
  p99Ms: at(0.99),
  statuses: Object.fromEntries(statuses),
  /** How late this program itself was in looking at answers: what it reports cannot be better than that. */
  ownDelayP99Ms: ownDelay.percentile(99) / 1e6,
  cpuUs: user + system,
}
console.log(JSON.stringify(result))
