// `knode.dev/webhook-origin`: no event without the subscriber's consent. Source: HTTP 1.1 Web Hooks for Event Delivery.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FakeClock } from '../../base/fake-clock.ts'
import { resolveLimits } from './limits.ts'
import type { ScriptedAnswer } from './scripted-subscriber.ts'
import { eventually } from '../../base/eventually.ts'
import { anEvent, aTestBed } from './test-bed.ts'
import { readConsent, WebhookGate } from './webhook-gate.ts'

const annotations = { 'knode.dev/webhook-origin': 'shop.example.com' }
const granted = { status: 200, headers: { 'webhook-allowed-origin': 'shop.example.com', allow: 'POST' } }
/** Answers OPTIONS and POST. */
const script =
  (options: ScriptedAnswer, post: ScriptedAnswer = { status: 200 }) =>
  ({ line }: { line: string }): ScriptedAnswer =>
    line.startsWith('OPTIONS') ? options : post

test('asks once before the first event, and names the origin with every event', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(script(granted))
  await bed.dispatch({ subscriber: { url: `${subscriber.url}/orders?a=b` }, annotations })
  await bed.append(anEvent({ id: '1' }))
  await bed.append(anEvent({ id: '2' }))
  await bed.until('delivered', 2)
  assert.deepEqual(
    subscriber.requests.map(({ line }) => line),
    ['OPTIONS /orders?a=b', 'POST /orders?a=b', 'POST /orders?a=b'],
  )
  assert.ok(subscriber.requests.every(({ headers }) => headers['webhook-request-origin'] === 'shop.example.com'))
  assert.equal(subscriber.requests[0]?.headers['webhook-request-rate'], undefined)
  assert.deepEqual(bed.troubles, [])
})

test('without the annotation nobody is asked', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(script({ status: 404 }))
  await bed.dispatch({ subscriber })
  await bed.append()
  await bed.until('delivered')
  assert.deepEqual(
    subscriber.requests.map(({ line, headers }) => [line, headers['webhook-request-origin']]),
    [['POST /', undefined]],
  )
})

test('without consent events wait and it is told, until it is given', async () => {
  await using bed = await aTestBed()
  let answer: ScriptedAnswer = { status: 405 }
  const subscriber = await bed.subscriber((request) => script(answer)(request))
  await bed.dispatch({ subscriber, annotations })
  await bed.append()
  await eventually(() => bed.troubles.length === 1, 'the refusal')
  assert.deepEqual(bed.engine.trouble('uid-1'), {
    reason: 'SubscriberDoesNotConsent',
    message: `${subscriber.url} does not allow events from shop.example.com: answered 405 without WebHook-Allowed-Origin`,
  })
  answer = granted
  await bed.clock.advance(1_000)
  await bed.until('delivered')
  assert.deepEqual(
    [bed.engine.trouble('uid-1'), bed.troubles.at(-1)?.trouble, bed.troubles.length],
    [undefined, undefined, 2],
  )
})

test('the question is repeated after 1, 2, 4 … and then every 60 seconds; equal refusals are told once', async () => {
  const clock = new FakeClock()
  const askedMs: number[] = []
  let told = 0
  const gate = new WebhookGate({
    origin: 'shop.example.com',
    url: 'http://billing/',
    ask: () => Promise.resolve({ kind: 'no-answer', reason: `refused ${askedMs.push(clock.monotonicMs()) > 3}` }),
    clock,
    limits: resolveLimits(),
    onConsent: () => assert.fail('nobody consented'),
    onChange: () => void told++,
  })
  const stopping = new AbortController()
  const opening = gate.open(stopping.signal)
  await clock.advance(200_000)
  assert.deepEqual(
    askedMs.map((ms) => ms / 1000),
    [0, 1, 3, 7, 15, 31, 63, 123, 183],
  )
  assert.equal(told, 2)
  stopping.abort()
  await opening
  assert.deepEqual([await gate.passed(), clock.pendingTimers], [false, 0])
})

test('a stopped consumer asks no more, and its events wait', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(script({ status: 200 }))
  const dispatching = await bed.dispatch({ subscriber, annotations })
  await bed.append()
  await eventually(() => bed.troubles.length === 1, 'the refusal')
  await dispatching[Symbol.asyncDispose]()
  await bed.clock.advance(600_000)
  assert.equal(subscriber.requests.length, 1)
  await bed.dispatch({ subscriber })
  await bed.until('delivered')
})

test('a paused consumer does not ask', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(script(granted))
  await bed.dispatch({ subscriber, annotations: { ...annotations, 'knode.dev/paused': 'true' } })
  await bed.append()
  await bed.clock.advance(10_000)
  assert.equal(subscriber.requests.length, 0)
})

test('a rate is asked for in requests a minute, and the smaller one holds', async () => {
  await using bed = await aTestBed()
  const headers = { 'webhook-allowed-origin': '*', 'webhook-allowed-rate': '60' }
  const subscriber = await bed.subscriber(script({ status: 200, headers }))
  await bed.dispatch({ subscriber, annotations: { ...annotations, 'knode.dev/rate': '10/s' } })
  for (const id of ['1', '2']) await bed.append(anEvent({ id }))
  await bed.until('delivered')
  assert.equal(subscriber.requests[0]?.headers['webhook-request-rate'], '600')
  await bed.clock.advance(999)
  assert.equal(bed.outcome('delivered'), 1)
  await bed.clock.advance(1)
  await bed.until('delivered', 2)
})

test('410 takes the consent back: the event is dead-lettered, the others wait, and it is told', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(script(granted, { status: 410 }))
  const sink = await bed.subscriber(() => ({ status: 200 }))
  await bed.dispatch({ subscriber, deadLetter: sink, delivery: { retry: 5 }, annotations })
  await bed.append(anEvent({ id: '1' }))
  await bed.until('dead-lettered')
  await bed.append(anEvent({ id: '2' }))
  await bed.clock.advance(3_600_000)
  assert.deepEqual(bed.engine.trouble('uid-1'), {
    reason: 'SubscriberGone',
    message: `${subscriber.url} answered 410 Gone`,
  })
  assert.deepEqual([subscriber.requests.length, sink.requests.length], [2, 1])
  assert.equal(bed.gauge('knode_delivery_pending'), 1)
})

test('who is gone still is after a restart: it is asked once, is sent nothing, and every event waits', async () => {
  await using bed = await aTestBed()
  let isGone = true
  const gone = { status: 410, headers: { 'webhook-allowed-origin': '*' } }
  const subscriber = await bed.subscriber((request, count) =>
    isGone ? (count === 1 ? granted : gone) : script(granted)(request),
  )
  const first = await bed.dispatch({ subscriber, annotations })
  await bed.append(anEvent({ id: '1' }))
  await bed.until('dropped')
  await bed.append(anEvent({ id: '2' }))
  await first[Symbol.asyncDispose]()
  assert.equal(subscriber.requests.length, 2)

  const second = await bed.dispatch({ subscriber, annotations })
  await eventually(() => bed.engine.trouble('uid-1')?.reason === 'SubscriberGone', 'it to be gone')
  await bed.clock.advance(3_600_000)
  assert.deepEqual(
    subscriber.requests.slice(2).map(({ line }) => line),
    ['OPTIONS /'],
  )
  assert.equal(bed.gauge('knode_delivery_pending'), 1)
  await second[Symbol.asyncDispose]()

  isGone = false
  await bed.dispatch({ subscriber, annotations })
  await bed.until('delivered')
  assert.equal(subscriber.requests.at(-1)?.headers['ce-id'], '2')
})

test('410 of a subscriber that was not asked for consent is a failure like any other', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber((_request, count) => ({ status: count === 1 ? 410 : 200 }))
  await bed.dispatch({ subscriber })
  await bed.append(anEvent({ id: '1' }))
  await bed.append(anEvent({ id: '2' }))
  await bed.until('dropped')
  await bed.until('delivered')
  assert.deepEqual(bed.troubles, [])
})

test('a door of this process consents', async () => {
  await using bed = await aTestBed()
  bed.endpoints.set('shop.svc.cluster.local /', { kind: 'events', accept: () => Promise.resolve({ status: 202 }) })
  await bed.dispatch({ subscriber: { url: 'http://shop.svc.cluster.local/' }, annotations })
  await bed.append()
  await bed.until('delivered')
})

describe('the header consents, not the status', () => {
  const rows: [string, number, Record<string, string>, object][] = [
    ['the name', 200, { 'webhook-allowed-origin': 'shop.example.com' }, { kind: 'granted' }],
    ['the name in other case', 200, { 'webhook-allowed-origin': 'Shop.Example.COM' }, { kind: 'granted' }],
    ['any name', 200, { 'webhook-allowed-origin': '*' }, { kind: 'granted' }],
    ['any name with 404', 404, { 'webhook-allowed-origin': '*' }, { kind: 'granted' }],
    ['any rate', 200, { 'webhook-allowed-origin': '*', 'webhook-allowed-rate': '*' }, { kind: 'granted' }],
    [
      'a rate',
      200,
      { 'webhook-allowed-origin': '*', 'webhook-allowed-rate': '120' },
      { kind: 'granted', ratePerMinute: 120 },
    ],
    ['a rate of none', 200, { 'webhook-allowed-origin': '*', 'webhook-allowed-rate': '0' }, { kind: 'granted' }],
    [
      'another name',
      200,
      { 'webhook-allowed-origin': 'example.com' },
      { kind: 'refused', reason: 'allows only "example.com"' },
    ],
    ['a name, but it is gone', 410, { 'webhook-allowed-origin': '*' }, { kind: 'gone' }],
    ['no name', 200, {}, { kind: 'refused', reason: 'answered 200 without WebHook-Allowed-Origin' }],
  ]
  for (const [name, status, headers, reading] of rows) {
    test(name, () => {
      const answer = { kind: 'answer', status, headers, body: new Uint8Array(), bodyCut: false } as const
      assert.deepEqual(readConsent(answer, 'shop.example.com'), reading)
    })
  }

  test('no answer is no consent', () => {
    const reading = readConsent({ kind: 'no-answer', reason: 'refused' }, 'shop.example.com')
    assert.deepEqual(reading, { kind: 'refused', reason: 'refused' })
  })
})
