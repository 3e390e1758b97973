// What a subscriber, a reply target and a dead letter sink are sent.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cloudEvent } from '../../model/cloudevents/event.ts'
import type { EventMessage } from '../../model/cloudevents/event.ts'
import type { AcceptResult, Endpoint } from '../reconciler.ts'
import { eventually } from '../../base/eventually.ts'
import { anEvent, aTestBed } from './test-bed.ts'

const ok = () => ({ status: 200 })

/** An in-process endpoint that answers as told and keeps what it took. */
function anEndpoint(result: AcceptResult): { taken: EventMessage[]; endpoint: Endpoint } {
  const taken: EventMessage[] = []
  const accept = async (message: EventMessage): Promise<AcceptResult> => {
    taken.push(message)
    return result
  }
  return { taken, endpoint: { kind: 'events', accept } }
}

test('a subscriber gets the event in binary mode with Prefer, Kn-Namespace and the headers that travel', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(ok)
  await bed.dispatch({ subscriber: { url: `${subscriber.url}/orders?a=b` } })
  await bed.append(anEvent({ subject: 'Tür 5%' }), { traceparent: '00-a-b-01', 'x-request-id': '7' })
  await bed.until('delivered')
  const { line, headers, body } = subscriber.requests[0]!
  assert.equal(line, 'POST /orders?a=b')
  assert.equal(body, '{"cups":1}')
  const { host, connection: _, ...others } = headers
  assert.equal(`http://${host}`, subscriber.url)
  assert.deepEqual(others, {
    'ce-specversion': '1.0',
    'ce-id': '1',
    'ce-source': '/shop',
    'ce-type': 'order',
    'ce-subject': 'T%C3%BCr%205%25',
    'content-type': 'application/json',
    'content-length': '10',
    prefer: 'reply',
    'kn-namespace': 'default',
    traceparent: '00-a-b-01',
    'x-request-id': '7',
  })
})

test('format json is for the subscriber of a Trigger only', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(ok)
  await bed.dispatch({ subscriber, delivery: { format: 'json' } })
  await bed.dispatch({ subscriber, consumer: 'uid-2', contract: 'subscription', delivery: { format: 'json' } })
  await bed.append()
  await bed.until('delivered', 2)
  const types = new Set(subscriber.requests.map(({ headers }) => headers['content-type']))
  assert.deepEqual(types, new Set(['application/cloudevents+json', 'application/json']))
  const structured = subscriber.requests.find(({ headers }) => headers['content-type'] !== 'application/json')
  assert.deepEqual(JSON.parse(structured!.body), {
    ...Object.fromEntries(anEvent().attributes),
    data: { cups: 1 },
  })
})

test('a Trigger sees no hop count, its reply keeps it, and its dead letter has it', async () => {
  await using bed = await aTestBed()
  const reset = {
    'ce-specversion': '1.0',
    'ce-id': 'r',
    'ce-source': '/k',
    'ce-type': 't',
    'ce-knativebrokerttl': '999',
  }
  const subscriber = await bed.subscriber(() => ({ status: 200, headers: reset }))
  const reply = await bed.subscriber(() => ({ status: 400 }))
  const sink = await bed.subscriber(ok)
  await bed.dispatch({ subscriber, reply, deadLetter: sink })
  await bed.append(anEvent({ knativebrokerttl: 12, knativearrivaltime: '2026-01-01T00:00:00Z' }))
  await bed.until('dead-lettered')
  const hops = [subscriber, reply, sink].map(({ requests }) => requests[0]?.headers['ce-knativebrokerttl'])
  assert.deepEqual(hops, [undefined, '12', '12'])
  assert.equal(subscriber.requests[0]?.headers['ce-knativearrivaltime'], '2026-01-01T00:00:00Z')
})

test('a Subscription passes the hop count through', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(ok)
  await bed.dispatch({ contract: 'subscription', subscriber })
  await bed.append(anEvent({ knativebrokerttl: 12 }))
  await bed.until('delivered')
  assert.equal(subscriber.requests[0]?.headers['ce-knativebrokerttl'], '12')
})

test('a reply stays in the trace of its event and takes along only what travels', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(() => ({
    status: 200,
    headers: {
      'ce-specversion': '1.0',
      'ce-id': 'r',
      'ce-source': '/k',
      'ce-type': 't',
      'x-request-id': '8',
      'knative-x': 'y',
      'set-cookie': 'a=b',
      authorization: 'Bearer x',
    },
  }))
  const reply = await bed.subscriber(ok)
  await bed.dispatch({ subscriber, reply })
  await bed.append(anEvent(), { traceparent: '00-a-b-01', 'x-request-id': '7' })
  await bed.until('replied')
  const { headers } = reply.requests[0]!
  assert.deepEqual(
    ['traceparent', 'x-request-id', 'knative-x', 'set-cookie', 'authorization'].map((name) => headers[name]),
    ['00-a-b-01', '8', 'y', undefined, undefined],
  )
})

test('a name under svc.cluster.local that takes events is reached without HTTP', async () => {
  await using bed = await aTestBed()
  const { taken, endpoint } = anEndpoint({ status: 202 })
  bed.endpoints.set('cups-kn-channel.default.svc.cluster.local /', endpoint)
  await bed.dispatch({
    contract: 'subscription',
    subscriber: { url: 'http://cups-kn-channel.default.svc.cluster.local' },
  })
  await bed.append(anEvent(), { traceparent: '00-a-b-01' })
  const { status } = await bed.until('delivered')
  assert.equal(status, 202)
  assert.deepEqual(taken[0]?.headers, { traceparent: '00-a-b-01' })
  assert.equal(taken[0]?.event.attributes.get('id'), '1')
})

test('a closed door in the process answers as it would over HTTP: 503 is retried after its Retry-After', async () => {
  await using bed = await aTestBed()
  const { endpoint } = anEndpoint({ status: 503, message: 'full', retryAfterSeconds: 5 })
  bed.endpoints.set(' /default/shop', endpoint)
  const subscriber = { url: 'http://127.0.0.1:1/default/shop' }
  await bed.dispatch({ subscriber, delivery: { retry: 1, retryAfterMax: 'PT1M' } })
  await bed.append()
  const { message } = await bed.until('retrying')
  assert.equal(message, 'answered 503, again in 5000 ms')
  bed.endpoints.set(' /default/shop', anEndpoint({ status: 202 }).endpoint)
  await bed.clock.advance(5_000)
  await bed.until('delivered')
})

test('an endpoint that refuses is not given the event', async () => {
  await using bed = await aTestBed()
  const { taken, endpoint } = anEndpoint({ status: 202 })
  bed.endpoints.set(' /b', { ...endpoint, refusal: () => ({ status: 404 }) } as Endpoint)
  await bed.dispatch({ subscriber: { url: 'http://127.0.0.1:1/b' } })
  await bed.append()
  const { message } = await bed.until('dropped')
  assert.match(String(message), /answered 404/)
  assert.equal(taken.length, 0)
})

test('an endpoint that never answers is given up after the timeout', async () => {
  await using bed = await aTestBed()
  bed.endpoints.set(' /b', { kind: 'events', accept: () => new Promise(() => {}) })
  await bed.dispatch({ subscriber: { url: 'http://127.0.0.1:1/b' } })
  await bed.append()
  await bed.clock.advance(30_000)
  await bed.until('dropped')
})

test('any other cluster name goes through the gateway under its own name', async () => {
  await using bed = await aTestBed()
  const gateway = await bed.subscriber(ok)
  await using other = await aTestBed({
    addresses: { gatewayUrl: gateway.url, apiUrl: 'http://127.0.0.1:2', serviceDomain: 'example.test:1' },
  })
  await other.dispatch({ subscriber: { url: 'http://tea.default.svc.cluster.local/in?x=1' } })
  await other.append()
  await other.until('delivered')
  const { line, headers } = gateway.requests[0]!
  assert.deepEqual([line, headers['host']], ['POST /in?x=1', 'tea.default.svc.cluster.local'])
})

test('without a subscriber the event itself flows on to the reply', async () => {
  await using bed = await aTestBed()
  const reply = await bed.subscriber(ok)
  await bed.dispatch({ contract: 'subscription', reply })
  await bed.append()
  await bed.until('delivered')
  assert.equal(reply.requests[0]?.headers['ce-id'], '1')
})

test('two Triggers with the same subscriber both deliver', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(ok)
  await bed.dispatch({ subscriber })
  await bed.dispatch({ subscriber, consumer: 'uid-2' })
  await bed.append()
  await bed.until('delivered', 2)
  assert.equal(subscriber.requests.length, 2)
})

test('events follow each other on one connection', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(ok)
  await bed.dispatch({ subscriber })
  for (let count = 1; count <= 5; count++) {
    await bed.append()
    await bed.until('delivered', count)
  }
  await eventually(() => subscriber.requests.length === 5, 'five requests')
  assert.deepEqual(new Set(subscriber.requests.map(({ connection }) => connection)), new Set([1]))
})

test('data arrives byte by byte as it came, JSON or not', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(ok)
  await bed.dispatch({ subscriber })
  const texts = ['{"b": 1e3,\n "b":12345678901234567890 }', '"text"', 'null', '0', '{broken', 'ü\u0000']
  for (const [index, text] of texts.entries()) {
    await bed.append(anEvent({}, text))
    await bed.until('delivered', index + 1)
  }
  assert.deepEqual(
    subscriber.requests.map(({ body }) => body),
    texts,
  )
})

test('an event without id, time or content type is not given one', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(ok)
  await bed.dispatch({ subscriber })
  await bed.append(cloudEvent({ id: '1', source: '/shop', type: 'order' }))
  await bed.until('delivered')
  const { headers } = subscriber.requests[0]!
  assert.deepEqual(
    [headers['ce-time'], headers['content-type'], headers['content-length']],
    [undefined, undefined, '0'],
  )
})

test('services behind the gateway do not share connections: one that hangs holds up no other', async () => {
  await using bed = await aTestBed()
  const gateway = await bed.subscriber(({ headers }) =>
    headers['host']?.startsWith('stuck') ? { bytes: '', after: 'silence' } : { status: 200 },
  )
  const addresses = { gatewayUrl: gateway.url, apiUrl: 'http://127.0.0.1:2', serviceDomain: 'example.test:1' }
  await using other = await aTestBed({ addresses, limits: { socketsPerHostMax: 2 } })
  await other.dispatch({ subscriber: { url: 'http://stuck.default.svc.cluster.local' } })
  await other.dispatch({ subscriber: { url: 'http://well.default.svc.cluster.local' }, consumer: 'uid-2' })
  for (let count = 0; count < 10; count++) await other.append()
  await other.until('delivered', 10)
})
