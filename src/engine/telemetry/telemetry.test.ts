// What the ConfigMaps ask for, from one moment to the next, on a fake clock.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { eventually } from '../../base/eventually.ts'
import { FakeClock } from '../../base/fake-clock.ts'
import { createLogger } from '../../base/log.ts'
import { createMetrics } from '../../base/metrics.ts'
import { seededRandom } from '../../base/random.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { eventingScope, queueScope } from '../instrument-scopes.ts'
import { startTelemetry } from './telemetry.ts'

type Data = Record<string, string>

async function aTelemetry(environment: Record<string, string> = {}, maps = new Map<string, Data>()) {
  const listeners = new Set<(change: { kind: string; resource: Resource }) => void>()
  const clock = new FakeClock()
  const metrics = createMetrics()
  const lines: string[] = []
  const log = createLogger({ clock, write: (line) => void lines.push(line) })
  const running = await startTelemetry({
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
  await using telemetry = await aTelemetry()
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
  await using telemetry = await aTelemetry({ OTEL_EXPORTER_OTLP_HEADERS: 'x-key=k' })
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
  await using telemetry = await aTelemetry()
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

test('what is asked for already is there from the start', async () => {
  const maps = new Map([['knative-eventing/config-observability', { 'tracing-protocol': 'stdout' }]])
  await using telemetry = await aTelemetry({}, maps)
  assert.ok(telemetry.tracing.eventing !== undefined)
  assert.equal(telemetry.tracing.serving, undefined)
})

/** Every trace, to this endpoint. */
const to = (url: string): Data => ({
  'tracing-protocol': 'http/protobuf',
  'tracing-endpoint': url,
  'tracing-sampling-rate': '1',
})

test('what is under way when the endpoint changes goes to the new one, what has ended to the old one', async () => {
  await using former = await aReceiver()
  await using next = await aReceiver()
  await using telemetry = await aTelemetry()
  const { tracing, set, clock, metrics } = telemetry
  const begin = (name: string) => tracing.serving!.begin(name, { kind: 'server', parent: {}, attributes: {} })!
  set('knative-serving', to(former.url))
  const first = await eventually(() => tracing.serving, 'the tracer')
  begin('ended before').end()
  const underWay = begin('under way')
  set('knative-serving', to(next.url))
  await eventually(() => tracing.serving !== first, 'the next tracer')
  underWay.child('below it', 'client').end()
  underWay.end()
  begin('begun after').end()
  await eventually(() => former.taken.length === 1, 'what ended before')
  await clock.advance(5_000)
  await eventually(() => next.taken.length === 1, 'the rest')
  set('knative-serving', {})
  await eventually(() => tracing.serving === undefined, 'the end')
  await telemetry[Symbol.asyncDispose]()
  const names = ['ended before', 'under way', 'below it', 'begun after']
  const seen = ({ taken }: typeof former): string[] =>
    taken.flatMap(({ body }) => names.filter((name) => body.includes(name)))
  assert.deepEqual([seen(former), seen(next)], [['ended before'], ['under way', 'below it', 'begun after']])
  assert.match(metrics.prometheus(), /knode_telemetry_spans_total\{outcome="sent"\} 4\n/)
  assert.doesNotMatch(metrics.prometheus(), /dropped/)
  assert.equal(clock.pendingTimers, 0)
})

test('what ends when traces are no longer wanted is counted', async () => {
  await using receiver = await aReceiver()
  await using telemetry = await aTelemetry()
  const { tracing, set, metrics, lines, clock } = telemetry
  set('knative-serving', to(receiver.url))
  const tracer = await eventually(() => tracing.serving, 'the tracer')
  const span = tracer.begin('under way', { kind: 'server', parent: {}, attributes: {} })
  set('knative-serving', {})
  await eventually(() => tracing.serving === undefined, 'the end')
  span?.end()
  assert.match(metrics.prometheus(), /knode_telemetry_spans_total\{outcome="dropped"\} 1\n/)
  assert.deepEqual([lines, clock.pendingTimers, receiver.taken.length], [[], 0, 0])
})

test('an old endpoint that says nothing holds the change up for five seconds at most, and not the new one', async () => {
  const silent = createServer(() => undefined)
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  await using next = await aReceiver()
  await using telemetry = await aTelemetry()
  const { tracing, set, clock, metrics } = telemetry
  set('knative-serving', to(`http://127.0.0.1:${(silent.address() as AddressInfo).port}`))
  const first = await eventually(() => tracing.serving, 'the tracer')
  const asked = new Promise((resolve) => silent.once('request', resolve))
  first.begin('old', { kind: 'server', parent: {}, attributes: {} })!.end()
  set('knative-serving', to(next.url))
  const second = await eventually(() => (tracing.serving === first ? undefined : tracing.serving), 'the next tracer')
  await asked
  second.begin('new', { kind: 'server', parent: {}, attributes: {} })!.end()
  await clock.advance(5_000)
  await eventually(() => next.taken.length === 1, 'the new span')
  await eventually(() => metrics.prometheus().includes('outcome="dropped"} 1\n'), 'the old span to be given up')
  await telemetry[Symbol.asyncDispose]()
  assert.equal(clock.pendingTimers, 0)
  // Its connection was cut: nothing is left to wait for.
  await new Promise((resolve) => silent.close(resolve))
})

test('OpenTelemetry’s variables count for batches and messages; what makes no sense is told once', async () => {
  await using receiver = await aReceiver()
  await using telemetry = await aTelemetry({
    OTEL_BSP_SCHEDULE_DELAY: '250',
    OTEL_BSP_MAX_QUEUE_SIZE: 'many',
    OTEL_METRIC_EXPORT_INTERVAL: '2000',
    OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
  })
  const { tracing, set, clock, lines, metrics } = telemetry
  const data: Data = {
    'tracing-protocol': 'http/protobuf',
    'tracing-endpoint': receiver.url,
    'tracing-sampling-rate': '1',
    'metrics-protocol': 'http/protobuf',
    'metrics-endpoint': receiver.url,
    'metrics-export-interval': '1h',
  }
  metrics.scope(eventingScope).counter('of.events', '').add(1)
  assert.deepEqual(lines, [], 'nothing is told before somebody asks')
  set('knative-serving', data)
  set('knative-eventing', data)
  const tracer = await eventually(() => tracing.serving !== undefined && tracing.eventing, 'the tracers')
  const of = (path: string) => receiver.taken.filter((each) => each.path === path)
  await eventually(() => of('/v1/metrics').length === 1 && clock.pendingTimers > 0, 'the first message')
  tracer.begin('a span', { kind: 'server', parent: {}, attributes: {} })!.end()
  await clock.advance(250)
  await eventually(() => of('/v1/traces').length === 1, 'the span, a quarter of a second later')
  await eventually(async () => (await clock.advance(2_000), of('/v1/metrics').length >= 2), 'the second message')
  const [message] = of('/v1/traces')
  assert.match(gunzipSync(Buffer.from(message!.body, 'latin1')).toString('latin1'), /a span/)
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as { variable: string }).variable),
    ['OTEL_BSP_MAX_QUEUE_SIZE'],
  )
})

test('what makes no sense is told, and the last good way stays', async () => {
  await using telemetry = await aTelemetry()
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
