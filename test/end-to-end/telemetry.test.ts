// Metrics and traces of a whole Knode, sent to a receiver that is made of OTLP's own generated code.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { TestContext } from 'node:test'
import { startKnode } from '../../src/app/start-knode.ts'
import type { RunningKnode } from '../../src/app/start-knode.ts'
import { eventually, programPatience } from '../../src/base/eventually.ts'
import { createLogger } from '../../src/base/log.ts'
import type { Resource } from '../../src/model/kubernetes/resource.ts'
import { askService } from '../harness/ask-service.ts'
import { startOtlpReceiver } from '../harness/otlp-receiver.ts'
import type { OtlpReceiver } from '../harness/otlp-receiver.ts'
import { aService } from '../harness/serving-world.ts'

const showHeaders = join(import.meta.dirname, '..', 'harness', 'apps', 'show-headers.ts')
const parentId = '00f067aa0ba902b7'
const traceOf = (digit: string): string => `4bf92f3577b34da6a3ce929d0e0e473${digit}`

interface World extends AsyncDisposable {
  knode: RunningKnode
  /** Messages of the log, of level `warn` and `info`, as they were written. */
  log: { msg: string; [field: string]: unknown }[]
  set(namespace: 'knative-serving' | 'knative-eventing', data: Record<string, string>): Promise<void>
  /** Asks Service `shop`. */
  ask(path: string, headers?: Record<string, string>): Promise<{ status: number; headers: IncomingHttpHeaders }>
}

async function aWorld({ withService = true } = {}): Promise<World> {
  await using starting = new AsyncDisposableStack()
  const log: World['log'] = []
  const write = (line: string): void => void log.push(JSON.parse(line) as World['log'][number])
  const knode = starting.use(
    await startKnode({ memory: true, apiPort: 0, gatewayPort: 0, log: createLogger({ write, level: 'info' }) }),
  )
  if (withService) {
    const command = `"${process.execPath}" "${showHeaders}"`
    const annotations = { 'autoscaling.knative.dev/min-scale': '1' }
    const service = JSON.parse(aService('shop', { command, annotations })) as Resource
    await knode.client.create({ ...service, metadata: { ...service.metadata, namespace: 'default' } })
    await eventually(() => isReady(knode, 'Service.serving.knative.dev', 'shop'), 'the Service', programPatience)
  }
  const running = starting.move()
  return {
    knode,
    log,
    async set(namespace, data) {
      await knode.client.patch('ConfigMap', namespace, 'config-observability', { data })
      await knode.settled()
    },
    async ask(path, headers) {
      const answer = await askService(knode.gatewayUrl, 'shop.default.svc.cluster.local', path, headers)
      return { status: answer.status, headers: JSON.parse(answer.body) as IncomingHttpHeaders }
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

async function isReady(knode: RunningKnode, kind: 'Service.serving.knative.dev', name: string): Promise<boolean> {
  type Conditioned = Resource & { status?: { conditions?: { type: string; status: string }[] } }
  const object = await knode.client.get<Conditioned>(kind, 'default', name)
  return object?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true
}

const tracesTo = (endpoint: string, rate: string, protocol = 'grpc'): Record<string, string> => ({
  'tracing-protocol': protocol,
  'tracing-endpoint': endpoint,
  'tracing-sampling-rate': rate,
})
const noTraces = { 'tracing-protocol': 'none', 'tracing-endpoint': '' }

const withReceiver =
  (run: (receiver: OtlpReceiver, test: TestContext) => Promise<void>) =>
  async (test: TestContext): Promise<void> => {
    const started = await startOtlpReceiver(test)
    if (started === undefined) return
    await using receiver = started
    await run(receiver, test)
  }

describe('metrics and traces', { concurrency: false }, () => {
  it(
    'go where config-observability says, by gRPC and by HTTP, from one moment to the next',
    withReceiver(async (receiver) => {
      await using world = await aWorld()
      const grpc = `http://${receiver.grpc}`
      await world.set('knative-serving', {
        'metrics-protocol': 'grpc',
        'metrics-endpoint': grpc,
        'metrics-export-interval': '1s',
        'request-metrics-protocol': 'http/protobuf',
        'request-metrics-endpoint': `http://${receiver.http}`,
        'request-metrics-export-interval': '1s',
        ...tracesTo(grpc, '1'),
      })
      // Nobody is told of a sampled trace before the tracer is there.
      const first = await eventually(async () => {
        const answer = await world.ask('/coffee?milk=no')
        return answer.headers['traceparent']?.toString().endsWith('-01') ? answer : undefined
      }, 'a traced request')
      const [, traceId = '', callId = ''] = first.headers['traceparent']!.toString().split('-')

      const server = await receiver.span((span) => span.traceId === traceId && span.span === 'handle', 'the request')
      const call = await receiver.span(({ spanId }) => spanId === callId, 'the call that the program saw')
      assert.equal(server.kind, 'SPAN_KIND_SERVER')
      assert.equal(server.parentSpanId, '')
      assert.equal(server.protocol, 'grpc')
      assert.equal(server.resource['service.name'], 'knode')
      assert.equal(server.resource['k8s.namespace.name'], 'knative-serving')
      assert.equal(server.scope, 'knative.dev/serving/pkg/activator')
      assert.equal(server.attributes['http.request.method'], 'GET')
      assert.equal(server.attributes['url.path'], '/coffee')
      assert.equal(server.attributes['http.response.status_code'], 200)
      assert.equal(server.attributes['kn.service.name'], 'shop')
      assert.equal(server.attributes['kn.configuration.name'], 'shop')
      assert.equal(server.attributes['kn.revision.name'], 'shop-00001')
      assert.equal(server.attributes['k8s.namespace.name'], 'default')
      assert.equal(server.attributes['server.address'], 'shop.default.svc.cluster.local')
      assert.equal(server.status, 'STATUS_CODE_UNSET')
      assert.deepEqual([call.kind, call.span], ['SPAN_KIND_CLIENT', 'GET /coffee'])
      assert.equal(call.parentSpanId, server.spanId)
      assert.match(String(call.attributes['k8s.pod.name']), /^shop-00001-deployment-/)
      assert.ok(server.startNano <= call.startNano && call.tookNano <= server.tookNano && call.tookNano > 0)

      assert.equal((await world.ask('/fail')).status, 500)
      const failed = await receiver.span(({ attributes }) => attributes['url.path'] === '/fail', 'the failed request')
      assert.deepEqual([failed.status, failed.attributes['error.type']], ['STATUS_CODE_ERROR', '500'])

      const pods = await receiver.point(
        ({ metric, value }) => metric === 'kn.revision.pods.count' && value === 1,
        'pods',
      )
      assert.deepEqual([pods.protocol, pods.kind, pods.lasted], ['grpc', 'gauge', true])
      assert.equal(pods.scope, 'knative.dev/serving/pkg/autoscaler')
      assert.equal(pods.attributes['kn.revision.name'], 'shop-00001')
      const isFailure = (point: { metric: string; attributes: Record<string, unknown> }): boolean =>
        point.metric === 'kn.serving.invocation.duration' && point.attributes['http.response.status_code'] === 500
      const requests = await receiver.point(isFailure, 'the duration of requests')
      assert.deepEqual([requests.protocol, requests.path, requests.unit], ['http/protobuf', '/v1/metrics', 's'])
      assert.deepEqual(
        [requests.kind, requests.temporality, requests.count],
        ['histogram', 'AGGREGATION_TEMPORALITY_CUMULATIVE', 1],
      )
      assert.equal(requests.buckets?.length, requests.bounds!.length + 1)
      assert.equal(
        requests.buckets?.reduce((sum, each) => sum + each, 0),
        1,
      )
      assert.equal(requests.attributes['kn.revision.name'], 'shop-00001')
      const ofServer = await receiver.point(
        ({ metric }) => metric === 'http.server.request.duration',
        'requests by method',
      )
      assert.deepEqual(
        [ofServer.attributes['http.request.method'], ofServer.attributes['kn.service.name']],
        ['GET', 'shop'],
      )
      assert.ok(receiver.points.every(({ scope }) => scope.startsWith('knative.dev/serving') || scope.includes('/k8s')))

      const elsewhere = {
        'metrics-protocol': 'http/protobuf',
        'metrics-endpoint': `http://${receiver.http}/elsewhere/metrics`,
      }
      await world.set('knative-serving', elsewhere)
      const moved = await receiver.point(({ path }) => path === '/elsewhere/metrics', 'metrics by the other way')
      assert.equal(moved.protocol, 'http/protobuf')
      await world.set('knative-serving', tracesTo(`http://${receiver.http}`, '1', 'http/protobuf'))
      await eventually(async () => {
        await world.ask('/tea')
        return receiver.spans.some(({ path }) => path === '/v1/traces')
      }, 'traces by the other way')
    }),
  )

  it(
    'follow the decision of the caller’s trace between the bounds; the bounds count for everybody, and none stops them',
    withReceiver(async (receiver) => {
      await using world = await aWorld()
      const endpoint = `http://${receiver.grpc}`
      const parent = (digit: string, flags: string): Record<string, string> => ({
        traceparent: `00-${traceOf(digit)}-${parentId}-${flags}`,
        tracestate: 'shop=1',
      })
      /** What the program is told of its caller, once the setting counts. */
      const told = async (digit: string, flags: string, isRecorded: boolean): Promise<string> => {
        const answer = await eventually(
          async () => {
            const { headers } = await world.ask('/', parent(digit, flags))
            return (headers['traceparent'] !== parent(digit, flags)['traceparent']) === isRecorded ? headers : undefined
          },
          `trace ${digit} to be ${isRecorded ? '' : 'not '}recorded`,
        )
        assert.equal(answer['tracestate'], 'shop=1')
        return String(answer['traceparent'])
      }
      await world.set('knative-serving', tracesTo(endpoint, '0.0000001'))
      const sampled = await told('1', '01', true)
      assert.match(sampled, /^00-4bf92f3577b34da6a3ce929d0e0e4731-[0-9a-f]{16}-01$/)
      await told('2', '00', false)
      await world.set('knative-serving', { 'tracing-sampling-rate': '0' })
      await told('3', '01', false)
      await world.set('knative-serving', { 'tracing-sampling-rate': '1' })
      await told('4', '00', true)
      await world.set('knative-serving', noTraces)
      await told('5', '01', false)
      await world.set('knative-serving', tracesTo(endpoint, '1'))
      await told('6', '01', true)
      const last = await receiver.span(({ traceId }) => traceId === traceOf('6'), 'the last trace')
      assert.deepEqual([last.traceState], ['shop=1'])
      const inside = (digit: string): number =>
        receiver.spans.filter(({ traceId }) => traceId === traceOf(digit)).length
      assert.ok(inside('1') >= 2 && inside('4') >= 2, 'sent when it was switched off, at the latest')
      assert.ok(
        receiver.spans.some(({ traceId, parentSpanId }) => traceId === traceOf('1') && parentSpanId === parentId),
      )
      assert.deepEqual([inside('2'), inside('5')], [0, 0])
    }),
  )

  it(
    'hold nothing up while their receiver is away, which is said once, and go on when it is back',
    withReceiver(async (receiver, test) => {
      await using world = await aWorld()
      const { grpc, http } = receiver
      await receiver[Symbol.asyncDispose]()
      await world.set('knative-serving', {
        'metrics-protocol': 'http/protobuf',
        'metrics-endpoint': `http://${http}`,
        'metrics-export-interval': '1s',
        ...tracesTo(`http://${grpc}`, '1'),
      })
      const logged = (msg: string): number => world.log.filter((line) => line.msg === msg).length
      await eventually(() => logged('metrics cannot be sent') === 1, 'word of the metrics', programPatience)
      await eventually(async () => {
        assert.equal((await world.ask('/')).status, 200)
        return logged('traces cannot be sent') === 1
      }, 'word of the traces')
      const line = world.log.find(({ msg }) => msg === 'traces cannot be sent')!
      assert.match(String(line['reason']), /ECONNREFUSED/)
      assert.equal(line['endpoint'], `http://${grpc}`)
      const again = await startOtlpReceiver(test, { grpc, http })
      assert.ok(again !== undefined)
      await using back = again
      await back.point(() => true, 'metrics')
      await back.span(() => true, 'spans')
      await eventually(
        () => logged('traces are sent again') === 1 && logged('metrics are sent again') === 1,
        'word of it',
      )
      assert.deepEqual([logged('traces cannot be sent'), logged('metrics cannot be sent')], [1, 1])
    }),
  )

  it(
    'tell of events, as Eventing’s ConfigMap says: the door, each send, and the subscriber in one trace',
    withReceiver(async (receiver) => {
      await using world = await aWorld({ withService: false })
      await using subscriber = await startSubscriber()
      const { client, gatewayUrl } = world.knode
      const metadata = { name: 'shop', namespace: 'default' }
      await client.create({ apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', metadata })
      await client.create({
        apiVersion: 'eventing.knative.dev/v1',
        kind: 'Trigger',
        metadata,
        spec: { broker: 'shop', subscriber: { uri: subscriber.url } },
      })
      await world.knode.settled()
      await world.set('knative-eventing', {
        'metrics-protocol': 'http/protobuf',
        'metrics-endpoint': `http://${receiver.http}`,
        'metrics-export-interval': '1s',
        ...tracesTo(`http://${receiver.http}`, '0.0000001', 'http/protobuf'),
      })
      const started = `00-${traceOf('a')}-${parentId}-01`
      await eventually(async () => {
        const response = await fetch(`${gatewayUrl}/default/shop`, {
          method: 'POST',
          headers: {
            'ce-specversion': '1.0',
            'ce-id': '1',
            'ce-source': '/till',
            'ce-type': 'order',
            'ce-traceparent': started,
            traceparent: started,
          },
        })
        assert.equal(response.status, 202)
        return receiver.spans.some(({ span }) => span.startsWith('send '))
      }, 'a span of a send')
      const send = receiver.spans.find(({ span }) => span.startsWith('send '))!
      assert.deepEqual(
        [send.span, send.kind, send.traceId],
        [`send ${subscriber.url}`, 'SPAN_KIND_CLIENT', traceOf('a')],
      )
      assert.equal(send.attributes['messaging.system'], 'knative')
      assert.equal(send.attributes['messaging.destination.name'], 'trigger:shop.default')
      assert.equal(send.attributes['cloudevents.type'], 'order')
      assert.equal(send.attributes['http.response.status_code'], 200)
      assert.equal(send.resource['k8s.namespace.name'], 'knative-eventing')
      const door = await receiver.span(({ spanId }) => spanId === send.parentSpanId, 'the span of the Broker’s door')
      assert.deepEqual([door.span, door.kind, door.parentSpanId], ['broker:shop.default', 'SPAN_KIND_SERVER', parentId])
      assert.equal(door.attributes['kn.broker.name'], 'shop')
      assert.equal(door.attributes['http.response.status_code'], 202)
      const seen = subscriber.seen.find(({ traceparent }) => traceparent === `00-${traceOf('a')}-${send.spanId}-01`)
      assert.ok(seen !== undefined, 'the subscriber is told of the send')
      assert.equal(seen['ce-traceparent'], started, 'the extension names the start of the trace')
      const duration = await receiver.point(
        ({ metric, attributes }) =>
          metric === 'kn.eventing.dispatch.duration' &&
          attributes['messaging.destination.name'] === 'trigger:shop.default',
        'the duration of sends',
      )
      assert.deepEqual([duration.scope, duration.attributes['cloudevents.type']], ['knative.dev/eventing', 'order'])
      const counted = await receiver.point(({ metric }) => metric === 'knode.delivery.events', 'a counter')
      assert.deepEqual([counted.kind, counted.monotonic, counted.lasted], ['sum', true, true])
      assert.ok(receiver.points.every(({ scope }) => scope === 'knative.dev/eventing'))
    }),
  )
})

describe('config-observability', () => {
  it('keeps the last good way when an endpoint is none, and refuses what upstream refuses', async () => {
    await using world = await aWorld({ withService: false })
    for (const namespace of ['knative-serving', 'knative-eventing'] as const) {
      const webhook = namespace === 'knative-serving' ? 'serving' : 'eventing'
      await assert.rejects(world.set(namespace, { 'metrics-protocol': 'grpc' }), {
        message:
          `admission webhook "config.webhook.${webhook}.knative.dev" denied the request: validation failed: ` +
          'endpoint should be set when protocol is "grpc"',
      })
      await assert.rejects(world.set(namespace, { 'tracing-protocol': 'zipkin' }), /unsupported protocol "zipkin"/)
      await world.set(namespace, { 'metrics-protocol': 'grpc', 'metrics-endpoint': 'collector' })
      const line = await eventually(
        () => world.log.find((each) => String(each['configMap']).startsWith(namespace)),
        'word of the endpoint',
      )
      assert.equal(line.msg, 'metrics are not sent as configured, the last good way stays')
      assert.equal(line['reason'], '"collector" is no URL of http or https, and no host:port')
    }
  })

  it('writes spans to the log with tracing-protocol stdout', async () => {
    await using world = await aWorld()
    await world.set('knative-serving', { 'tracing-protocol': 'stdout' })
    const span = await eventually(async () => {
      await world.ask('/coffee')
      return world.log.find(({ msg, name }) => msg === 'span' && name === 'handle')
    }, 'a span in the log')
    assert.equal((span['attributes'] as Record<string, unknown>)['url.path'], '/coffee')
  })
})

/** Keeps the headers of what it takes. */
async function startSubscriber(): Promise<AsyncDisposable & { url: string; seen: IncomingHttpHeaders[] }> {
  const seen: IncomingHttpHeaders[] = []
  const server = createServer((request, response) => {
    seen.push(request.headers)
    request.resume().on('end', () => response.end())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
