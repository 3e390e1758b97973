// What Brokers and channels do with an event before they store it, and what they answer.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { settle } from '../../base/fake-clock.ts'
import { KnodeError } from '../../base/errors.ts'
import type { EventMessage } from '../../model/cloudevents/event.ts'
import type { EventStream, StoredEvent } from '../../ports/event-transport/port.ts'
import type { EventEndpoint } from '../reconciler.ts'
import { eventually } from '../../base/eventually.ts'
import { aGate, anEvent, aTestBed } from './test-bed.ts'
import type { TestBed } from './test-bed.ts'

async function stored(stream: EventStream): Promise<EventMessage[]> {
  const events: StoredEvent[] = []
  for await (const event of stream.read('earliest')) events.push(event)
  return events.map(({ message }) => message)
}

const doorOf = (bed: TestBed, kind: 'broker' | 'channel', stream: EventStream = bed.stream) =>
  bed.engine[`${kind}Endpoint`]({ namespace: 'default', name: 'shop', stream })

describe('a Broker', () => {
  test('stores the event with its arrival time and hop count, data and headers untouched, and answers 202', async () => {
    await using bed = await aTestBed()
    const event = anEvent({ subject: 'x' })
    assert.deepEqual(await doorOf(bed, 'broker').accept({ event, headers: { traceparent: '00-a-b-01' } }), {
      status: 202,
    })
    const [message] = await stored(bed.stream)
    assert.deepEqual(Object.fromEntries(message!.event.attributes), {
      ...Object.fromEntries(event.attributes),
      knativearrivaltime: '2026-01-01T00:00:00Z',
      knativebrokerttl: 255,
    })
    assert.equal(message!.event.data, event.data)
    assert.deepEqual(message!.headers, { traceparent: '00-a-b-01' })
    assert.equal(event.attributes.has('knativebrokerttl'), false)
    const { status } = await bed.until('accepted')
    assert.equal(status, 202)
  })

  test('overwrites an arrival time, with the fraction of the second trimmed', async () => {
    await using bed = await aTestBed()
    await bed.clock.advance(120)
    await doorOf(bed, 'broker').accept({ event: anEvent({ knativearrivaltime: 'long ago' }), headers: {} })
    assert.equal((await stored(bed.stream))[0]?.event.attributes.get('knativearrivaltime'), '2026-01-01T00:00:00.12Z')
  })

  const hops: [string | number, number | undefined][] = [
    ['255', 254],
    [2, 1],
    ['2', 1],
    [1, undefined],
    ['1', undefined],
    ['0', undefined],
    ['-7', undefined],
    ['many', 255],
    ['1.5', 255],
  ]
  for (const [given, kept] of hops) {
    test(`${JSON.stringify(given)} hops left: ${kept === undefined ? '400, not stored' : `stored with ${kept}`}`, async () => {
      await using bed = await aTestBed()
      const event = anEvent({ knativebrokerttl: given })
      const { status } = await doorOf(bed, 'broker').accept({ event, headers: {} })
      assert.equal(status, kept === undefined ? 400 : 202)
      const messages = await stored(bed.stream)
      assert.deepEqual(
        messages.map(({ event }) => event.attributes.get('knativebrokerttl')),
        kept === undefined ? [] : [kept],
      )
      await bed.until(kept === undefined ? 'refused' : 'accepted')
    })
  }

  test('has one door, however often it is asked for', async () => {
    await using bed = await aTestBed()
    assert.equal(doorOf(bed, 'broker'), doorOf(bed, 'broker'))
    assert.notEqual(doorOf(bed, 'broker'), doorOf(bed, 'channel'))
  })

  test('whose reply comes back to it evaluates all Triggers, until no hop is left: then 400 and the dead letter sink', async () => {
    await using bed = await aTestBed()
    bed.endpoints.set(' /default/shop', doorOf(bed, 'broker'))
    const echo = await bed.subscriber(({ headers, body }) => {
      const names = Object.keys(headers).filter((name) => name.startsWith('ce-'))
      return { status: 200, headers: Object.fromEntries(names.map((name) => [name, headers[name]!])), body }
    })
    const sink = await bed.subscriber(() => ({ status: 200 }))
    await bed.dispatch({ subscriber: echo, reply: { url: 'http://127.0.0.1:1/default/shop' }, deadLetter: sink })
    await doorOf(bed, 'broker').accept({ event: anEvent({ knativebrokerttl: 4 }), headers: {} })
    await bed.until('dead-lettered')
    assert.equal(echo.requests.length, 3)
    const { headers } = sink.requests[0]!
    assert.deepEqual(
      [headers['ce-knativeerrorcode'], headers['ce-knativeerrordest'], headers['ce-knativebrokerttl']],
      ['400', 'http://127.0.0.1:1/default/shop', '1'],
    )
  })
})

test('a channel stores the event as it is', async () => {
  await using bed = await aTestBed()
  const event = anEvent({ knativebrokerttl: 1 })
  assert.deepEqual(await doorOf(bed, 'channel').accept({ event, headers: {} }), { status: 202 })
  assert.equal((await stored(bed.stream))[0]?.event, event)
})

describe('a Broker that takes each event once', () => {
  const hourMs = 3_600_000
  const onceDoor = (bed: TestBed, stream: EventStream = bed.stream, dedupMs = hourMs) =>
    bed.engine.brokerEndpoint({ namespace: 'default', name: 'shop', stream, dedupMs })
  const post = (door: EventEndpoint, attributes: Record<string, string> = {}) =>
    door.accept({ event: anEvent(attributes), headers: {} })

  test('answers 202 to a duplicate, stores it once, counts it, and tells it apart', async () => {
    await using bed = await aTestBed()
    const door = onceDoor(bed)
    await post(door)
    assert.equal((await post(door, { type: 'changed' })).status, 202)
    assert.deepEqual((await stored(bed.stream)).length, 1)
    const { status, message } = await bed.until('refused')
    assert.deepEqual([status, message], [202, 'duplicate'])
    assert.match(bed.metrics.prometheus(), /knode_ingress_duplicates_total\{[^}]*"shop"[^}]*\} 1\n/)
  })

  test('goes by source and id together', async () => {
    await using bed = await aTestBed()
    const door = onceDoor(bed)
    for (const [source, id] of [
      ['/shop', '1'],
      ['/shop', '2'],
      ['/other', '1'],
      ['/shop1', ''],
    ] as const) {
      await post(door, { source, id })
    }
    assert.equal((await stored(bed.stream)).length, 4)
  })

  test('forgets after the time given', async () => {
    await using bed = await aTestBed()
    const door = onceDoor(bed)
    await post(door)
    await bed.clock.advance(hourMs - 1)
    await post(door)
    assert.equal((await stored(bed.stream)).length, 1)
    await bed.clock.advance(1)
    await post(door)
    assert.equal((await stored(bed.stream)).length, 2)
  })

  test('knows after a restart what its stream holds, and takes nothing before it does', async () => {
    await using bed = await aTestBed()
    await bed.append(anEvent({ id: 'old' }))
    await bed.clock.advance(hourMs)
    await bed.append(anEvent({ id: 'new' }))
    const door = onceDoor(bed)
    await Promise.all([post(door, { id: 'new' }), post(door, { id: 'old' })])
    const ids = (await stored(bed.stream)).map(({ event }) => event.attributes.get('id'))
    assert.deepEqual(ids, ['old', 'new', 'old'])
  })

  test('reads its history again with the next event when that failed', async () => {
    await using bed = await aTestBed()
    await bed.append()
    let reads = 0
    const stream = Object.assign(Object.create(bed.stream) as EventStream, {
      read: (from: 'earliest') => {
        if (++reads === 1) throw new KnodeError('TRANSPORT_CLOSED', 'not now')
        return bed.stream.read(from)
      },
      append: (message: EventMessage) => bed.stream.append(message),
    })
    const door = onceDoor(bed, stream)
    assert.equal((await post(door)).status, 503)
    assert.equal((await post(door)).status, 202)
    assert.deepEqual([reads, (await stored(bed.stream)).length], [2, 1])
  })

  test('lets a duplicate wait for the first, and stores it when the first was not', async () => {
    await using bed = await aTestBed()
    const appends = [aGate(), aGate()]
    let begun = 0
    const stream = Object.assign(Object.create(bed.stream) as EventStream, {
      read: () => bed.stream.read('earliest'),
      async append(message: EventMessage) {
        await appends[begun++]!.answer()
        if (begun === 1) throw new KnodeError('TRANSPORT_FULL', 'full')
        return bed.stream.append(message)
      },
    })
    const door = onceDoor(bed, stream)
    const posts = [post(door), post(door), post(door)]
    await eventually(() => begun === 1, 'the first append')
    await settle()
    assert.equal(begun, 1)
    appends[0]!.open()
    await eventually(() => begun === 2, 'the second append')
    appends[1]!.open()
    assert.deepEqual(
      (await Promise.all(posts)).map(({ status }) => status),
      [503, 202, 202],
    )
    assert.equal((await stored(bed.stream)).length, 1)
  })

  test('stops with the annotation, and begins with it', async () => {
    await using bed = await aTestBed()
    await post(doorOf(bed, 'broker'))
    await post(onceDoor(bed))
    await post(onceDoor(bed))
    assert.equal((await stored(bed.stream)).length, 1)
    assert.equal(onceDoor(bed), onceDoor(bed))
    await post(doorOf(bed, 'broker'))
    assert.equal((await stored(bed.stream)).length, 2)
  })

  test('refuses what has no hop left, duplicate or not', async () => {
    await using bed = await aTestBed()
    const door = onceDoor(bed)
    await post(door)
    assert.equal((await post(door, { knativebrokerttl: '1' })).status, 400)
  })
})

test("each door measures by Knative's names what it took and what it refused, with the status", async () => {
  await using bed = await aTestBed()
  const post = (kind: 'broker' | 'channel', attributes = {}) =>
    doorOf(bed, kind).accept({ event: anEvent(attributes), headers: {} })
  await post('broker')
  await post('broker')
  await post('broker', { knativebrokerttl: 1 })
  await post('channel')
  const counts = [...bed.metrics.prometheus().matchAll(/^kn_eventing_dispatch_duration_seconds_count(.*)$/gm)]
  assert.deepEqual(
    counts.map(([, count]) => count),
    [
      '{kn_broker_name="shop",kn_broker_namespace="default",http_response_status_code="202"} 2',
      '{kn_broker_name="shop",kn_broker_namespace="default",http_response_status_code="400"} 1',
      '{kn_channel_name="shop",kn_channel_namespace="default",http_response_status_code="202"} 1',
    ],
  )
})

const failures: [string, Error, number, number | undefined][] = [
  ['a full stream', new KnodeError('TRANSPORT_FULL', 'stream "shop" is full', { retryable: true }), 503, 5],
  ['a stream that closes', new KnodeError('TRANSPORT_CLOSED', 'the event transport is closed'), 503, 5],
  ['a stream that cannot now', new KnodeError('TRANSPORT_FAILED', 'no handle is free', { retryable: true }), 503, 5],
  ['a failing disk', new KnodeError('TRANSPORT_FAILED', 'EIO'), 500, undefined],
]
for (const [name, error, status, retryAfterSeconds] of failures) {
  test(`${name} answers ${status} and never 202`, async () => {
    await using bed = await aTestBed()
    const stream = { name: 'shop', append: () => Promise.reject(error) } as unknown as EventStream
    for (const kind of ['broker', 'channel'] as const) {
      const result = await doorOf(bed, kind, stream).accept({ event: anEvent(), headers: {} })
      assert.deepEqual([result.status, result.retryAfterSeconds], [status, retryAfterSeconds])
      assert.equal(result.message, error.message)
    }
  })
}
