// Delivery in order, by an attribute: `knode.dev/ordering`.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eventually } from '../../base/eventually.ts'
import type { ConsumeOptions } from '../../ports/event-transport/port.ts'
import { aGate, anEvent, aTestBed, eventIds } from './test-bed.ts'

describe('ordering by an attribute', () => {
  const annotations = { 'knode.dev/ordering': 'subject' }
  const delivery = { retry: 3, backoffPolicy: 'linear', backoffDelay: 'PT1S' } as const
  const limits = { inFlightMax: 2, waitingMax: 50, heldPerKeyMax: 5 }

  test('sends events of one key one by one in order; a failing key blocks only itself', async () => {
    await using bed = await aTestBed()
    let isSick = true
    const subscriber = await bed.subscriber(({ headers }) => ({
      status: isSick && headers['ce-subject'] === 'a' ? 500 : 200,
    }))
    await bed.dispatch({ subscriber, delivery, annotations })
    for (const id of ['a1', 'b1', 'a2', 'b2', 'a3', 'b3']) await bed.append(anEvent({ id, subject: id[0]! }))
    await bed.until('delivered', 3)
    await bed.until('retrying')
    assert.equal(eventIds(subscriber.requests.filter(({ headers }) => headers['ce-subject'] === 'b')), 'b1 b2 b3')
    isSick = false
    await bed.clock.advance(1_000)
    await bed.until('delivered', 6)
    assert.equal(eventIds(subscriber.requests.filter(({ headers }) => headers['ce-subject'] === 'a')), 'a1 a1 a2 a3')
  })

  test('goes on with the next event of the key when one is given up, also with a sink that is down', async () => {
    await using bed = await aTestBed()
    const subscriber = await bed.subscriber((_request, count) => ({ status: count === 1 ? 400 : 200 }))
    const sink = await bed.subscriber(() => ({ status: 400 }))
    await bed.dispatch({ subscriber, deadLetter: sink, annotations })
    for (const id of ['a1', 'a2']) await bed.append(anEvent({ id, subject: 'a' }))
    await bed.until('dropped')
    await bed.until('delivered')
    assert.equal(eventIds(subscriber.requests), 'a1 a2')
  })

  test('a failing key with far more events than are held in memory leaves room for other keys, and loses no turn', async () => {
    await using bed = await aTestBed({ limits })
    let isSick = true
    const subscriber = await bed.subscriber(({ headers }) => ({
      status: isSick && headers['ce-subject'] === 'a' ? 500 : 200,
    }))
    await bed.dispatch({ subscriber, delivery, annotations })
    const ids = Array.from({ length: 300 }, (_, index) => `a${index}`)
    for (const id of ids) await bed.append(anEvent({ id, subject: 'a' }))
    for (let count = 0; count < 5; count++) await bed.append(anEvent({ subject: 'b' }))
    await bed.until('delivered', 5)
    assert.equal(bed.gauge('knode_delivery_pending'), 300)
    isSick = false
    await bed.clock.advance(1_000)
    await bed.until('delivered', 305)
    const ofA = subscriber.requests.filter(({ headers }) => headers['ce-subject'] === 'a')
    assert.equal(eventIds(ofA), ['a0', ...ids].join(' '))
    assert.equal(bed.gauge('knode_delivery_pending'), 0)
  })

  test('more failing keys than may be held in memory leave room for others', async () => {
    await using bed = await aTestBed({ limits })
    const subscriber = await bed.subscriber(({ headers }) => ({ status: headers['ce-subject'] === 'b' ? 200 : 500 }))
    await bed.dispatch({ subscriber, delivery, annotations })
    for (let key = 0; key < 200; key++) await bed.append(anEvent({ subject: `a${key}` }))
    await bed.append(anEvent({ subject: 'b' }))
    await bed.until('delivered')
    await bed.until('retrying', 200)
  })

  test('all that waits in order goes on in order after a restart, and still holds up no other key', async () => {
    await using bed = await aTestBed({ limits })
    let isSick = true
    const subscriber = await bed.subscriber(({ headers }) => ({
      status: isSick && headers['ce-subject'] !== 'c' ? 500 : 200,
    }))
    const first = await bed.dispatch({ subscriber, delivery, annotations })
    const ids = Array.from({ length: 200 }, (_, index) => `${'ab'[index % 2]}${index}`)
    for (const id of ids) await bed.append(anEvent({ id, subject: id[0]! }))
    await bed.until('retrying', 2)
    await first[Symbol.asyncDispose]()
    subscriber.requests.length = 0
    await bed.dispatch({ subscriber, delivery, annotations })
    await bed.append(anEvent({ subject: 'c' }))
    await bed.until('delivered')
    isSick = false
    await bed.clock.advance(1_000)
    await bed.until('delivered', 201)
    for (const key of ['a', 'b']) {
      const got = subscriber.requests.filter(({ headers }) => headers['ce-subject'] === key)
      assert.equal(eventIds(got), ids.filter((id) => id.startsWith(key)).join(' '))
    }
  })

  test('with the most events waiting that are kept track of it takes no others, says so, and recovers', async () => {
    await using bed = await aTestBed({ limits: { ...limits, unsettledMax: 60 } })
    let isSick = true
    const subscriber = await bed.subscriber(({ headers }) => ({
      status: isSick && headers['ce-subject'] === 'a' ? 500 : 200,
    }))
    await bed.dispatch({ subscriber, delivery, annotations })
    for (let count = 0; count < 70; count++) await bed.append(anEvent({ subject: 'a' }))
    await bed.append(anEvent({ subject: 'b' }))
    await bed.until('retrying')
    const message = `${subscriber.url} fails: 60 events wait for another try, or behind one that does, and no others are taken`
    await eventually(() => bed.engine.trouble('uid-1') !== undefined, 'trouble')
    assert.deepEqual(bed.engine.trouble('uid-1'), { reason: 'TooManyEventsWait', message })
    assert.equal(bed.outcome('delivered'), 0)
    isSick = false
    await bed.clock.advance(1_000)
    await bed.until('delivered', 71)
    assert.deepEqual(
      bed.troubles.map(({ trouble }) => trouble?.reason),
      ['TooManyEventsWait', undefined],
    )
  })

  test('an event that can no longer be read holds up its key no longer', async () => {
    await using bed = await aTestBed()
    let lose: ConsumeOptions['onLost']
    const consume = bed.stream.consume.bind(bed.stream)
    bed.stream.consume = (consumer, options) => {
      lose = options.onLost
      return consume(consumer, options)
    }
    const subscriber = await bed.subscriber((_request, count) => ({ status: count === 1 ? 500 : 200 }))
    await bed.dispatch({ subscriber, delivery, annotations })
    for (const id of ['a1', 'a2']) await bed.append(anEvent({ id, subject: 'a' }))
    await bed.until('retrying')
    await eventually(() => bed.stream.info().consumers[0]?.retrying === 2, 'both to wait')
    lose?.(0)
    await bed.until('delivered')
    assert.equal(eventIds(subscriber.requests), 'a1 a2')
  })

  test('events without the attribute wait for nobody', async () => {
    await using bed = await aTestBed()
    const gate = aGate()
    const subscriber = await bed.subscriber(gate.answer)
    await bed.dispatch({ subscriber, annotations })
    for (let count = 0; count < 3; count++) await bed.append()
    await eventually(() => subscriber.requests.length === 3, 'three requests at once')
    gate.open()
    await bed.until('delivered', 3)
  })
})
