import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brokerStream } from '../../kinds/eventing/broker/schema.ts'
import type { Broker } from '../../kinds/eventing/broker/schema.ts'
import { cloudEvent } from '../../model/cloudevents/event.ts'
import type { EventStream } from '../../ports/event-transport/port.ts'
import { historyRoute } from './history.ts'
import { eventually } from '../../base/eventually.ts'
import { aRouteBed, valuesOf } from './test-route.ts'
import type { RouteBed } from './test-route.ts'

const broker: Broker = {
  apiVersion: 'eventing.knative.dev/v1',
  kind: 'Broker',
  metadata: { name: 'orders', namespace: 'shop', uid: 'u' },
  spec: {},
}

async function aHistory(bed: RouteBed, count: number, bytes = 10): Promise<EventStream> {
  bed.objects.push(broker)
  const stream = await bed.deps.transport.ensureStream(brokerStream(broker))
  for (let id = 0; id < count; id++) {
    const event = cloudEvent(
      { id: String(id), source: '/s', type: 't', datacontenttype: 'text/plain' },
      'x'.repeat(bytes),
    )
    await stream.append({ event, headers: {} })
    await bed.deps.clock.advance(1_000)
  }
  return stream
}

test('gives the stored events of a Broker as structured JSON, from so long ago on', async () => {
  await using bed = await aRouteBed(historyRoute)
  await aHistory(bed, 5)
  const ids = async (query: string): Promise<unknown[]> => {
    const found: unknown[] = []
    const response = await bed.open(`/knode/v1/history?namespace=shop&broker=orders${query}`)
    assert.equal(response.headers['content-type'], 'application/x-ndjson')
    for await (const { id, data } of valuesOf<{ id: string; data: string }>(response))
      found.push(`${id} ${data.length}`)
    return found
  }
  assert.deepEqual(await ids(''), ['0 10', '1 10', '2 10', '3 10', '4 10'])
  assert.deepEqual(await ids('&sinceMs=2000'), ['3 10', '4 10'])
  assert.deepEqual(await ids('&sinceMs=0'), [])
})

test('refuses bad parameters and unknown Brokers, saying what is wrong', async () => {
  await using bed = await aRouteBed(historyRoute)
  await aHistory(bed, 1)
  const rows: [string, number, RegExp][] = [
    ['?namespace=shop&broker=orders&sinceMs=1h', 400, /^sinceMs: expected a whole number from 0, got "1h"$/],
    ['?namespace=shop&broker=orders&sinceMs=', 400, /^sinceMs/],
    ['?broker=orders', 404, /^brokers\.eventing\.knative\.dev "orders" not found$/],
    ['', 404, /"default" not found$/],
  ]
  for (const [query, code, message] of rows) {
    const answer = await bed.call(`/knode/v1/history${query}`)
    assert.equal(answer.code, code, query)
    assert.match(answer.message ?? '', message)
  }
})

test('reads no faster than the client does, and ends when a client that reads nothing goes', async () => {
  await using bed = await aRouteBed(historyRoute)
  const stream = await aHistory(bed, 500, 100_000)
  let read = 0
  const original = stream.read.bind(stream)
  stream.read = async function* (from) {
    for await (const stored of original(from)) {
      read++
      yield stored
    }
  }
  const response = await bed.open('/knode/v1/history?namespace=shop&broker=orders')
  let before = -1
  while (before !== read) {
    before = read
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
  assert.ok(read < 400, `${read} events were read`)
  response.destroy()
  await eventually(() => bed.handling === 0, 'the history to end')
  assert.ok(read < 400)
})
