// One trace across two processes on one data directory, sent compressed: the event comes in to the first, and is delivered
// by the second.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually } from '../../src/base/eventually.ts'
import { runKnode, startKnodeProcess } from '../harness/knode-process.ts'
import { startOtlpReceiver } from '../harness/otlp-receiver.ts'
import type { OtlpReceiver } from '../harness/otlp-receiver.ts'
import { postBinary } from '../harness/post-event.ts'
import { startSubscriber } from '../harness/subscriber.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'

const environment = { OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip', OTEL_BSP_SCHEDULE_DELAY: '50' }
const parentId = '00f067aa0ba902b7'
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'

for (const protocol of ['grpc', 'http/protobuf'] as const) {
  test(`${protocol}: a delivery after a restart is in the trace that its event came in with`, async (context) => {
    const started = await startOtlpReceiver(context)
    if (started === undefined) return
    await using receiver = started
    await using home = await temporaryDirectory()
    const dataDir = join(home.path, 'data')
    let isUp = false
    await using subscriber = await startSubscriber(() => ({ status: isUp ? 204 : 503 }))
    const manifest = join(home.path, 'shop.yaml')
    await writeFile(manifest, manifestOf(subscriber.url, protocol, receiver))
    const isOurs = (span: { traceId: string }): boolean => span.traceId === traceId
    {
      await using knode = await startKnodeProcess(dataDir, [], { environment })
      const apply = ['apply', '--force-conflicts', '-f', manifest, '--kubeconfig', knode.kubeconfig]
      assert.equal((await runKnode(apply)).code, 0)
      const wait = ['wait', 'trigger/shop', '--for', 'condition=Ready', '--kubeconfig', knode.kubeconfig]
      assert.equal((await runKnode(wait)).code, 0)
      await eventually(async () => {
        await postBinary(`${knode.gateway}/default/probe`, { type: 'probe' }, '{}')
        return receiver.spans.length > 0
      }, 'traces to be recorded')
      const headers = { type: 'order', id: '1' }
      const parent = { traceparent: `00-${traceId}-${parentId}-01` }
      assert.equal((await postBinary(`${knode.gateway}/default/shop`, headers, '{}', parent)).status, 202)
      await subscriber.until('/', 1)
      assert.equal(await knode.end('SIGTERM'), 0)
    }
    const door = await receiver.span((span) => isOurs(span) && span.span.startsWith('broker:'), 'the span of the door')
    const failed = await receiver.span((span) => isOurs(span) && span.span.startsWith('send '), 'the first try')
    assert.deepEqual([door.span, door.parentSpanId], ['broker:shop.default', parentId])
    assert.deepEqual([failed.parentSpanId, failed.attributes['http.response.status_code']], [door.spanId, 503])
    const triesBefore = subscriber.received.length

    isUp = true
    await using _knode = await startKnodeProcess(dataDir, [], { environment })
    const seen = (await subscriber.until('/', triesBefore + 1))[triesBefore]!
    const process = ({ resource }: typeof door): unknown => resource['service.instance.id']
    const isNext = (span: typeof door): boolean => isOurs(span) && process(span) !== process(door)
    const delivered = await receiver.span(isNext, 'the try of the second process')
    assert.equal(process(failed), process(door))
    assert.deepEqual([delivered.span, delivered.parentSpanId], [failed.span, door.spanId])
    assert.deepEqual([delivered.status, delivered.attributes['http.response.status_code']], ['STATUS_CODE_UNSET', 204])
    assert.equal(seen.headers['traceparent'], `00-${traceId}-${delivered.spanId}-01`)
    assert.deepEqual([delivered.protocol, delivered.encoding], [protocol, 'gzip'])
  })
}

function manifestOf(subscriberUrl: string, protocol: 'grpc' | 'http/protobuf', receiver: OtlpReceiver): string {
  return `
apiVersion: v1
kind: ConfigMap
metadata: { name: config-observability, namespace: knative-eventing }
data:
  tracing-protocol: ${protocol}
  tracing-endpoint: http://${protocol === 'grpc' ? receiver.grpc : receiver.http}
  tracing-sampling-rate: "1"
---
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: { name: probe, namespace: default }
---
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: { name: shop, namespace: default }
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: { name: shop, namespace: default }
spec:
  broker: shop
  subscriber: { uri: "${subscriberUrl}/" }
  delivery: { retry: 20, backoffPolicy: linear, backoffDelay: PT0.5S }
`
}
