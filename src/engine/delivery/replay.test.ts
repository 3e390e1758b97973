// Replays: what is sent again, to whom, by which rules, and what they leave alone.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settle } from '../../base/fake-clock.ts'
import type { Replay, ReplayOptions } from './replay.ts'
import { eventually } from '../../base/eventually.ts'
import { aGate, anEvent, aTestBed, eventIds } from './test-bed.ts'
import type { TestBed } from './test-bed.ts'

const ok = () => ({ status: 200 })
const replay = (bed: TestBed, options: Partial<ReplayOptions> = {}): Replay =>
  bed.engine.replay('uid-1', { id: 'r1', from: 'earliest', ...options })

async function appendMany(bed: TestBed, count: number, attributes = {}): Promise<void> {
  for (let id = 0; id < count; id++) await bed.append(anEvent({ id: String(id), ...attributes }))
}

/** Moves time on until the replay has ended. */
async function ended(bed: TestBed, running: Replay): Promise<unknown> {
  const seen: unknown[] = []
  void running.run().then((end) => seen.push(end))
  for (let turn = 0; seen.length === 0 && turn < 2_000; turn++) {
    await bed.clock.advance(100)
    await settle(1)
  }
  return seen[0]
}

test('stored events that match go once more to this subscriber only, marked by the replay’s id', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(ok)
  const other = await bed.subscriber(ok)
  await bed.dispatch({ subscriber, filter: { attributes: { type: 'order' } } })
  await bed.dispatch({ subscriber: other, consumer: 'uid-2' })
  for (const type of ['order', 'bill', 'order']) await bed.append(anEvent({ type, knativebrokerttl: 9 }))
  await bed.until('delivered', 5)
  const before = bed.stream.info().consumers
  const running = replay(bed)
  assert.deepEqual(await running.run(), { kind: 'done' })
  assert.deepEqual(running.counts, { read: 3, missing: 0, matched: 2, delivered: 2, deadLettered: 0, dropped: 0 })
  assert.deepEqual(bed.stream.info().consumers, before)
  assert.deepEqual([subscriber.requests.length, other.requests.length], [4, 3])
  const marks = subscriber.requests.map(({ headers }) => headers['ce-knodereplay'])
  assert.deepEqual(marks, [undefined, undefined, 'r1', 'r1'])
  assert.equal(subscriber.requests[3]!.headers['ce-knativebrokerttl'], undefined)
})

test('live counters stay conserved: a replay has its own', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(ok)
  await bed.dispatch({ subscriber })
  await appendMany(bed, 3)
  await bed.until('delivered', 3)
  await replay(bed).run()
  assert.deepEqual([bed.outcome('delivered'), bed.gauge('knode_delivery_accepted')], [3, 3])
  assert.match(bed.metrics.prometheus(), /knode_replay_events_total\{[^}]*outcome="delivered"[^}]*\} 3\n/)
})

test('from, until and limit say which events', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(ok)
  await bed.dispatch({ subscriber })
  const startMs = bed.clock.now()
  for (let id = 0; id < 6; id++) {
    await bed.append(anEvent({ id: String(id) }))
    await bed.clock.advance(1_000)
  }
  await bed.until('delivered', 6)
  const rows: [Partial<ReplayOptions>, string][] = [
    [{ from: { timeMs: startMs + 2_000 } }, '2 3 4 5'],
    [{ from: { timeMs: startMs + 2_000 }, untilMs: startMs + 4_000 }, '2 3'],
    [{ limit: 2 }, '0 1'],
    [{ from: { offset: 5 } }, '5'],
    [{ from: { timeMs: startMs + 60_000 } }, ''],
  ]
  for (const [options, expected] of rows) {
    subscriber.requests.length = 0
    await replay(bed, options).run()
    assert.equal(eventIds(subscriber.requests), expected)
  }
})

test('what fails is retried and dead-lettered as the Trigger says, with the mark; replies go on, hops kept', async () => {
  await using bed = await aTestBed()
  let isLive = true
  const replyHeaders = { 'ce-specversion': '1.0', 'ce-id': 'answer', 'ce-source': '/s', 'ce-type': 'answered' }
  const subscriber = await bed.subscriber(({ headers }) => {
    if (isLive) return { status: 200 }
    return headers['ce-id'] === '0' ? { status: 503 } : { status: 200, headers: replyHeaders }
  })
  const sink = await bed.subscriber(ok)
  const broker = await bed.subscriber(ok)
  const delivery = { retry: 2, backoffPolicy: 'linear', backoffDelay: 'PT1S' } as const
  await bed.dispatch({ subscriber, deadLetter: sink, reply: broker, delivery })
  await appendMany(bed, 2, { knativebrokerttl: 7 })
  await bed.until('delivered', 2)
  isLive = false
  const running = replay(bed)
  assert.deepEqual(await ended(bed, running), { kind: 'done' })
  assert.deepEqual(running.counts, { read: 2, missing: 0, matched: 2, delivered: 1, deadLettered: 1, dropped: 0 })
  assert.equal(subscriber.requests.filter(({ headers }) => headers['ce-id'] === '0').length, 1 + 3)
  assert.deepEqual(
    sink.requests.map(({ headers }) => [headers['ce-id'], headers['ce-knativeerrorcode'], headers['ce-knodereplay']]),
    [['0', '503', 'r1']],
  )
  assert.deepEqual(
    broker.requests.map(({ headers }) => [headers['ce-type'], headers['ce-knativebrokerttl']]),
    [['answered', '7']],
  )
})

test('no more than max-in-flight are sent at once, and a rate is kept', async () => {
  await using bed = await aTestBed()
  const gate = aGate()
  let isLive = true
  const subscriber = await bed.subscriber(() => (isLive ? { status: 200 } : gate.answer()))
  await bed.dispatch({ subscriber, annotations: { 'knode.dev/max-in-flight': '2' } })
  await appendMany(bed, 6)
  await bed.until('delivered', 6)
  isLive = false
  const running = replay(bed)
  await eventually(() => subscriber.requests.length === 8, 'two replayed')
  await settle(20)
  assert.equal(subscriber.requests.length, 8)
  gate.open()
  await running.run()
  assert.equal(running.counts.delivered, 6)

  const paced = replay(bed, { ratePerSecond: 1 })
  await eventually(() => paced.counts.delivered === 1, 'the first')
  await settle(20)
  assert.equal(paced.counts.delivered, 1)
  for (let count = 2; count <= 6; count++) {
    await bed.clock.advance(999)
    assert.equal(subscriber.requests.length, 12 + count - 1)
    await bed.clock.advance(1)
    await eventually(() => paced.counts.delivered === count, `${count} replayed`)
  }
  assert.deepEqual(await paced.run(), { kind: 'done' })
})

test('the consumer’s own rate is the upper limit', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(ok)
  await appendMany(bed, 3)
  await bed.dispatch({ subscriber, annotations: { 'knode.dev/rate': '1/s' } })
  const running = replay(bed, { ratePerSecond: 1_000 })
  await eventually(() => running.counts.delivered === 1, 'the first')
  await settle(20)
  assert.equal(running.counts.delivered, 1)
  assert.deepEqual(await ended(bed, running), { kind: 'done' })
})

test('events of one key stay in order, also over a retry, and hold up no other key', async () => {
  await using bed = await aTestBed()
  let failures = 0
  const subscriber = await bed.subscriber(({ headers }) =>
    headers['ce-id'] === '0' && headers['ce-knodereplay'] && failures++ === 0 ? { status: 500 } : { status: 200 },
  )
  const delivery = { retry: 1, backoffPolicy: 'linear', backoffDelay: 'PT1S' } as const
  await bed.dispatch({ subscriber, delivery, annotations: { 'knode.dev/ordering': 'subject' } })
  for (const [id, subject] of ['a', 'a', 'b', 'a', 'b'].entries()) await bed.append(anEvent({ id: `${id}`, subject }))
  await bed.until('delivered', 5)
  const running = replay(bed)
  await ended(bed, running)
  const replayed = subscriber.requests.filter(({ headers }) => headers['ce-knodereplay'])
  const of = (subject: string) => eventIds(replayed.filter(({ headers }) => headers['ce-subject'] === subject))
  assert.deepEqual([of('a'), of('b')], ['0 0 1 3', '2 4'])
  assert.equal(replayed.at(-1)!.headers['ce-subject'], 'a')
})

test('a failing key with more events than are held in memory holds up no other key of a replay', async () => {
  await using bed = await aTestBed({ limits: { inFlightMax: 2, waitingMax: 20, heldPerKeyMax: 3 } })
  let failures = 0
  const subscriber = await bed.subscriber(({ headers }) =>
    headers['ce-subject'] === 'a' && headers['ce-knodereplay'] && failures++ < 2 ? { status: 500 } : { status: 200 },
  )
  const delivery = { retry: 3, backoffPolicy: 'linear', backoffDelay: 'PT10S' } as const
  await bed.dispatch({ subscriber, delivery, annotations: { 'knode.dev/ordering': 'subject' } })
  const ids = Array.from({ length: 100 }, (_, index) => String(index))
  for (const id of ids) await bed.append(anEvent({ id, subject: id === '99' ? 'b' : 'a' }))
  await bed.until('delivered', 100)
  const running = replay(bed)
  const end = running.run()
  const replayed = () => subscriber.requests.filter(({ headers }) => headers['ce-knodereplay'])
  await eventually(() => replayed().some(({ headers }) => headers['ce-subject'] === 'b'), 'the other key')
  assert.ok(replayed().length <= 2, 'the failing key waits')
  await bed.clock.advance(30_000)
  assert.deepEqual(await end, { kind: 'done' })
  const ofA = replayed().filter(({ headers }) => headers['ce-subject'] === 'a')
  assert.equal(eventIds(ofA), `0 0 ${ids.slice(0, 99).join(' ')}`)
  assert.equal(running.counts.delivered, 100)
})

test('a dead subscriber ends nothing, and live delivery keeps its own judgement of it', async () => {
  await using bed = await aTestBed()
  let isLive = true
  const subscriber = await bed.subscriber(() => (isLive ? { status: 200 } : { bytes: '', after: 'close' }))
  const delivery = { retry: 20, backoffPolicy: 'linear', backoffDelay: 'PT0.5S' } as const
  await bed.dispatch({ subscriber, delivery })
  await appendMany(bed, 2)
  await bed.until('delivered', 2)
  isLive = false
  const running = replay(bed)
  assert.deepEqual(await ended(bed, running), { kind: 'done' })
  assert.deepEqual([running.counts.dropped, bed.giveUps.length], [2, 2])
  assert.deepEqual([bed.troubles, bed.engine.trouble('uid-1')], [[], undefined])
})

test('stopped, it takes no more, lets what is being sent finish, and says what was not done', async () => {
  await using bed = await aTestBed()
  const gate = aGate()
  let isLive = true
  const subscriber = await bed.subscriber(() => (isLive ? { status: 200 } : gate.answer()))
  await bed.dispatch({ subscriber, annotations: { 'knode.dev/max-in-flight': '2' } })
  await appendMany(bed, 5)
  await bed.until('delivered', 5)
  isLive = false
  const running = replay(bed)
  await eventually(() => subscriber.requests.length === 7, 'two being sent')
  running.stop('the client went away')
  gate.open()
  assert.deepEqual(await running.run(), { kind: 'stopped', reason: 'the client went away' })
  assert.deepEqual([running.counts.matched, running.counts.delivered], [2, 2])
  assert.equal(subscriber.requests.length, 7)
})

test('stopped, it cuts what hangs after a while', async () => {
  await using bed = await aTestBed()
  let isLive = true
  const subscriber = await bed.subscriber(() => (isLive ? { status: 200 } : { bytes: '', after: 'silence' }))
  await bed.dispatch({ subscriber })
  await appendMany(bed, 1)
  await bed.until('delivered', 1)
  isLive = false
  const running = replay(bed)
  await eventually(() => subscriber.requests.length === 2, 'one being sent')
  running.stop('enough')
  assert.deepEqual(await ended(bed, running), { kind: 'stopped', reason: 'enough' })
  assert.equal(running.counts.delivered + running.counts.dropped, 0)
})

test('it ends with the dispatch it belongs to', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(ok)
  await appendMany(bed, 3)
  const dispatch = await bed.dispatch({ subscriber })
  const running = replay(bed, { ratePerSecond: 1 })
  await eventually(() => running.counts.delivered === 1, 'the first')
  await dispatch[Symbol.asyncDispose]()
  const reason = 'the subscriber, its filters or its delivery changed'
  assert.deepEqual(await running.run(), { kind: 'stopped', reason })
  assert.throws(() => replay(bed), { code: 'NOT_FOUND' })
})

test('one at a time for a consumer, and none while it is paused', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(ok)
  await appendMany(bed, 2)
  await bed.dispatch({ subscriber })
  await bed.dispatch({ subscriber, consumer: 'paused', annotations: { 'knode.dev/paused': 'true' } })
  const first = replay(bed, { ratePerSecond: 1 })
  assert.throws(() => replay(bed, { id: 'r2' }), {
    code: 'CONFLICT',
    message: /default\/orders" has a replay already: r1/,
  })
  first.stop('enough')
  await ended(bed, first)
  await replay(bed, { id: 'r2' }).run()
  assert.throws(() => bed.engine.replay('paused', { id: 'r3', from: 'earliest' }), { code: 'CONFLICT' })
})

test('events that are gone are counted, and a stream that cannot be read fails the replay', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(ok)
  await appendMany(bed, 6)
  await bed.dispatch({ subscriber })
  const read = bed.stream.read.bind(bed.stream)
  bed.stream.read = async function* (from) {
    for await (const stored of read(from)) if (stored.offset !== 2 && stored.offset !== 3) yield stored
  }
  const running = replay(bed)
  await running.run()
  assert.deepEqual([running.counts.read, running.counts.missing, running.counts.delivered], [4, 2, 4])
  bed.stream.read = async function* (from) {
    for await (const stored of read(from)) {
      if (stored.offset === 2) throw new Error('the disk is broken')
      yield stored
    }
  }
  const failing = replay(bed)
  assert.deepEqual(await failing.run(), { kind: 'failed', reason: 'the disk is broken' })
  assert.ok(failing.counts.delivered <= 2)
})

test('batches are batches again, and old events do not expire', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(ok)
  const annotations = { 'knode.dev/batch': '3/PT1S', 'knode.dev/expire-after': 'PT1H' }
  await bed.dispatch({ subscriber, annotations })
  await appendMany(bed, 3)
  await bed.until('delivered', 3)
  await bed.clock.advance(7_200_000)
  const running = replay(bed)
  assert.deepEqual(await ended(bed, running), { kind: 'done' })
  assert.equal(running.counts.delivered, 3)
  assert.equal(subscriber.requests.length, 2)
  const batch = JSON.parse(subscriber.requests[1]!.body) as Record<string, unknown>[]
  assert.deepEqual(
    batch.map(({ id, knodereplay }) => [id, knodereplay]),
    [
      ['0', 'r1'],
      ['1', 'r1'],
      ['2', 'r1'],
    ],
  )
})

test('a subscriber that does not consent gets nothing, and the replay says why', async () => {
  await using bed = await aTestBed()
  const subscriber = await bed.subscriber(ok)
  await appendMany(bed, 1)
  await bed.dispatch({ subscriber, annotations: { 'knode.dev/webhook-origin': 'shop.example.com' } })
  const end = await ended(bed, replay(bed))
  assert.match(JSON.stringify(end), /stopped.*does not allow events from shop\.example\.com/)
  assert.deepEqual([...new Set(subscriber.requests.map(({ line }) => line.split(' ')[0]))], ['OPTIONS'])
})

test('a long tail of failing events does not hold up those behind it, and memory is bounded', async () => {
  await using bed = await aTestBed({ limits: { waitingMax: 3 } })
  let isLive = true
  const subscriber = await bed.subscriber(({ headers }) => ({
    status: !isLive && headers['ce-type'] === 'bad' ? 500 : 200,
  }))
  const delivery = { retry: 1, backoffPolicy: 'linear', backoffDelay: 'PT10S' } as const
  await bed.dispatch({ subscriber, delivery, annotations: { 'knode.dev/max-in-flight': '1' } })
  for (const type of 'bad bad good bad bad bad good'.split(' ')) await bed.append(anEvent({ type }))
  await bed.until('delivered', 7)
  isLive = false
  const running = replay(bed)
  await eventually(() => running.counts.matched === 5, 'as much as may wait')
  await settle(20)
  assert.deepEqual([running.counts.matched, running.counts.delivered], [5, 1])
  assert.deepEqual(await ended(bed, running), { kind: 'done' })
  assert.deepEqual([running.counts.delivered, running.counts.dropped], [2, 5])
})
