// The clients, a process of its own: keep-alive connections that each ask again when they were answered, or (with a
// rate) at given times. Raw sockets, because a client library would cost more than what is measured.
// Usage: load.ts URL HOST CONNECTIONS COUNT [RATE_PER_SECOND]
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'

const [url = '', host = '', connections = '64', count = '0', rate = '0'] = process.argv.slice(2)
const { hostname, port } = new URL(url)
const total = Number(count)
const ratePerSecond = Number(rate)
const request = Buffer.from(`GET /greeting HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n`)
const headEnd = Buffer.from('\r\n\r\n')

const latenciesMs: number[] = []
const statuses = new Map<string, number>()
let sent = 0
let answered = 0
let startedMs = 0
const finished = Promise.withResolvers<void>()

/** When request `n` should leave: with a rate latency counts from here, so that a stalled server cannot hide its queue. */
const dueMs = (n: number): number => (ratePerSecond === 0 ? 0 : startedMs + (n / ratePerSecond) * 1000)

interface Connection {
  socket: Socket
  fromMs: number
  /** What has come of the answer. */
  seen: Buffer
}

function next(state: Connection): void {
  if (sent >= total) return void state.socket.end()
  const n = sent++
  const ask = (): void => {
    state.fromMs = ratePerSecond === 0 ? performance.now() : dueMs(n)
    state.socket.write(request)
  }
  const waitMs = dueMs(n) - performance.now()
  if (waitMs > 0) setTimeout(ask, Math.ceil(waitMs))
  else ask()
}

/** Whether this is a whole answer; those that are measured have a Content-Length. */
function isWhole(seen: Buffer): boolean {
  const end = seen.indexOf(headEnd)
  if (end < 0) return false
  const length = Number(/content-length: (\d+)/i.exec(seen.toString('latin1', 0, end))?.[1] ?? 0)
  return seen.length >= end + headEnd.length + length
}

function onData(state: Connection, chunk: Buffer): void {
  state.seen = state.seen.length === 0 ? chunk : Buffer.concat([state.seen, chunk])
  if (!isWhole(state.seen)) return
  const status = state.seen.toString('latin1', 9, 12)
  state.seen = Buffer.alloc(0)
  statuses.set(status, (statuses.get(status) ?? 0) + 1)
  latenciesMs.push(performance.now() - state.fromMs)
  if (++answered === total) finished.resolve()
  next(state)
}

const open = Array.from({ length: Number(connections) }, async () => {
  const socket = connect(Number(port), hostname)
  socket.setNoDelay(true)
  const state: Connection = { socket, fromMs: 0, seen: Buffer.alloc(0) }
  socket.on('data', (chunk) => onData(state, chunk))
  socket.on('error', (error) => finished.reject(error))
  await once(socket, 'connect')
  return state
})
// The clock starts when all are connected: what connecting takes is not what is measured.
const ready = await Promise.all(open)
startedMs = performance.now()
for (const state of ready) next(state)

await finished.promise
const seconds = (performance.now() - startedMs) / 1000
/** The first answers tell how fast this program warms up, not the server. */
const warmUpShare = 0.1
latenciesMs.splice(0, Math.floor(latenciesMs.length * warmUpShare))
latenciesMs.sort((a, b) => a - b)
const at = (share: number): number =>
  latenciesMs[Math.min(latenciesMs.length - 1, Math.floor(latenciesMs.length * share))] ?? 0
console.log(
  JSON.stringify({ seconds, p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99), statuses: Object.fromEntries(statuses) }),
)
