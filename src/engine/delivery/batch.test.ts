// `knode.dev/batch`: many events in one request, acknowledged, repeated and given up together.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readBatch } from '../../model/cloudevents/http-binding.ts'
import type { AttributeValue } from '../../model/cloudevents/event.ts'
import type { ReceivedRequest } from './scripted-subscriber.ts'
import { eventually } from '../../base/eventually.ts'
import { anEvent, aTestBed, eventIds } from './test-bed.ts'
import type { TestBed } from './test-bed.ts'

const ok = () => ({ status: 200 })
const batched = (value: string): Record<string, string> => ({ 'knode.dev/batch': value })

/** The ids in each request: `1 2 3`. */
const batches = (requests: ReceivedRequest[]): string[] =>
  requests.map(({ headers, body }) =>
    readBatch(headers, Buffer.from(body))
      .map(({ event }) => event.attributes.get('id'))
      .join(' '),
  )

async function appendMany(bed: TestBed, count: number, attributes: Record<string, AttributeValue> = {}): Promise<void> {
  for (let id = 1; id <= count; id++) await bed.append(anEvent({ id: String(id), ...attributes }))
}

test('events go in full batches, and what is left goes after the wait', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(ok)
  await bed.dispatch({ subscriber, annotations: batched('3/PT5S') })
  await appendMany(bed, 7)
  await bed.until('delivered', 6)
  await bed.clock.advance(4_999)
  assert.deepEqual(batches(subscriber.requests).toSorted(), ['1 2 3', '4 5 6'])
  await bed.clock.advance(1)
  await bed.until('delivered', 7)
  assert.equal(batches(subscriber.requests).at(-1), '7')
  assert.deepEqual([bed.outcome('delivered'), bed.gauge('knode_delivery_pending')], [7, 0])
})

test('a batch is a JSON array without a hop count, asks for no reply, and takes none of the events’ own headers', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(ok)
  await bed.dispatch({ subscriber, annotations: batched('2') })
  await bed.append(anEvent({ id: '1', knativebrokerttl: 9 }), { traceparent: '00-a-b-01' })
  await bed.append(anEvent({ id: '2' }, '{"big":12345678901234567890}'))
  await bed.until('delivered', 2)
  const [{ headers, body }] = subscriber.requests as [ReceivedRequest]
  assert.equal(headers['content-type'], 'application/cloudevents-batch+json')
  assert.deepEqual(
    [headers['prefer'], headers['traceparent'], headers['kn-namespace']],
    [undefined, undefined, 'default'],
  )
  assert.equal((JSON.parse(body) as Record<string, unknown>[])[0]?.['knativebrokerttl'], undefined)
  assert.match(body, /"data":\{"big":12345678901234567890\}/)
})

test('without a wait of its own a batch waits 100 ms', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(ok)
  await bed.dispatch({ subscriber, annotations: batched('10') })
  await bed.append()
  await bed.clock.advance(99)
  assert.equal(subscriber.requests.length, 0)
  await bed.clock.advance(1)
  await bed.until('delivered')
})

test('any 2xx acknowledges all; a reply or a body that is no event does not matter', async () => {
  await using bed = await aTestBed()
  const reply = { 'ce-specversion': '1.0', 'ce-id': 'r', 'ce-source': '/k', 'ce-type': 't' }
  const subscriber = await bed.subscriber((_request, count) =>
    count === 1 ? { status: 200, headers: reply, body: 'x' } : { status: 202, body: 'thanks' },
  )
  const replies = await bed.subscriber(ok)
  await bed.dispatch({ subscriber, reply: replies, annotations: batched('2') })
  await appendMany(bed, 4)
  await bed.until('delivered', 4)
  assert.deepEqual([replies.requests.length, bed.giveUps.length], [0, 0])
})

test('a batch that fails is repeated whole by the plan, whatever came meanwhile', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(({ body }, count) => ({
    status: count <= 2 ? 503 : body.includes('"id":"1"') && count === 3 ? 500 : 200,
  }))
  const delivery = { retry: 3, backoffPolicy: 'exponential', backoffDelay: 'PT1S' } as const
  await bed.dispatch({ subscriber, delivery, annotations: batched('2/PT0S') })
  await appendMany(bed, 4)
  await bed.until('retrying', 4)
  await bed.clock.advance(1_000)
  await bed.until('delivered', 2)
  await bed.clock.advance(2_000)
  await bed.until('delivered', 4)
  assert.deepEqual(batches(subscriber.requests).toSorted(), ['1 2', '1 2', '1 2', '3 4', '3 4'])
  assert.deepEqual(
    bed.facts.filter(({ what }) => what === 'delivered').map(({ attempt }) => attempt),
    [2, 2, 3, 3],
  )
})

test('batches that failed come back as they were, also when they could be put together in another way', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber((_request, count) => ({ status: count <= 2 ? 503 : 200 }))
  const delivery = { retry: 1, backoffPolicy: 'linear', backoffDelay: 'PT10S' } as const
  await bed.dispatch({ subscriber, delivery, annotations: batched('3/PT1S') })
  for (const id of ['1', '2']) await bed.append(anEvent({ id }))
  await eventually(() => subscriber.requests.length === 1, 'the first batch', { turn: () => bed.clock.advance(100) })
  await bed.until('retrying', 2)
  for (const id of ['3', '4', '5']) await bed.append(anEvent({ id }))
  await bed.until('retrying', 5)
  await bed.clock.advance(10_000)
  await bed.until('delivered', 5)
  assert.deepEqual(batches(subscriber.requests).toSorted(), ['1 2', '1 2', '3 4 5', '3 4 5'])
})

test('a batch given up goes to the dead letter sink event by event', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(() => ({ status: 400, body: 'no' }))
  const sink = await bed.subscriber(({ headers }) => ({ status: headers['ce-id'] === '2' ? 400 : 200 }))
  await bed.dispatch({ subscriber, deadLetter: sink, annotations: batched('3') })
  await appendMany(bed, 3)
  await bed.until('dead-lettered', 2)
  await bed.until('dropped')
  assert.equal(eventIds(sink.requests).split(' ').toSorted().join(' '), '1 2 3')
  const { headers } = sink.requests[0]!
  assert.deepEqual(
    ['knativeerrordest', 'knativeerrorcode', 'knativeerrordata'].map((name) => headers[`ce-${name}`]),
    [subscriber.url, '400', Buffer.from('no').toString('base64')],
  )
  assert.equal(subscriber.requests.length, 1)
  await eventually(() => bed.gauge('knode_delivery_pending') === 0, 'nothing to be pending')
})

test('a restart keeps the count of tries', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(() => ({ status: 500 }))
  const spec = {
    subscriber,
    delivery: { retry: 1, backoffPolicy: 'linear', backoffDelay: 'PT10S' } as const,
    annotations: batched('2'),
  }
  const dispatching = await bed.dispatch(spec)
  await appendMany(bed, 2)
  await bed.until('retrying', 2)
  await dispatching[Symbol.asyncDispose]()
  await bed.dispatch(spec)
  await bed.clock.advance(10_000)
  await bed.until('dropped', 2)
  assert.deepEqual(batches(subscriber.requests), ['1 2', '1 2'])
})

test('what is being gathered when delivery stops is delivered later', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(ok)
  const dispatching = await bed.dispatch({ subscriber, annotations: batched('10/PT1M') })
  await appendMany(bed, 2)
  await dispatching[Symbol.asyncDispose]()
  await bed.clock.advance(60_000)
  assert.equal(subscriber.requests.length, 0)
  await bed.dispatch({ subscriber, annotations: batched('10/PT0S') })
  await bed.clock.advance(1)
  await bed.until('delivered', 2)
})

test('an event that is too old is left out of its batch', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(ok)
  await bed.dispatch({ subscriber, annotations: { ...batched('3/PT1M'), 'knode.dev/expire-after': 'PT10S' } })
  await bed.append(anEvent({ id: '1' }))
  await bed.clock.advance(10_000)
  await bed.append(anEvent({ id: '2' }))
  await bed.append(anEvent({ id: '3' }))
  await bed.until('delivered', 2)
  assert.deepEqual(batches(subscriber.requests), ['2 3'])
  assert.equal(bed.outcome('expired'), 1)
  await eventually(() => bed.gauge('knode_delivery_pending') === 0, 'all to be settled')
})

test('a rate counts requests', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(ok)
  await bed.dispatch({ subscriber, annotations: { ...batched('5'), 'knode.dev/rate': '1/s' } })
  await appendMany(bed, 10)
  await bed.until('delivered', 5)
  await bed.clock.advance(999)
  assert.equal(subscriber.requests.length, 1)
  await bed.clock.advance(1)
  await bed.until('delivered', 10)
})

test('a door of this process takes the events one by one, and all of them again when it refused one', async () => {
  await using bed = await aTestBed()
  const taken: unknown[] = []
  bed.endpoints.set('shop.svc.cluster.local /', {
    kind: 'events',
    accept({ event }) {
      taken.push(event.attributes.get('id'))
      return Promise.resolve({ status: taken.length === 2 ? 503 : 202 })
    },
  })
  const subscriber = { url: 'http://shop.svc.cluster.local/' }
  await bed.dispatch({ subscriber, delivery: { retry: 1 }, annotations: batched('3') })
  await appendMany(bed, 3)
  await bed.until('delivered', 3)
  assert.deepEqual(taken, ['1', '2', '3', '1', '2', '3'])
})
