import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import type { FlowFact } from '../../engine/flow.ts'
import { cloudEvent } from '../../model/cloudevents/event.ts'
import type { FlowLine } from '../flow-line.ts'
import { tailRoute } from './tail.ts'
import { eventually } from '../../base/eventually.ts'
import { aRouteBed, valuesOf } from './test-route.ts'
import type { RouteBed } from './test-route.ts'

const fact = (stream: string, type = 'order', data = '{"cups":1}'): FlowFact => ({
  what: 'accepted',
  timeMs: Date.UTC(2026, 0, 1),
  stream,
  event: cloudEvent({ id: '1', source: '/s', type }, data),
})

/** The stream and type of each fact that is told. */
async function told(bed: RouteBed, query: string, facts: FlowFact[]): Promise<string[]> {
  const response = await bed.open(`/knode/v1/tail${query}`)
  for (const each of facts) bed.deps.flow.publish(each)
  bed.deps.flow.publish(fact('broker/shop/orders/last', 'order'))
  const seen: string[] = []
  for await (const { stream, event } of valuesOf<FlowLine>(response)) {
    if (stream.endsWith('/last')) break
    seen.push(`${stream} ${String(event['type'])}`)
  }
  response.destroy()
  return seen
}

test('tells what becomes of events: all, of a namespace, of a Broker, or of a type', async () => {
  await using bed = await aRouteBed(tailRoute)
  const facts = [fact('broker/default/orders/u'), fact('broker/shop/orders/u', 'bill'), fact('channel/shop/plain/u')]
  const [one, two, three] = ['broker/default/orders/u order', 'broker/shop/orders/u bill', 'channel/shop/plain/u order']
  assert.deepEqual(await told(bed, '', facts), [one, two, three])
  assert.deepEqual(await told(bed, '?namespace=shop', facts), [two, three])
  assert.deepEqual(await told(bed, '?namespace=shop&broker=orders', facts), [two])
  assert.deepEqual(await told(bed, '?namespace=shop&type=order', facts), [three])
  const posted = await bed.call('/knode/v1/tail', 'POST')
  assert.deepEqual([posted.code, posted.message], [405, '/knode/v1/tail takes GET only'])
})

test('stops watching when the client goes', async () => {
  await using bed = await aRouteBed(tailRoute)
  const response = await bed.open('/knode/v1/tail')
  assert.equal(bed.deps.flow.watched, true)
  response.destroy()
  await eventually(() => !bed.deps.flow.watched && bed.handling === 0, 'the tail to end')
})

test('ends the answer when the server stops', async () => {
  await using bed = await aRouteBed(tailRoute)
  const response = await bed.open('/knode/v1/tail')
  bed.stop()
  await once(response.resume(), 'end')
  assert.equal(bed.deps.flow.watched, false)
})

test('leaves out what a slow reader has no room for, and says how much', async () => {
  await using bed = await aRouteBed(tailRoute)
  const response = await bed.open('/knode/v1/tail')
  const total = 40_000
  const long = 'x'.repeat(1_000)
  // Nobody reads while these come: socket buffers and the backlog fill up.
  for (let count = 0; count < total; count++) bed.deps.flow.publish(fact('broker/shop/orders/u', 'order', long))
  const lines = valuesOf<{ what: string; count?: number }>(response)
  let toldOf = 0
  let leftOut = 0
  while (leftOut === 0) {
    const { what, count = 0 } = (await lines.next()).value as { what: string; count?: number }
    if (what === 'left-out') leftOut = count
    else toldOf++
    // There is something to tell, once there is room.
    if (toldOf % 100 === 0) bed.deps.flow.publish(fact('broker/shop/orders/u'))
  }
  response.destroy()
  assert.ok(leftOut > total / 2, `${leftOut} left out`)
  assert.ok(toldOf < total / 2)
})
