// The clients, a process of their own: keep-alive connections that each post the next event, or ask again, when the last
// was answered, or (with a rate) at given times. Raw sockets, because a client library would cost more than what is
// measured. Prints its measurements in JSON. Usage: load.ts event|get URL COUNT RATE_PER_SECOND [HOST]
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Loaded } from './measure-load.ts'

const [what = 'event', url = '', count = '0', rate = '0', named] = process.argv.slice(2)
const { hostname, port, pathname, host } = new URL(url)
const connections = 64
const total = Number(count)
const ratePerSecond = Number(rate)
const headEnd = Buffer.from('\r\n\r\n')

const body = JSON.stringify({ filler: 'x'.repeat(1024 - 13) })
/** Digits of an id: of one length, so that a request is written anew in its place. */
const idDigits = 10
const eventHead = [
  `POST ${pathname} HTTP/1.1`,
  `Host: ${named ?? host}`,
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
const event = Buffer.from(`${eventHead}${'0'.repeat(idDigits)}\r\n\r\n${body}`, 'latin1')
const get = Buffer.from(
  `GET ${pathname} HTTP/1.1\r\nHost: ${named ?? host}\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n`,
)

const latenciesMs: number[] = []
const statuses = new Map<string, number>()
let sent = 0
let startedMs = 0
const finished = Promise.withResolvers<void>()

/** When request `n` should leave. */
const dueMs = (n: number): number => (ratePerSecond === 0 ? 0 : startedMs + (n / ratePerSecond) * 1000)

interface Connection {
  socket: Socket
  fromMs: number
  request: Buffer
  /** What has come of an answer that is not whole yet. */
  seen: Buffer | undefined
}

function next(state: Connection): void {
  if (sent >= total) return void state.socket.end()
  const n = sent++
  const post = (fromMs: number): void => {
    state.fromMs = fromMs
    // One request is under way at a time, so that its bytes may be written over.
    if (what === 'event') state.request.write(String(n).padStart(idDigits, '0'), eventHead.length, 'latin1')
    state.socket.write(state.request)
  }
  if (ratePerSecond === 0) return post(performance.now())
  const waitMs = dueMs(n) - performance.now()
  // Where the last answer came too late, latency counts from when this one was due, so that a stalled server cannot
  // hide its queue. Where it did not, a timer that fires late is no fault of the server.
  if (waitMs > 0) setTimeout(() => post(performance.now()), Math.ceil(waitMs))
  else post(dueMs(n))
}

/** Whether this is a whole answer; those that are measured have a Content-Length. */
function isWhole(seen: Buffer): boolean {
  const end = seen.indexOf(headEnd)
  if (end < 0) return false
  const length = Number(/content-length: (\d+)/i.exec(seen.toString('latin1', 0, end))?.[1] ?? 0)
  return seen.length >= end + headEnd.length + length
}

function onData(state: Connection, chunk: Buffer): void {
  const seen = state.seen === undefined ? chunk : Buffer.concat([state.seen, chunk])
  if (!isWhole(seen)) return void (state.seen = seen)
  state.seen = undefined
  const status = seen.toString('latin1', 9, 12)
  statuses.set(status, (statuses.get(status) ?? 0) + 1)
  latenciesMs.push(performance.now() - state.fromMs)
  if (latenciesMs.length === total) finished.resolve()
  next(state)
}

const open = Array.from({ length: connections }, async () => {
  const socket = connect(Number(port), hostname)
  socket.setNoDelay(true)
  const request = Buffer.from(what === 'event' ? event : get)
  const state: Connection = { socket, fromMs: 0, request, seen: undefined }
  socket.on('data', (chunk) => onData(state, chunk))
  socket.on('error', (error) => finished.reject(error))
  await once(socket, 'connect')
  return state
})
// The clock starts when all are connected: what connecting takes is not what is measured.
const ready = await Promise.all(open)
startedMs = performance.now()
const ownDelay = monitorEventLoopDelay({ resolution: 1 })
ownDelay.enable()
for (const state of ready) next(state)

await finished.promise
const seconds = (performance.now() - startedMs) / 1000
const sentCount = latenciesMs.length
/** The first answers tell how fast this program warms up, not the server. */
const warmUpShare = 0.1
latenciesMs.splice(0, Math.floor(latenciesMs.length * warmUpShare))
latenciesMs.sort((a, b) => a - b)
const at = (share: number): number =>
  latenciesMs[Math.min(latenciesMs.length - 1, Math.floor(latenciesMs.length * share))] ?? 0
const { user, system } = process.cpuUsage()
const loaded: Loaded = {
  sent: sentCount,
  seconds,
  p50Ms: at(0.5),
  p95Ms: at(0.95),
  p99Ms: at(0.99),
  statuses: Object.fromEntries(statuses),
  ownDelayP99Ms: ownDelay.percentile(99) / 1e6,
  cpuUs: user + system,
}
console.log(JSON.stringify(loaded))
