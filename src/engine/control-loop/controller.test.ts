// When objects are reconciled, and what becomes of a reconcile.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FakeClock, settle } from '../../base/fake-clock.ts'
import { TerminalError } from '../../base/errors.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { StatusError } from '../../model/kubernetes/status-error.ts'
import type { Reconciler } from '../reconciler.ts'
import type { FakeClient } from './fake-client.ts'
import { aKind, anObject, startSmallWorld } from './small-world.ts'
import { desk, lampId, lampWorld, light, stored } from './test-lamps.ts'
import type { Reconcile } from './test-lamps.ts'

describe('a controller', () => {
  test('reconciles what is there at the start, and what comes later', async () => {
    const seen: string[] = []
    await using world = await lampWorld(({ metadata }) => void seen.push(metadata.name), {}, { stored: [desk()] })
    assert.deepEqual(seen, ['desk'])
    await world.client.create(anObject('Lamp', 'floor'))
    await world.settled()
    assert.deepEqual(seen, ['desk', 'floor'])
  })

  test('stores conditions and the observed generation', async () => {
    await using world = await lampWorld(light, {}, { stored: [desk()] })
    assert.deepEqual((await stored(world))?.status, {
      observedGeneration: 1,
      conditions: [
        { type: 'Lit', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' },
        { type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' },
      ],
    })
  })

  test('a reconciler that marks nothing leaves a new generation Unknown', async () => {
    await using world = await lampWorld(() => undefined, {}, { stored: [desk()] })
    assert.equal(
      await world.condition('Lamp', 'desk'),
      'Unknown NewObservedGenFailure : unsuccessfully observed a new generation',
    )
  })

  test('reconciles once per change, and not for the status it wrote itself', async () => {
    let reconciles = 0
    await using world = await lampWorld((lamp, { conditions }) => {
      reconciles++
      lamp.status = { ...lamp.status, lit: lamp.spec.watts! > 0 }
      conditions.markTrue('Lit')
    })
    await world.client.create(desk())
    await world.settled()
    assert.equal(reconciles, 1)
    await world.client.patch(lampId, 'shop', 'desk', { spec: { watts: 60 } })
    await world.settled()
    assert.equal(reconciles, 2)
  })

  test('writes no status that says the same', async () => {
    await using world = await lampWorld(light, {}, { stored: [desk()] })
    const before = (await stored(world))?.metadata.resourceVersion
    await world.client.patch(lampId, 'shop', 'desk', { metadata: { labels: { a: '1' } } })
    await world.settled()
    assert.equal((await stored(world))?.metadata.resourceVersion, String(Number(before) + 1))
  })

  test('hands the reconciler a copy of its own', async () => {
    await using world = await lampWorld(
      (lamp, { conditions }) => {
        lamp.spec.watts = 0
        delete lamp.metadata.namespace
        conditions.markTrue('Lit')
      },
      {},
      { stored: [desk()] },
    )
    assert.deepEqual((await stored(world))?.spec, { watts: 40 })
    assert.equal(await world.condition('Lamp', 'desk'), 'True')
  })

  test('does not write its status over an edit that it has not seen', async () => {
    const seen: unknown[] = []
    let edited = false
    await using world = await lampWorld(async (lamp, { conditions }) => {
      seen.push(lamp.spec.watts)
      if (!edited) await world.client.patch(lampId, 'shop', 'desk', { spec: { watts: 60 } })
      edited = true
      conditions.markTrue('Lit')
    })
    await world.client.create(desk())
    await world.advance(100)
    assert.deepEqual(seen, [40, 60])
    const lamp = await stored(world)
    assert.equal(lamp?.status?.observedGeneration, 2)
    assert.deepEqual(await world.events(), [])
  })

  test('keeps at it when it is overtaken again and again, and says so only after a while', async () => {
    let rounds = 0
    await using world = await lampWorld(async () => {
      await world.client.patch(lampId, 'shop', 'desk', { metadata: { labels: { round: String(rounds++) } } })
      throw new StatusError(409, 'Conflict', 'overtaken')
    })
    await world.client.create(desk())
    // Every round is a change of its own, so none has to wait for its back-off.
    for (let round = 0; round < 4; round++) await settle()
    assert.ok(rounds > 5)
    assert.deepEqual(
      (await world.client.list<Resource & { reason: string }>('Event')).map(({ reason }) => reason).slice(0, 1),
      ['InternalError'],
    )
  })

  test('a failed reconcile is told in an Event, its status counts, and it is tried again ever more slowly', async () => {
    const tries: number[] = []
    await using world = await lampWorld((_, { conditions }) => {
      tries.push(world.clock.monotonicMs())
      conditions.markFalse('Lit', 'NoBulb', 'there is no bulb')
      throw new Error('no bulb')
    })
    await world.client.create(desk())
    await world.advance(700)
    assert.deepEqual(tries, [0, 100, 300, 700])
    assert.equal(await world.condition('Lamp', 'desk'), 'False NoBulb : there is no bulb')
    assert.equal((await stored(world))?.status?.observedGeneration, 1)
    assert.deepEqual(await world.events(), ['InternalError: no bulb x4'])
    assert.match(
      world.warnings[0]!,
      /"kind":"Lamp","namespace":"shop","name":"desk","attempt":1,"err":"Error: no bulb"/,
    )
  })

  test('a terminal failure waits for the next edit', async () => {
    let tries = 0
    await using world = await lampWorld(() => {
      tries++
      throw new TerminalError('wrong socket')
    })
    await world.client.create(desk())
    await world.advance(600_000)
    assert.equal(tries, 1)
    assert.deepEqual(await world.events(), ['InternalError: wrong socket x1'])
    await world.client.patch(lampId, 'shop', 'desk', { spec: { watts: 60 } })
    await world.settled()
    assert.equal(tries, 2)
  })

  test('a status that cannot be written is told in an Event and tried again', async () => {
    let failures = 1
    const clientOver = (client: FakeClient): FakeClient => {
      const updateStatus = client.updateStatus.bind(client)
      client.updateStatus = (object) => (failures-- > 0 ? Promise.reject(new Error('disk')) : updateStatus(object))
      return client
    }
    await using world = await lampWorld(light, {}, { stored: [desk()], clientOver })
    assert.equal(await world.condition('Lamp', 'desk'), undefined)
    await world.advance(100)
    assert.equal(await world.condition('Lamp', 'desk'), 'True')
    assert.deepEqual(await world.events(), [
      'UpdateFailed: Failed to update status for "desk": disk x1',
      'InternalError: disk x1',
    ])
  })

  test('a kind without conditions gets none, but its status is stored', async () => {
    const reconcile: Reconcile = (lamp) => void (lamp.status = { lit: true })
    const reconciler: Reconciler = { reconcile: async (object, context) => await reconcile(object as never, context) }
    await using world = await startSmallWorld({ kinds: [aKind('Lamp', reconciler)], stored: [desk()] })
    await world.settled()
    assert.deepEqual((await stored(world))?.status, { lit: true })
  })

  test('objects of classes that others look after are not touched', async () => {
    let reconciles = 0
    await using world = await lampWorld(() => void reconciles++, {
      finalize: () => Promise.resolve(),
      isOurs: ({ metadata }) => metadata.labels?.['class'] !== 'foreign',
    })
    await world.client.create(desk({ metadata: { labels: { class: 'foreign' } } }))
    await world.settled()
    const lamp = await stored(world)
    assert.equal(reconciles, 0)
    assert.deepEqual([lamp?.status, lamp?.metadata.finalizers], [undefined, undefined])
  })

  test('requeueAfter reconciles again in time, requeue at once', async () => {
    const seen: number[] = []
    let again = (): void => undefined
    await using world = await lampWorld((_, context) => {
      seen.push(world.clock.monotonicMs())
      again = () => context.requeue()
      context.conditions.markTrue('Lit')
      if (seen.length === 1) context.requeueAfter(5000)
    })
    await world.client.create(desk())
    await world.advance(10_000)
    assert.deepEqual(seen, [0, 5000])
    again()
    await world.settled()
    assert.deepEqual(seen, [0, 5000, 10_000])
  })

  test('a reconcile that takes long is told in the log while it lasts', async () => {
    const gate = Promise.withResolvers<void>()
    await using world = await lampWorld(() => gate.promise)
    await world.client.create(desk())
    await world.clock.advance(29_999)
    assert.deepEqual(world.warnings, [])
    await world.clock.advance(1)
    assert.match(world.warnings[0]!, /a reconcile takes long.*"key":"shop\/desk"/)
    gate.resolve()
    await world.settled()
  })

  test('holds back the first Ready of a new object for kn, but of no other', async () => {
    await using world = await lampWorld(light, { firstReadyAfterMs: 75 }, { stored: [desk()] })
    assert.equal(await world.condition('Lamp', 'desk'), 'True')
    await world.client.create(anObject('Lamp', 'floor'))
    await world.advance(74)
    assert.equal(await world.condition('Lamp', 'floor'), undefined)
    await world.advance(1)
    assert.equal(await world.condition('Lamp', 'floor'), 'True')
  })
})

test('objects are reconciled again after a restart, without a write when nothing changed', async () => {
  const clock = new FakeClock()
  const first = await lampWorld(light, { finalize: () => Promise.resolve() }, { clock, stored: [desk()] })
  await first[Symbol.asyncDispose]()
  const before = await stored(first)
  let reconciles = 0
  await clock.advance(60_000)
  await using second = await lampWorld(
    (lamp, context) => {
      reconciles++
      return light(lamp, context)
    },
    { finalize: () => Promise.resolve() },
    { clock, store: first.store },
  )
  assert.equal(reconciles, 1)
  assert.deepEqual(await stored(second), before)
})
