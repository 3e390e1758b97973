// What a consumer keeps when it is stopped, started again, or forgotten.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../../base/eventually.ts'
import { FakeClock } from '../../base/fake-clock.ts'
import { releaseMemory } from '../../base/memory.ts'
import { aGate, anEvent, aTestBed, eventIds } from './test-bed.ts'

const ok = () => ({ status: 200 })

test('lets what is being sent finish, and takes no more', async () => {
  await using bed = await aTestBed()
  const gate = aGate()
  const subscriber = await bed.subscriber(gate.answer)
  const dispatching = await bed.dispatch({ subscriber, annotations: { 'knode.dev/max-in-flight': '1' } })
  await bed.append(anEvent({ id: '1' }))
  await bed.append(anEvent({ id: '2' }))
  await eventually(() => subscriber.requests.length === 1, 'the first request')
  const stopping = dispatching[Symbol.asyncDispose]()
  gate.open()
  await stopping
  assert.equal(bed.outcome('delivered'), 1)
  await bed.dispatch({ subscriber })
  await bed.until('delivered', 2)
  assert.equal(eventIds(subscriber.requests), '1 2')
})

test('cuts what does not finish in time and delivers it again later', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber((_request, count) =>
    count === 1 ? { bytes: '', after: 'silence' } : { status: 200 },
  )
  const dispatching = await bed.dispatch({ subscriber })
  await bed.append()
  await eventually(() => subscriber.requests.length === 1, 'the first request')
  const stopping = dispatching[Symbol.asyncDispose]()
  await bed.clock.advance(5_000)
  await stopping
  await bed.dispatch({ subscriber })
  const { attempt } = await bed.until('delivered')
  assert.equal(attempt, 1)
  assert.equal(
    bed.facts.some(({ what }) => what === 'retrying' || what === 'dropped'),
    false,
  )
})

for (const what of ['reply', 'dead letter'] as const) {
  test(`a ${what} that is cut is no failed one: the event is delivered again later`, async () => {
    await using bed = await aTestBed()
    const event = { 'ce-specversion': '1.0', 'ce-id': 'r', 'ce-source': '/kitchen', 'ce-type': 'served' }
    const subscriber = await bed.subscriber(() =>
      what === 'reply' ? { status: 200, headers: event } : { status: 400 },
    )
    let hangs = true
    const target = await bed.subscriber(() => (hangs ? { bytes: '', after: 'silence' } : { status: 202 }))
    const spec = { subscriber, ...(what === 'reply' ? { reply: target } : { deadLetter: target }) }
    const dispatching = await bed.dispatch(spec)
    await bed.append()
    await eventually(() => target.requests.length === 1, `the ${what}`)
    const stopping = dispatching[Symbol.asyncDispose]()
    await bed.clock.advance(5_000)
    await stopping
    assert.deepEqual([bed.giveUps, bed.outcome('dropped')], [[], 0])
    assert.equal(bed.stream.info().consumers[0]!.lag, 1)
    hangs = false
    await bed.dispatch(spec)
    await bed.until(what === 'reply' ? 'delivered' : 'dead-lettered')
    assert.deepEqual([subscriber.requests.length, target.requests.length], [2, 2])
  })
}

test('what waits for another try at its dead letter when delivery stops is not tried any more, and comes again later', async () => {
  await using bed = await aTestBed()
  const gate = aGate()
  const subscriber = await bed.subscriber(({ headers }) => (headers['ce-id'] === 'a' ? { status: 400 } : gate.answer()))
  const sink = await bed.subscriber((_request, count) => ({ status: count === 1 ? 503 : 202 }))
  const delivery = { retry: 3, backoffPolicy: 'linear', backoffDelay: 'PT1H' } as const
  const dispatching = await bed.dispatch({ subscriber, deadLetter: sink, delivery })
  await bed.append(anEvent({ id: 'a' }))
  await bed.append(anEvent({ id: 'b' }))
  // Those of the stream, of what is being sent, and of the wait.
  await eventually(() => sink.requests.length === 1 && bed.clock.pendingTimers === 3, 'the wait')
  const stopping = dispatching[Symbol.asyncDispose]()
  gate.open()
  await stopping
  assert.deepEqual([bed.giveUps, bed.stream.info().consumers[0]!.lag, sink.requests.length], [[], 1, 1])
  await bed.dispatch({ subscriber, deadLetter: sink, delivery })
  await bed.until('dead-lettered')
  assert.equal(eventIds(sink.requests), 'a a')
})

test('keeps the count and the time of a retry', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber((_request, count) => ({ status: count < 3 ? 500 : 200 }))
  const delivery = { retry: 2, backoffPolicy: 'linear', backoffDelay: 'PT10S' } as const
  const dispatching = await bed.dispatch({ subscriber, delivery })
  await bed.append()
  await bed.until('retrying')
  await dispatching[Symbol.asyncDispose]()
  await bed.dispatch({ subscriber, delivery })
  await bed.clock.advance(9_999)
  assert.equal(subscriber.requests.length, 1)
  await bed.clock.advance(1)
  await bed.until('retrying', 2)
  await bed.clock.advance(20_000)
  const { attempt } = await bed.until('delivered')
  assert.equal(attempt, 3)
})

test('in order, too: the head of each key waits out its time with its count, and nobody of its key overtakes it', async () => {
  await using bed = await aTestBed()
  let isSick = true
  const subscriber = await bed.subscriber(({ headers }) => ({
    status: isSick && headers['ce-subject'] === 'a' ? 500 : 200,
  }))
  const delivery = { retry: 3, backoffPolicy: 'linear', backoffDelay: 'PT10S' } as const
  const annotations = { 'knode.dev/ordering': 'subject' }
  const dispatching = await bed.dispatch({ subscriber, delivery, annotations })
  for (const id of ['a1', 'a2', 'b1', 'a3']) await bed.append(anEvent({ id, subject: id[0]! }))
  await bed.until('retrying')
  await bed.clock.advance(10_000)
  await bed.until('retrying', 2)
  await bed.until('delivered')
  await dispatching[Symbol.asyncDispose]()
  subscriber.requests.length = 0
  isSick = false

  await bed.clock.advance(5_000)
  await bed.dispatch({ subscriber, delivery, annotations })
  await bed.append(anEvent({ id: 'b2', subject: 'b' }))
  await bed.append(anEvent({ id: 'a4', subject: 'a' }))
  await bed.until('delivered', 2)
  await bed.clock.advance(14_999)
  assert.equal(eventIds(subscriber.requests), 'b2')
  await bed.clock.advance(1)
  await bed.until('delivered', 6)
  assert.equal(eventIds(subscriber.requests), 'b2 a1 a2 a3 a4')
  const { attempt } = bed.facts.find(({ what, event }) => what === 'delivered' && event.attributes.get('id') === 'a1')!
  assert.equal(attempt, 3)
})

test('in order, events without the attribute keep count and time of a retry as well', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber((_request, count) => ({ status: count < 3 ? 500 : 200 }))
  const delivery = { retry: 2, backoffPolicy: 'linear', backoffDelay: 'PT10S' } as const
  const annotations = { 'knode.dev/ordering': 'subject' }
  const dispatching = await bed.dispatch({ subscriber, delivery, annotations })
  await bed.append()
  await bed.until('retrying')
  await dispatching[Symbol.asyncDispose]()
  await bed.dispatch({ subscriber, delivery, annotations })
  await bed.clock.advance(9_999)
  assert.equal(subscriber.requests.length, 1)
  await bed.clock.advance(1)
  await bed.until('retrying', 2)
  await bed.clock.advance(20_000)
  const { attempt } = await bed.until('delivered')
  assert.equal(attempt, 3)
})

test('in order, an event whose time comes in the very moment in which it is put aside is delivered', async () => {
  // Between two looks at the clock it ticks: the stream's shows a millisecond more than the dispatcher's.
  const late = new FakeClock()
  await using bed = await aTestBed({
    clock: {
      now: () => bed.clock.now() - 1,
      monotonicMs: () => late.monotonicMs(),
      setTimer: (delayMs, fire) => late.setTimer(delayMs, fire),
    },
  })
  const subscriber = await bed.subscriber((_request, count) => ({ status: count < 3 ? 500 : 200 }))
  const delivery = { retry: 2, backoffPolicy: 'linear', backoffDelay: 'PT10S' } as const
  const annotations = { 'knode.dev/ordering': 'subject' }
  const dispatching = await bed.dispatch({ subscriber, delivery, annotations })
  await bed.append(anEvent({ subject: 'a' }))
  await bed.append()
  await bed.until('retrying', 2)
  await dispatching[Symbol.asyncDispose]()
  await bed.clock.advance(10_000)
  await bed.dispatch({ subscriber, delivery, annotations })
  await bed.until('delivered', 2)
})

test('events that come while a consumer is stopped wait for it, and its new filter decides', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(ok)
  const first = await bed.dispatch({ subscriber, filters: [{ exact: { type: 'order' } }] })
  await bed.dispatch({ subscriber, consumer: 'uid-2', filters: [{ exact: { type: 'nothing' } }] })
  await first[Symbol.asyncDispose]()
  await bed.append(anEvent({ id: '1', type: 'order' }))
  await bed.append(anEvent({ id: '2', type: 'bill' }))
  await bed.dispatch({ subscriber, filters: [{ exact: { type: 'bill' } }] })
  await bed.until('delivered')
  assert.equal(eventIds(subscriber.requests), '2')
})

test('disposing twice is fine, and a forgotten consumer starts anew', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(ok)
  const dispatching = await bed.dispatch({ subscriber, filters: [{ exact: { type: 'nothing' } }] })
  await dispatching[Symbol.asyncDispose]()
  await dispatching[Symbol.asyncDispose]()
  await bed.engine.forget('shop', 'uid-1')
  await bed.dispatch({ subscriber, consumer: 'uid-2', filters: [{ exact: { type: 'nothing' } }] })
  await bed.append(anEvent({ id: 'old' }))
  assert.equal(bed.facts.filter(({ what }) => what === 'filtered').length, 1)
  await bed.dispatch({ subscriber })
  await bed.append(anEvent({ id: 'new' }))
  await bed.until('delivered')
  assert.equal(eventIds(subscriber.requests), 'new')
})

test('one consumer cannot be delivered twice at a time', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(ok)
  await bed.dispatch({ subscriber })
  await assert.rejects(bed.dispatch({ subscriber }), { code: 'CONFLICT' })
})

test('a consumer that comes while the only other one is forgotten gets its events, and keeps getting them', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(ok)
  const going = await bed.dispatch({ subscriber, consumer: 'going' })
  await going[Symbol.asyncDispose]()
  await Promise.all([bed.engine.forget('shop', 'going'), bed.dispatch({ subscriber, consumer: 'coming' })])
  await bed.dispatch({ subscriber, consumer: 'last', filters: [{ exact: { type: 'other' } }] })
  await bed.append(anEvent({ id: '1' }))
  await bed.until('delivered')
  assert.equal(eventIds(subscriber.requests), '1')
})

test('nothing is kept of a stream that is gone', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(ok)
  const stream = new WeakRef(await bed.transport.ensureStream('gone'))
  await (await bed.dispatch({ subscriber, stream: 'gone' }))[Symbol.asyncDispose]()
  await bed.transport.deleteStream('gone')
  const isCollected = (): boolean => {
    releaseMemory()
    return stream.deref() === undefined
  }
  await eventually(isCollected, 'the stream to be collected', { patienceMs: 5_000 })
})
