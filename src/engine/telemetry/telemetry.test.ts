// What the ConfigMaps ask for, from one moment to the next, on a fake clock.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { eventually } from '../../base/eventually.ts'
import { FakeClock } from '../../base/fake-clock.ts'
import { createLogger } from '../../base/log.ts'
import { createMetrics } from '../../base/metrics.ts'
import { seededRandom } from '../../base/random.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { eventingScope, queueScope } from '../instrument-scopes.ts'
import { startTelemetry } from './telemetry.ts'

type Data = Record<string, string>

function aTelemetry(environment: Record<string, string> = {}) {
  const maps = new Map<string, Data>()
  const listeners = new Set<(change: { kind: string; resource: Resource }) => void>()
  const clock = new FakeClock()
  const metrics = createMetrics()
  const lines: string[] = []
  const log = createLogger({ clock, write: (line) => void lines.push(line) })
  const running = startTelemetry({
    config: { data: (namespace, name) => maps.get(`${namespace}/${name}`) ?? {} },
    onChange(listener) {
      listeners.add(listener)
      return { [Symbol.dispose]: () => void listeners.delete(listener) }
    },
    metrics,
    clock,
    random: seededRandom(1),
    log,
    environment,
    version: '1',
  })
  const set = (namespace: string, data: Data, name = 'config-observability'): void => {
    maps.set(`${namespace}/${name}`, data)
    const resource = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name } }
    for (const listener of listeners) listener({ kind: 'ConfigMap', resource })
  }
  return {
    ...running,
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
    clock,
    metrics,
    lines,
    set,
    listeners,
  }
}

/** Takes everything, and says what has come: the path and the body, and the header that tests set. */
async function aReceiver() {
  const taken: { path: string; body: string; key: unknown }[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('latin1').on('data', (chunk: string) => (body += chunk))
    request.on('end', () => {
      taken.push({ path: request.url ?? '', body, key: request.headers['x-key'] })
      response.end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    taken,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

test('while nobody asks there is nothing: no timer, no tracer, no word', async () => {
  await using telemetry = aTelemetry()
  telemetry.set('knative-serving', { 'metrics-protocol': 'prometheus', 'tracing-protocol': 'none' })
  telemetry.set('knative-eventing', {})
  telemetry.set('knative-serving', { 'tracing-protocol': 'stdout' }, 'config-other')
  telemetry.set('default', { 'tracing-protocol': 'stdout' })
  await telemetry[Symbol.asyncDispose]()
  assert.deepEqual([telemetry.clock.pendingTimers, telemetry.lines.length, telemetry.listeners.size], [0, 0, 0])
  assert.deepEqual(telemetry.tracing, { serving: undefined, eventing: undefined })
})

test('each ConfigMap and each prefix has metrics of its own, with interval, and a last time at the end', async () => {
  await using receiver = await aReceiver()
  await using telemetry = aTelemetry({ OTEL_EXPORTER_OTLP_HEADERS: 'x-key=k' })
  const { metrics, clock, set } = telemetry
  metrics.scope(queueScope).counter('of.requests', '').add(1)
  metrics.scope(eventingScope).counter('of.events', '').add(1)
  const to = (prefix: string, path: string): Data => ({
    [`${prefix}metrics-protocol`]: 'http/protobuf',
    [`${prefix}metrics-endpoint`]: receiver.url + path,
    [`${prefix}metrics-export-interval`]: '10s',
  })
  set('knative-serving', { ...to('', '/serving'), ...to('request-', '/requests') })
  set('knative-eventing', to('', '/events'))
  const count = (path: string): number => receiver.taken.filter((each) => each.path === path).length
  await eventually(() => count('/requests') === 1 && count('/events') === 1, 'the first messages')
  const of = (path: string) => receiver.taken.find((each) => each.path === path)
  assert.match(of('/requests')!.body, /of\.requests/)
  assert.doesNotMatch(of('/requests')!.body, /of\.events/)
  assert.match(of('/events')!.body, /of\.events/)
  assert.doesNotMatch(of('/events')!.body, /of\.requests/)
  assert.equal(of('/events')!.key, 'k')
  assert.equal(count('/serving'), 0, 'there is nothing of it')
  await eventually(() => clock.pendingTimers === 3, 'the timers')
  await clock.advance(10_000)
  await eventually(() => count('/requests') === 2 && count('/events') === 2, 'the second messages')
  set('knative-serving', {})
  await eventually(() => count('/requests') === 3, 'the last message')
  assert.equal(count('/events'), 2)
  await telemetry[Symbol.asyncDispose]()
  assert.equal(count('/events'), 3)
  assert.equal(clock.pendingTimers, 0)
})

test('a tracer is there as long as traces are wanted, and what it recorded is sent when they no longer are', async () => {
  await using receiver = await aReceiver()
  await using telemetry = aTelemetry()
  const { tracing, set } = telemetry
  const wanted = { 'tracing-protocol': 'http/protobuf', 'tracing-endpoint': receiver.url, 'tracing-sampling-rate': '1' }
  set('knative-eventing', wanted)
  const tracer = await eventually(() => tracing.eventing, 'the tracer')
  assert.equal(tracing.serving, undefined)
  set('knative-eventing', { ...wanted, 'metrics-export-interval': '5s' })
  tracer.begin('a span', { kind: 'server', parent: {}, attributes: {} })?.end()
  set('knative-eventing', {})
  await eventually(() => tracing.eventing === undefined, 'the end')
  await telemetry[Symbol.asyncDispose]()
  assert.deepEqual(
    receiver.taken.map(({ path, body }) => [path, body.includes('a span')]),
    [['/v1/traces', true]],
  )
})

test('what makes no sense is told, and the last good way stays', async () => {
  await using telemetry = aTelemetry()
  const { tracing, set, lines } = telemetry
  set('knative-serving', { 'tracing-protocol': 'stdout' })
  const tracer = await eventually(() => tracing.serving, 'the tracer')
  const told = (text: string) => eventually(() => lines.some((line) => line.includes(text)), text)
  set('knative-serving', { 'tracing-protocol': 'zipkin' })
  await told('unsupported protocol')
  set('knative-serving', { 'tracing-protocol': 'grpc', 'tracing-endpoint': 'nowhere' })
  await told('is no URL of http or https')
  assert.equal(tracing.serving, tracer)
  tracer.begin('a span', { kind: 'server', parent: {}, attributes: { a: 1 } })?.end()
  const line = JSON.parse(lines.at(-1)!) as Record<string, unknown>
  assert.deepEqual([line['msg'], line['name'], line['kind'], line['tookMs']], ['span', 'a span', 'server', 0])
})
