// What is recorded of events, and what their subscribers are told.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readBatch } from '../../model/cloudevents/http-binding.ts'
import type { StoredEvent } from '../../ports/event-transport/port.ts'
import { aTestTracer } from '../test-tracer.ts'
import type { TestTracer } from '../test-tracer.ts'
import { anEvent, aTestBed } from './test-bed.ts'
import type { TestBed } from './test-bed.ts'

const given = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

async function aTracedBed(): Promise<TestBed & TestTracer> {
  const recording = aTestTracer()
  const bed = await aTestBed({ tracing: { serving: undefined, eventing: recording.tracer } })
  return { ...bed, ...recording }
}

const event = anEvent({ subject: 'till', traceparent: given })
const ofEvent = {
  'messaging.system': 'knative',
  'messaging.operation.name': 'send',
  'cloudevents.type': 'order',
  'cloudevents.source': '/shop',
  'cloudevents.specversion': '1.0',
  'cloudevents.subject': 'till',
  'cloudevents.datacontenttype': 'application/json',
}

test('an event that comes in is stored in the trace of the door, its extension as it came', async () => {
  await using bed = await aTracedBed()
  const door = bed.engine.brokerEndpoint({ namespace: 'default', name: 'shop', stream: bed.stream })
  await door.accept({ event, headers: { traceparent: given, tracestate: 'x=1', baggage: 'b=2' } })
  const stored: StoredEvent[] = []
  for await (const each of bed.stream.read('earliest')) stored.push(each)
  assert.deepEqual(stored[0]!.message.headers, { baggage: 'b=2', traceparent: 'span-1', tracestate: 'x=1' })
  assert.equal(stored[0]!.message.event.attributes.get('traceparent'), given)
  assert.deepEqual(bed.parents[0], { traceparent: given, tracestate: 'x=1', baggage: 'b=2' })
  assert.deepEqual(bed.ended, [
    {
      name: 'broker:shop.default',
      kind: 'server',
      parent: 'caller',
      attributes: {
        ...ofEvent,
        'messaging.destination.name': 'broker:shop.default',
        'kn.broker.name': 'shop',
        'kn.broker.namespace': 'default',
        'http.response.status_code': 202,
      },
    },
  ])
})

test('each try is a span below what was stored, and the subscriber is told of that try', async () => {
  await using bed = await aTracedBed()
  const subscriber = await bed.subscriber((_, count) => ({ status: count === 1 ? 503 : 200 }))
  const delivery = { retry: 1, backoffPolicy: 'linear', backoffDelay: 'PT0S' } as const
  await bed.dispatch({ subscriber: { url: `${subscriber.url}/path?key=secret` }, delivery })
  await bed.append(event, { traceparent: given, tracestate: 'x=1' })
  await bed.until('delivered')
  assert.deepEqual(
    subscriber.requests.map(({ headers }) => [
      headers['traceparent'],
      headers['tracestate'],
      headers['ce-traceparent'],
    ]),
    [
      ['span-1', 'x=1', given],
      ['span-2', 'x=1', given],
    ],
  )
  assert.deepEqual(
    bed.parents.map(({ traceparent }) => traceparent),
    [given, given],
  )
  const [failed, sent] = bed.ended
  const attributes = {
    ...ofEvent,
    'messaging.destination.name': 'trigger:orders.default',
    'http.request.method': 'POST',
    'url.full': `${subscriber.url}/path`,
    'server.address': '127.0.0.1',
  }
  assert.deepEqual(failed, {
    name: `send ${subscriber.url}/path`,
    kind: 'client',
    parent: 'caller',
    attributes: { ...attributes, 'http.response.status_code': 503 },
    links: [],
    error: 'answered 503',
  })
  assert.deepEqual([sent?.attributes, sent?.error], [{ ...attributes, 'http.response.status_code': 200 }, undefined])
})

test('who does not answer is an error of its kind', async () => {
  await using bed = await aTracedBed()
  await bed.dispatch({ subscriber: { url: 'http://127.0.0.1:9/' } })
  await bed.append(event)
  await bed.until('dropped')
  const { attributes, error } = bed.ended[0]!
  assert.equal(attributes['error.type'], 'refused')
  assert.match(error ?? '', /ECONNREFUSED|refused/)
})

test('a batch is one span, with links to what its other events came from', async () => {
  await using bed = await aTracedBed()
  const subscriber = await bed.subscriber(() => ({ status: 200 }))
  await bed.dispatch({ subscriber, annotations: { 'knode.dev/batch': '2' } })
  await bed.append(anEvent({ id: '1' }))
  await bed.append(anEvent({ id: '2' }), { traceparent: given })
  await bed.until('delivered', 2)
  const [{ headers, body }] = subscriber.requests as [(typeof subscriber.requests)[number]]
  assert.equal(readBatch(headers, Buffer.from(body)).length, 2)
  assert.equal(headers['traceparent'], 'span-1')
  const [{ attributes, links }] = bed.ended as [(typeof bed.ended)[number]]
  assert.equal(attributes['messaging.batch.message_count'], 2)
  assert.deepEqual(
    links?.map(({ spanId }) => spanId),
    ['00f067aa0ba902b7'],
  )
})
