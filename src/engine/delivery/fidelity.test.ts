// What arrives is what was sent: texts, traces and data on their way through, and nobody's changes in another's event.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readEvent } from '../../model/cloudevents/http-binding.ts'
import type { EventMessage } from '../../model/cloudevents/event.ts'
import type { ReceivedRequest } from './scripted-subscriber.ts'
import { anEvent, aTestBed } from './test-bed.ts'

const ok = () => ({ status: 200 })
const replyHeaders = { 'ce-specversion': '1.0', 'ce-id': 'r', 'ce-source': '/kitchen', 'ce-type': 'served' }
const traceOf = ({ headers }: ReceivedRequest): (string | undefined)[] =>
  ['traceparent', 'tracestate', 'baggage'].map((name) => headers[name])

test('attributes of any text arrive as they were, percent-encoded once, and a lone % harms nothing', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(ok)
  await bed.dispatch({ subscriber })
  const attributes = {
    subject: 'Käse "für" 100%',
    note: '%20 stays %20',
    smile: '😀',
    time: '2026-01-01T00:00:00.123456789Z',
    count: -5,
    fresh: true,
  }
  await bed.append(anEvent(attributes))
  await bed.until('delivered')
  const [{ headers, body }] = subscriber.requests as [ReceivedRequest]
  assert.equal(headers['ce-subject'], 'K%C3%A4se%20%22f%C3%BCr%22%20100%25')
  const { event } = readEvent(headers, Buffer.from(body))
  const arrived = Object.keys(attributes).map((name) => event.attributes.get(name))
  // Headers have no types: what was a number or a boolean is its text.
  assert.deepEqual(
    arrived,
    Object.values(attributes).map((value) => (typeof value === 'string' ? value : String(value))),
  )
})

for (const data of ['null', '0', 'false', '""', '"{}"', '12345678901234567890', '{"b":1,"a":1,"a":2}']) {
  for (const format of ['binary', 'json'] as const) {
    test(`JSON data ${data} arrive as they were, format ${format}`, async () => {
      await using bed = await aTestBed()
      const subscriber = await bed.subscriber(ok)
      await bed.dispatch({ subscriber, delivery: { format } })
      await bed.append(anEvent({}, data))
      await bed.until('delivered')
      const [{ headers, body }] = subscriber.requests as [ReceivedRequest]
      assert.equal(Buffer.from(readEvent(headers, Buffer.from(body)).event.data!).toString(), data)
    })
  }
}

describe('traces', () => {
  const rows: [string, EventMessage['headers'], Record<string, string>, (string | undefined)[]][] = [
    ['an event in no trace starts none', {}, {}, [undefined, undefined, undefined]],
    [
      'an event’s trace goes on with the reply',
      { traceparent: '00-a-b-01', tracestate: 'x=1', baggage: 'k=v' },
      {},
      ['00-a-b-01', 'x=1', 'k=v'],
    ],
    [
      'a trace that the subscriber names does not replace it, nor mix with it',
      { traceparent: '00-a-b-01' },
      { traceparent: '00-c-d-01', tracestate: 'y=2', baggage: 'l=w' },
      ['00-a-b-01', undefined, 'l=w'],
    ],
    [
      'a trace that begins with the subscriber is kept',
      {},
      { traceparent: '00-c-d-01', tracestate: 'y=2' },
      ['00-c-d-01', 'y=2', undefined],
    ],
  ]
  for (const [name, sent, answered, expected] of rows) {
    test(name, async () => {
      await using bed = await aTestBed()
      const subscriber = await bed.subscriber(() => ({ status: 200, headers: { ...replyHeaders, ...answered } }))
      const reply = await bed.subscriber(ok)
      await bed.dispatch({ subscriber, reply })
      await bed.append(anEvent(), sent)
      await bed.until('delivered')
      assert.deepEqual(
        traceOf(subscriber.requests[0]!),
        ['traceparent', 'tracestate', 'baggage'].map((header) => sent[header]),
      )
      assert.deepEqual(traceOf(reply.requests[0]!), expected)
    })
  }

  test('a dead letter stays in the trace of its event', async () => {
    await using bed = await aTestBed()
    const subscriber = await bed.subscriber(() => ({ status: 400 }))
    const sink = await bed.subscriber(ok)
    await bed.dispatch({ subscriber, deadLetter: sink })
    await bed.append(anEvent(), { traceparent: '00-a-b-01', tracestate: 'x=1', baggage: 'k=v' })
    await bed.until('dead-lettered')
    assert.deepEqual(traceOf(sink.requests[0]!), ['00-a-b-01', 'x=1', 'k=v'])
  })

  test('the attribute traceparent is an attribute, and touched by nobody', async () => {
    await using bed = await aTestBed()
    const subscriber = await bed.subscriber(ok)
    await bed.dispatch({ subscriber })
    await bed.append(anEvent({ traceparent: '00-start-x-01' }), { traceparent: '00-hop-x-01' })
    await bed.until('delivered')
    const { headers } = subscriber.requests[0]!
    assert.deepEqual([headers['ce-traceparent'], headers['traceparent']], ['00-start-x-01', '00-hop-x-01'])
  })
})

test('what one consumer adds to an event no other consumer sees', async () => {
  await using bed = await aTestBed()
  const failing = await bed.subscriber(() => ({ status: 400, body: 'no' }))
  const sink = await bed.subscriber(ok)
  const slow = await bed.subscriber((_request, count) => ({ status: count === 1 ? 503 : 200 }))
  await bed.dispatch({ subscriber: failing, deadLetter: sink })
  const delivery = { retry: 1, backoffPolicy: 'linear', backoffDelay: 'PT1S' } as const
  await bed.dispatch({ subscriber: slow, consumer: 'uid-2', delivery })
  await bed.append()
  await bed.until('dead-lettered')
  await bed.until('retrying')
  await bed.clock.advance(1_000)
  await bed.until('delivered')
  assert.equal(sink.requests[0]?.headers['ce-knativeerrorcode'], '400')
  const added = slow.requests.flatMap(({ headers }) => Object.keys(headers).filter((name) => name.includes('error')))
  assert.deepEqual(added, [])
})
