// When a consumer's events may go: filters, rates, pauses, bounds, dead subscribers.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FakeClock, settle } from '../../base/fake-clock.ts'
import { eventually } from '../../base/eventually.ts'
import { aGate, anEvent, aTestBed, eventIds } from './test-bed.ts'
import type { TestBed } from './test-bed.ts'

const ok = () => ({ status: 200 })

/** Every accepted event is in exactly one place, and there are `filtered` unwanted ones among them. */
function conserved(bed: TestBed, { accepted, filtered }: { accepted: number; filtered: number }): void {
  const ended = ['delivered', 'dead-lettered', 'dropped', 'expired'].map((name) => bed.outcome(name))
  const sum = ended.reduce((total, count) => total + count, filtered + bed.gauge('knode_delivery_pending'))
  assert.deepEqual([sum, bed.gauge('knode_delivery_accepted')], [accepted, accepted])
  assert.equal(bed.gauge('knode_delivery_filtered'), filtered)
}

test('only what passes the filters is sent; all is accounted for', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber((_request, count) => ({ status: count === 2 ? 400 : 200 }))
  await bed.dispatch({ subscriber, filters: [{ exact: { type: 'order' } }] })
  for (const type of ['order', 'bill', 'order', 'bill', 'order', 'order', 'bill']) await bed.append(anEvent({ type }))
  await bed.until('delivered', 3)
  await bed.until('dropped')
  assert.equal(subscriber.requests.length, 4)
  assert.equal(bed.facts.filter(({ what }) => what === 'filtered').length, 3)
  conserved(bed, { accepted: 7, filtered: 3 })
})

test('who watches is told which clause kept an event from a consumer, and which value', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(ok)
  await bed.dispatch({ subscriber, filters: [{ exact: { type: 'order' } }] })
  await bed.append(anEvent({ type: 'bill' }))
  await bed.until('filtered')
  const told = bed.facts.find(({ what }) => what === 'filtered')?.message ?? ''
  assert.match(told, /spec\.filters\[0\]\.exact\[type\]/)
  assert.match(told, /"bill"/)
})

test('filters see knativearrivaltime and not knativebrokerttl', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(ok)
  await bed.dispatch({ subscriber, filter: { attributes: { knativearrivaltime: '' } } })
  await bed.dispatch({ subscriber, consumer: 'uid-2', filter: { attributes: { knativebrokerttl: '' } } })
  await bed.append(anEvent({ knativebrokerttl: 255, knativearrivaltime: '2026-01-01T00:00:00Z' }))
  await bed.until('delivered')
  await bed.until('filtered')
  assert.equal(subscriber.requests.length, 1)
})

test('filters do not see knativebrokerttl however its name is written', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(ok)
  await bed.dispatch({ subscriber, filters: [{ cesql: 'EXISTS KnativeBrokerTTL' }] })
  await bed.append(anEvent({ knativebrokerttl: 255 }))
  await bed.until('filtered')
  assert.equal(subscriber.requests.length, 0)
})

test('a data filter that cannot be evaluated is false, and counted by reason', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(ok)
  await bed.dispatch({ subscriber, annotations: { 'knode.dev/data-filter': 'data.cups > 0' } })
  await bed.append(anEvent({ id: '1' }, 'no json'))
  await bed.append(anEvent({ id: '2' }))
  await bed.until('delivered')
  assert.equal(eventIds(subscriber.requests), '2')
  await bed.append(anEvent({ id: '3' }, '{"cups":"many"}'))
  await bed.until('filtered', 2)
  const faults = [...bed.metrics.prometheus().matchAll(/knode_filter_faults_total\{([^}]*)\} 1\n/g)].map(
    ([, labels]) => labels,
  )
  assert.equal(faults.length, 2)
  assert.equal(new Set(faults.map((labels) => /reason="([^"]+)"/.exec(labels!)?.[1])).size, 2)
  assert.ok(faults.every((labels) => labels!.includes('kind="trigger"') && labels!.includes('name="orders"')))
})

test('a slow subscriber holds up nobody else', async () => {
  await using bed = await aTestBed()
  const gate = aGate()
  const slow = await bed.subscriber(gate.answer)
  const quick = await bed.subscriber(ok)
  await bed.dispatch({ subscriber: slow })
  await bed.dispatch({ subscriber: quick, consumer: 'uid-2' })
  for (let count = 0; count < 300; count++) await bed.append(anEvent({ id: String(count) }))
  await bed.until('delivered', 300)
  assert.equal(quick.requests.length, 300)
  assert.equal(slow.requests.length, 100)
  gate.open()
  await bed.until('delivered', 600)
})

test('no more than max-in-flight are sent at once', async () => {
  await using bed = await aTestBed()
  const gate = aGate()
  const subscriber = await bed.subscriber(gate.answer)
  await bed.dispatch({ subscriber, annotations: { 'knode.dev/max-in-flight': '3' } })
  for (let count = 0; count < 10; count++) await bed.append()
  await eventually(() => subscriber.requests.length === 3, 'three requests')
  await settle()
  assert.equal(subscriber.requests.length, 3)
  gate.open()
  await bed.until('delivered', 10)
})

test('events that wait for the dead letter sink do not hold up the others', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(({ headers }) => ({ status: headers['ce-id'] === 'bad' ? 400 : 200 }))
  const sink = await bed.subscriber(() => ({ status: 503 }))
  const delivery = { retry: 3, backoffPolicy: 'linear', backoffDelay: 'PT1M' } as const
  await bed.dispatch({ subscriber, deadLetter: sink, delivery, annotations: { 'knode.dev/max-in-flight': '2' } })
  for (let count = 0; count < 5; count++) await bed.append(anEvent({ id: 'bad' }))
  await eventually(() => sink.requests.length === 5, 'five dead letters')
  await bed.append(anEvent({ id: 'good' }))
  await bed.until('delivered')
})

for (const annotations of [{}, { 'knode.dev/batch': '2' }, { 'knode.dev/ordering': 'subject' }]) {
  const which = Object.keys(annotations)[0] ?? 'neither batch nor order'
  test(`more events than may wait for the dead letter sink are not taken, which is told until there is room: ${which}`, async () => {
    const limits = { waitingMax: 5, batchedEventsMax: 4, inFlightMax: 2, batchWaitMs: 10 }
    const placesMax = 9
    await using bed = await aTestBed({ limits })
    const subscriber = await bed.subscriber(() => ({ status: 400 }))
    let isDown = true
    const sink = await bed.subscriber(() => ({ status: isDown ? 503 : 202 }))
    const delivery = { retry: 3, backoffPolicy: 'linear', backoffDelay: 'PT1M' } as const
    const spec = { subscriber, deadLetter: sink, delivery, annotations }
    const first = await bed.dispatch(spec)
    for (let id = 0; id < 40; id++) await bed.append(anEvent({ id: String(id), subject: String(id) }))
    const isTold = (): boolean => bed.troubles.length === 1
    await eventually(isTold, 'it to be told', { turn: () => bed.clock.advance(1) })
    const { reason, message } = bed.troubles[0]!.trouble!
    assert.equal(reason, 'TooManyEventsWait')
    assert.match(
      message,
      /fails: \d events wait for another try at their reply or dead letter, and no others are taken$/,
    )
    const { inFlight, lag } = bed.stream.info().consumers[0]!
    assert.ok(inFlight <= placesMax, `${inFlight} in hand`)
    assert.equal(lag, 40)
    await first[Symbol.asyncDispose]()
    assert.equal(bed.troubles.length, 1, 'to stop is not to take events again')
    await bed.dispatch(spec)
    await eventually(() => bed.troubles.length === 2, 'it to be told again', { turn: () => bed.clock.advance(1) })
    isDown = false
    const isThrough = (): boolean => bed.outcome('dead-lettered') === 40
    await eventually(isThrough, 'all dead letters', { turn: () => bed.clock.advance(1_000) })
    assert.equal(bed.troubles.at(-1)?.trouble, undefined)
    assert.equal(bed.engine.trouble('uid-1'), undefined)
  })
}

test('what waits already when a paused Trigger starts is not sent either', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(ok)
  await (await bed.dispatch({ subscriber }))[Symbol.asyncDispose]()
  for (let count = 0; count < 3; count++) await bed.append()
  const paused = await bed.dispatch({ subscriber, annotations: { 'knode.dev/paused': 'true' } })
  await bed.clock.advance(60_000)
  await paused[Symbol.asyncDispose]()
  assert.equal(subscriber.requests.length, 0)
  await bed.dispatch({ subscriber })
  await bed.until('delivered', 3)
  assert.equal(subscriber.requests.length, 3)
})

test('paused keeps events waiting; without it they are delivered', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(ok)
  const paused = await bed.dispatch({ subscriber, annotations: { 'knode.dev/paused': 'true' } })
  await bed.append()
  await settle()
  assert.equal(subscriber.requests.length, 0)
  assert.equal(bed.gauge('knode_delivery_pending'), 1)
  assert.equal(bed.stream.info().consumers[0]?.inFlight, 0)
  await paused[Symbol.asyncDispose]()
  await bed.dispatch({ subscriber })
  await bed.until('delivered')
})

test('a rate spreads the tries', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(ok)
  await bed.dispatch({ subscriber, annotations: { 'knode.dev/rate': '2/s' } })
  for (let count = 0; count < 5; count++) await bed.append()
  for (let sent = 1; sent <= 5; sent++) {
    await bed.until('delivered', sent)
    await settle()
    assert.equal(subscriber.requests.length, sent)
    await bed.clock.advance(500)
  }
})

test('what is too old expires, also between retries', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(() => ({ status: 500 }))
  const delivery = { retry: 10, backoffPolicy: 'linear', backoffDelay: 'PT1S' } as const
  await bed.dispatch({ subscriber, delivery, annotations: { 'knode.dev/expire-after': 'PT2S' } })
  await bed.append()
  await bed.until('retrying', 1)
  await bed.clock.advance(1_000)
  await bed.until('retrying', 2)
  await bed.clock.advance(2_000)
  const { message } = await bed.until('dropped')
  assert.equal(message, 'expired: 3000 ms old')
  assert.equal(subscriber.requests.length, 2)
  conserved(bed, { accepted: 1, filtered: 0 })
})

test('what a subscriber says in Retry-After is waited for, up to retryAfterMax, and not without that', async () => {
  const delivery = { retry: 1, backoffPolicy: 'linear', backoffDelay: 'PT1S' } as const
  const rows: [retryAfterMax: string | undefined, said: string, waitMs: number][] = [
    [undefined, '5', 1_000],
    ['PT10S', '5', 5_000],
    ['PT10S', '3600', 10_000],
    ['PT10S', 'Thu, 01 Jan 2026 00:00:04 GMT', 4_000],
  ]
  for (const [retryAfterMax, said, waitMs] of rows) {
    await using bed = await aTestBed()
    const tired = { status: 429, headers: { 'Retry-After': said } }
    const subscriber = await bed.subscriber((_request, count) => (count === 1 ? tired : { status: 200 }))
    await bed.dispatch({ subscriber, delivery: { ...delivery, ...(retryAfterMax && { retryAfterMax }) } })
    await bed.append()
    await bed.until('retrying')
    await bed.clock.advance(waitMs - 1)
    assert.equal(subscriber.requests.length, 1, said)
    await bed.clock.advance(1)
    await bed.until('delivered')
  }
})

test("each try is measured by Knative's names, one that was held back is not", async () => {
  await using bed = await aTestBed({ limits: { circuitTriesMin: 1, circuitOpensAfterMs: 0 } })
  const subscriber = await bed.subscriber((_request, count) =>
    count < 2 ? { bytes: '', after: 'close' } : { status: 202 },
  )
  await bed.dispatch({ subscriber, delivery: { retry: 2 } })
  await bed.append()
  await bed.until('retrying', 1)
  await eventually(async () => {
    await bed.clock.advance(1_000)
    return bed.facts.some(({ what }) => what === 'delivered')
  }, 'the last try')
  const labels =
    'messaging_system="knative",messaging_operation_name="send",messaging_destination_name="trigger:orders.default"'
  const text = bed.metrics.prometheus()
  const count = (name: string, more: string): string | undefined =>
    text
      .split('\n')
      .find((line) => line.startsWith(`${name}_seconds_count{${labels}${more}}`))
      ?.split(' ')
      .at(-1)
  assert.equal(count('kn_eventing_dispatch_duration', ',cloudevents_type="order",error_type="closed"'), '1')
  assert.equal(count('kn_eventing_dispatch_duration', ',cloudevents_type="order",http_response_status_code="202"'), '1')
  assert.equal(count('kn_eventing_process_duration', ''), '1')
  assert.match(text, /knode_delivery_retries_total\{kind="trigger",namespace="default",name="orders"\} 2\n/)
})

test('a clock that was set back since an event came makes no time of less than nothing', async () => {
  const before = new FakeClock()
  await using bed = await aTestBed({
    clock: {
      now: () => bed.clock.now() - 60_000,
      monotonicMs: () => before.monotonicMs(),
      setTimer: (delayMs, fire) => before.setTimer(delayMs, fire),
    },
  })
  const subscriber = await bed.subscriber(ok)
  await bed.dispatch({ subscriber })
  await bed.append()
  await bed.until('delivered')
  assert.match(bed.metrics.prometheus(), /^kn_eventing_process_duration_seconds_sum\{[^}]*\} 0$/m)
})

describe('a subscriber that does not answer at all', () => {
  const limits = { circuitTriesMin: 3, circuitOpensAfterMs: 2_000, circuitProbeMs: 10_000 }
  const delivery = { retry: 4, backoffPolicy: 'linear', backoffDelay: 'PT1S' } as const

  test('is told, tried less, still gets every last try, and is found alive again', async () => {
    await using bed = await aTestBed({ limits })
    let isDead = true
    const subscriber = await bed.subscriber(() => (isDead ? { bytes: '', after: 'close' } : { status: 200 }))
    await bed.dispatch({ subscriber, delivery })
    await bed.append(anEvent({ id: 'a' }))
    await bed.until('retrying', 1)
    await bed.clock.advance(1_000)
    await bed.until('retrying', 2)
    await bed.clock.advance(2_000)
    await bed.until('retrying', 3)
    assert.deepEqual(
      bed.troubles.map(({ url, trouble }) => [url, trouble?.reason]),
      [[subscriber.url, 'SubscriberDoesNotAnswer']],
    )
    assert.equal(bed.engine.trouble('uid-1')?.message, `${subscriber.url} does not answer: other side closed`)
    // The fourth try is held back, the fifth is the last and goes out.
    await bed.clock.advance(4_000)
    const { message } = await bed.until('retrying', 4)
    assert.match(String(message), /not tried, the subscriber does not answer/)
    assert.equal(subscriber.requests.length, 3)
    await bed.clock.advance(4_000)
    await bed.until('dropped')
    assert.equal(subscriber.requests.length, 4)
    isDead = false
    await bed.clock.advance(10_000)
    await bed.append(anEvent({ id: 'b' }))
    await bed.until('delivered')
    assert.deepEqual([bed.troubles.at(-1)?.trouble, bed.engine.trouble('uid-1')], [undefined, undefined])
  })

  test('lets those that are held back pass few at a time', async () => {
    await using bed = await aTestBed({ limits: { ...limits, circuitTriesMin: 1, circuitOpensAfterMs: 0 } })
    const subscriber = await bed.subscriber(() => ({ bytes: '', after: 'close' }))
    const annotations = { 'knode.dev/max-in-flight': '2' }
    await bed.dispatch({
      subscriber,
      annotations,
      delivery: { retry: 2, backoffPolicy: 'linear', backoffDelay: 'PT1H' },
    })
    await bed.append()
    await bed.until('retrying', 1)
    for (let at = 0; at < 8; at++) await bed.append(anEvent({ id: String(at) }))
    const heldBack = (): number => bed.facts.filter(({ message }) => message?.startsWith('not tried') === true).length
    for (let passed = 0; passed < 8; passed += 2) {
      assert.equal(heldBack(), passed)
      await bed.clock.advance(1_000)
      await eventually(
        () => heldBack() >= passed + 2,
        () => `${passed + 2} to have passed`,
      )
    }
    assert.equal(heldBack(), 8)
    assert.equal(subscriber.requests.length, 1)
  })

  test('counts as alive with whatever it answers first', async () => {
    await using bed = await aTestBed({ limits: { ...limits, circuitTriesMin: 1, circuitOpensAfterMs: 0 } })
    const subscriber = await bed.subscriber((_request, count) =>
      count === 1 ? { bytes: '', after: 'close' } : { status: 500 },
    )
    await bed.dispatch({ subscriber, delivery: { retry: 1, backoffPolicy: 'linear', backoffDelay: 'PT10S' } })
    await bed.append()
    await bed.until('retrying')
    assert.equal(bed.engine.trouble('uid-1')?.reason, 'SubscriberDoesNotAnswer')
    await bed.clock.advance(10_000)
    await bed.until('dropped')
    assert.equal(bed.engine.trouble('uid-1'), undefined)
  })

  test('is not taken for one that answers 503', async () => {
    await using bed = await aTestBed({ limits: { circuitTriesMin: 1, circuitOpensAfterMs: 0 } })
    const subscriber = await bed.subscriber(() => ({ status: 503 }))
    await bed.dispatch({ subscriber, delivery: { retry: 20 } })
    await bed.append()
    await bed.until('dropped')
    assert.equal(subscriber.requests.length, 21)
    assert.deepEqual(bed.troubles, [])
  })
})
