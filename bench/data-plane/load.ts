// The sender, a process of its own: keep-alive connections that each post the next event when the last was answered, or
// (with a rate) at given times. Raw sockets, because a client library would cost more than what is measured.
// Usage: load.ts URL CONNECTIONS COUNT [RATE_PER_SECOND]
import { connect } from 'node:net'
import type { Socket } from 'node:net'

const [url = '', connections = '64', count = '0', rate = '0'] = process.argv.slice(2)
const { hostname, port, pathname } = new URL(url)
const total = Number(count)
const ratePerSecond = Number(rate)

const body = JSON.stringify({ filler: 'x'.repeat(1024 - 13) })
const requestBytes = (id: number): string =>
  [
    `POST ${pathname} HTTP/1.1`,
    `Host: ${hostname}:${port}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    'ce-specversion: 1.0',
    `ce-id: ${id}`,
    'ce-source: /bench/load',
    'ce-type: dev.knode.bench',
    'ce-time: 2026-01-01T00:00:00Z',
    'ce-subject: bench',
    'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    '',
    body,
  ].join('\r\n')

const latenciesMs: number[] = []
const statuses = new Map<string, number>()
let sent = 0
let answered = 0
const startedMs = performance.now()
const finished = Promise.withResolvers<void>()

/** When event `n` should leave: with a rate latency counts from here, so that a stalled server cannot hide its queue. */
const dueMs = (n: number): number => (ratePerSecond === 0 ? 0 : startedMs + (n / ratePerSecond) * 1000)

function next(socket: Socket, state: { fromMs: number }): void {
  if (sent >= total) return void socket.end()
  const n = sent++
  const post = (): void => {
    state.fromMs = ratePerSecond === 0 ? performance.now() : dueMs(n)
    socket.write(requestBytes(n), 'latin1')
  }
  const waitMs = dueMs(n) - performance.now()
  if (waitMs > 1) setTimeout(post, waitMs)
  else post()
}

for (let index = 0; index < Number(connections); index++) {
  const socket = connect(Number(port), hostname)
  socket.setNoDelay(true)
  const state = { fromMs: 0 }
  let pending = ''
  socket.on('connect', () => next(socket, state))
  socket.on('data', (chunk) => {
    pending += chunk.toString('latin1')
    const end = pending.indexOf('\r\n\r\n')
    if (end < 0) return
    const length = Number(/content-length: (\d+)/i.exec(pending.slice(0, end))?.[1] ?? '0')
    if (pending.length < end + 4 + length) return
    const status = pending.slice(9, 12)
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
    pending = pending.slice(end + 4 + length)
    latenciesMs.push(performance.now() - state.fromMs)
    answered++
    if (answered === total) finished.resolve()
    next(socket, state)
  })
  socket.on('error', (error) => finished.reject(error))
}

await finished.promise
const seconds = (performance.now() - startedMs) / 1000
latenciesMs.sort((a, b) => a - b)
const at = (share: number): number =>
  latenciesMs[Math.min(latenciesMs.length - 1, Math.floor(latenciesMs.length * share))]!
const result = { sent: answered, seconds, p50Ms: at(0.5), p99Ms: at(0.99), statuses: Object.fromEntries(statuses) }
console.log(JSON.stringify(result))
