import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FakeClock, settle } from '../../base/fake-clock.ts'
import { TerminalError } from '../../base/errors.ts'
import type { KResourceStatus } from '../../model/duck/types.ts'
import { controllerRef } from '../../model/kubernetes/resource.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { StatusError } from '../../model/kubernetes/status-error.ts'
import type { KindDefinition } from '../kind.ts'
import type { ReconcileContext, Reconciler } from '../reconciler.ts'
import type { FakeClient } from './fake-client.ts'
import { aKind, anObject, startSmallWorld } from './small-world.ts'
import type { SmallWorld, SmallWorldOptions } from './small-world.ts'

type Reconcile = (
  lamp: Resource & { spec: { watts?: number }; status?: KResourceStatus & { lit?: boolean } },
  context: ReconcileContext,
) => Promise<void> | void

const lampId = 'Lamp.test.knode.dev'

/** A world in which Lamps are reconciled like this. */
async function lampWorld(
  reconcile: Reconcile,
  more: Partial<Reconciler> = {},
  options: Partial<SmallWorldOptions> & { kind?: Partial<KindDefinition> } = {},
): Promise<SmallWorld> {
  const reconciler: Reconciler = {
    conditions: { dependents: ['Lit'] },
    reconcile: async (object, context) => await reconcile(object as never, context),
    ...more,
  }
  const world = await startSmallWorld({
    ...options,
    kinds: [aKind('Lamp', reconciler, options.kind), aKind('Plug'), ...(options.kinds ?? [])],
  })
  await world.settled()
  return world
}

const desk = (more: Parameters<typeof anObject>[2] = {}): Resource =>
  anObject('Lamp', 'desk', { spec: { watts: 40 }, ...more })
const stored = (world: SmallWorld): Promise<(Resource & { status?: KResourceStatus }) | undefined> =>
  world.client.get(lampId, 'shop', 'desk')
const light: Reconcile = (_, { conditions }) => conditions.markTrue('Lit')

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

describe('reading others', () => {
  const needsPlug: Reconcile = ({ metadata }, context) => {
    const { conditions } = context
    const plug = context.get<Resource & { spec: { on: boolean } }>('Plug.test.knode.dev', 'shop', metadata.name)
    if (plug === undefined) return conditions.markFalse('Lit', 'NoPlug', `plug "${metadata.name}" does not exist`)
    if (plug.spec.on) conditions.markTrue('Lit')
    else conditions.markFalse('Lit', 'Off', 'the plug is off')
  }

  test('an object follows what it read: its appearing, its changes and its going', async () => {
    await using world = await lampWorld(needsPlug, {}, { stored: [desk()] })
    assert.equal(await world.condition('Lamp', 'desk'), 'False NoPlug : plug "desk" does not exist')
    await world.client.create(anObject('Plug', 'desk', { spec: { on: false } }))
    await world.settled()
    assert.equal(await world.condition('Lamp', 'desk'), 'False Off : the plug is off')
    await world.client.patch('Plug.test.knode.dev', 'shop', 'desk', { spec: { on: true } })
    await world.settled()
    assert.equal(await world.condition('Lamp', 'desk'), 'True')
    await world.client.delete('Plug.test.knode.dev', 'shop', 'desk')
    await world.settled()
    assert.equal(await world.condition('Lamp', 'desk'), 'False NoPlug : plug "desk" does not exist')
  })

  test('only readers are reconciled', async () => {
    const seen: string[] = []
    await using world = await lampWorld(
      (lamp, context) => {
        seen.push(lamp.metadata.name)
        return needsPlug(lamp, context)
      },
      {},
      { stored: [desk(), anObject('Lamp', 'floor')] },
    )
    seen.length = 0
    await world.client.create(anObject('Plug', 'floor', { spec: { on: true } }))
    await world.client.create(anObject('Plug', 'kitchen', { spec: { on: true } }))
    await world.settled()
    assert.deepEqual(seen, ['floor'])
  })

  test('a sink that moves reaches the objects that resolved it', async () => {
    const sink = { ref: { apiVersion: 'test.knode.dev/v1', kind: 'Plug', name: 'socket' } }
    const urls: string[] = []
    await using world = await lampWorld(
      (_, context) => void urls.push(context.resolve(sink, 'shop').url),
      {},
      { stored: [desk(), anObject('Plug', 'socket', { status: { address: { url: 'http://one.example' } } })] },
    )
    const plug = await world.client.get<Resource>('Plug.test.knode.dev', 'shop', 'socket')
    await world.client.updateStatus({ ...plug!, status: { address: { url: 'http://two.example' } } })
    await world.settled()
    assert.deepEqual(urls, ['http://one.example', 'http://two.example'])
  })

  test('an owner follows the children it applied', async () => {
    const watched: unknown[] = []
    await using world = await lampWorld(
      async (_, context) => {
        const plug = await context.apply<Resource & { status?: { power?: number } }>(
          anObject('Plug', 'child', { spec: { on: true } }),
        )
        watched.push(plug.status?.power)
      },
      {},
      { stored: [desk()] },
    )
    const plug = await world.client.get<Resource>('Plug.test.knode.dev', 'shop', 'child')
    await world.client.updateStatus({ ...plug!, status: { power: 5 } })
    await world.settled()
    assert.equal(watched.at(-1), 5)
    await world.client.delete('Plug.test.knode.dev', 'shop', 'child')
    await world.settled()
    assert.notEqual(await world.client.get('Plug.test.knode.dev', 'shop', 'child'), undefined)
  })

  test('an object may follow what another one controls', async () => {
    const seen: string[][] = []
    const house = anObject('Plug', 'house', { metadata: { uid: 'u-house' } })
    await using world = await lampWorld(
      (_, context) =>
        void seen.push(context.children('Plug.test.knode.dev', house).map(({ metadata }) => metadata.name)),
      {},
      { stored: [desk(), house] },
    )
    await world.client.create(anObject('Plug', 'inside', { metadata: { ownerReferences: [controllerRef(house)] } }))
    await world.client.create(anObject('Plug', 'elsewhere'))
    await world.settled()
    assert.deepEqual(seen, [[], ['inside']])
  })

  test('an owner follows what it controls, and no children of others', async () => {
    const seen: string[][] = []
    await using world = await lampWorld(
      (_, context) => void seen.push(context.children('Plug.test.knode.dev').map(({ metadata }) => metadata.name)),
      {},
      { stored: [desk({ metadata: { uid: 'uid-desk' } })] },
    )
    const plugOf = (name: string, uid: string): Resource =>
      anObject('Plug', name, {
        metadata: { ownerReferences: [{ apiVersion: 'any/v1', kind: 'Any', name: 'desk', uid, controller: true }] },
      })
    await world.client.create(plugOf('mine', 'uid-desk'))
    await world.client.create(plugOf('theirs', 'uid-floor'))
    await world.settled()
    await world.client.delete('Plug.test.knode.dev', 'shop', 'mine')
    await world.settled()
    assert.deepEqual(seen, [[], ['mine'], []])
  })

  test('removing a child that is gone is fine', async () => {
    await using world = await lampWorld(
      async (_, context) => {
        await context.remove('Plug.test.knode.dev', 'shop', 'child')
        context.conditions.markTrue('Lit')
      },
      {},
      { stored: [desk(), anObject('Plug', 'child')] },
    )
    await world.client.patch(lampId, 'shop', 'desk', { spec: { watts: 1 } })
    await world.settled()
    assert.equal(await world.condition('Lamp', 'desk'), 'True')
    assert.deepEqual(await world.client.list('Plug.test.knode.dev'), [])
  })
})

describe('workers of an object', () => {
  /** Keeps a worker per watts and writes a diary. */
  function withDiary(): { diary: string[]; reconcile: Reconcile } {
    const diary: string[] = []
    const reconcile: Reconcile = async (lamp, { workers, conditions }) => {
      await workers.ensure('bulb', { watts: lamp.spec.watts }, async ({ watts }) => {
        diary.push(`on ${watts}`)
        return {
          async [Symbol.asyncDispose]() {
            await settle(1)
            diary.push(`off ${watts}`)
          },
        }
      })
      conditions.markTrue('Lit')
    }
    return { diary, reconcile }
  }

  test('follow its spec and stop when it is deleted', async () => {
    const { diary, reconcile } = withDiary()
    await using world = await lampWorld(reconcile, {}, { stored: [desk()] })
    await world.client.patch(lampId, 'shop', 'desk', { metadata: { labels: { a: '1' } } })
    await world.settled()
    assert.deepEqual(diary, ['on 40'])
    await world.client.patch(lampId, 'shop', 'desk', { spec: { watts: 60 } })
    await world.settled()
    assert.deepEqual(diary, ['on 40', 'off 40', 'on 60'])
    await world.client.delete(lampId, 'shop', 'desk')
    await world.settled()
    assert.deepEqual(diary, ['on 40', 'off 40', 'on 60', 'off 60'])
  })

  test('do not survive into a namesake that came after it', async () => {
    const { diary, reconcile } = withDiary()
    await using world = await lampWorld(reconcile, {}, { stored: [desk()] })
    await world.client.delete(lampId, 'shop', 'desk')
    await world.client.create(desk())
    await world.settled()
    assert.deepEqual(diary, ['on 40', 'off 40', 'on 40'])
  })

  test('stop as soon as it is being deleted, even while finalizers of others keep it', async () => {
    const { diary, reconcile } = withDiary()
    await using world = await lampWorld(
      reconcile,
      {},
      {
        stored: [desk({ metadata: { finalizers: ['theirs.knode.dev'] } })],
      },
    )
    await world.client.delete(lampId, 'shop', 'desk')
    await world.settled()
    assert.deepEqual(diary, ['on 40', 'off 40'])
    assert.notEqual(await stored(world), undefined)
  })

  test('stop when the controllers stop, after running reconciles have finished', async () => {
    const { diary, reconcile } = withDiary()
    const gate = Promise.withResolvers<void>()
    const world = await lampWorld(
      async (lamp, context) => {
        if (lamp.spec.watts === 60) await gate.promise
        await reconcile(lamp, context)
      },
      {},
      { stored: [desk()] },
    )
    await world.client.patch(lampId, 'shop', 'desk', { spec: { watts: 60 } })
    await settle()
    const closing = world[Symbol.asyncDispose]()
    await settle()
    gate.resolve()
    await closing
    assert.deepEqual(diary, ['on 40', 'off 40', 'on 60', 'off 60'])
  })

  test('a worker that cannot start fails the reconcile, and is tried again', async () => {
    let tries = 0
    await using world = await lampWorld(
      async (_, { workers, conditions }) => {
        await workers.ensure('bulb', 1, async () => {
          if (tries++ === 0) throw new Error('no power')
          return { [Symbol.asyncDispose]: () => Promise.resolve() }
        })
        conditions.markTrue('Lit')
      },
      {},
      { stored: [desk()] },
    )
    assert.deepEqual(await world.events(), ['InternalError: no power x1'])
    await world.advance(100)
    assert.equal(await world.condition('Lamp', 'desk'), 'True')
  })
})

describe('a kind that cleans up', () => {
  test('gets a finalizer first, and is cleaned up, workers stopped, before it goes', async () => {
    const diary: string[] = []
    await using world = await lampWorld(
      async (lamp, { workers, conditions }) => {
        diary.push(`reconcile ${lamp.metadata.finalizers?.join()}`)
        await workers.ensure('bulb', 1, () =>
          Promise.resolve({ [Symbol.asyncDispose]: async () => void diary.push('worker stopped') }),
        )
        conditions.markTrue('Lit')
      },
      {
        finalize: async () => {
          diary.push(`finalize while ${(await stored(world)) === undefined ? 'gone' : 'there'}`)
        },
      },
    )
    await world.client.create(desk())
    await world.settled()
    await world.client.delete(lampId, 'shop', 'desk')
    await world.settled()
    assert.deepEqual(diary, ['reconcile lamps.test.knode.dev', 'worker stopped', 'finalize while there'])
    assert.equal(await stored(world), undefined)
    assert.deepEqual(await world.events(), ['FinalizerUpdate: Updated "desk" finalizers x2'])
  })

  test('is cleaned up again when that fails, and stays until it succeeds', async () => {
    let tries = 0
    await using world = await lampWorld(light, {
      finalize: () => (tries++ === 0 ? Promise.reject(new Error('still hot')) : Promise.resolve()),
    })
    await world.client.create(desk())
    await world.settled()
    await world.client.delete(lampId, 'shop', 'desk')
    await world.settled()
    assert.notEqual(await stored(world), undefined)
    assert.ok((await world.events()).includes('InternalError: still hot x1'))
    await world.advance(100)
    assert.equal(await stored(world), undefined)
    assert.equal(tries, 2)
  })

  test('stays while its clean-up says that there is more to do, with its workers and the status it tells', async () => {
    const diary: string[] = []
    let goOn: () => void = () => undefined
    let isDone = false
    await using world = await lampWorld(
      async ({ metadata }, context) => {
        goOn = () => context.requeue()
        await context.workers.ensure('bulb', metadata.name, () =>
          Promise.resolve({ [Symbol.asyncDispose]: async () => void diary.push('worker stopped') }),
        )
      },
      {
        finalizesWithWorkers: true,
        finalize: (lamp) => {
          diary.push(isDone ? 'done' : 'later')
          lamp.status = { fading: true }
          return Promise.resolve(isDone ? undefined : 'later')
        },
      },
    )
    await world.client.create(desk())
    await world.settled()
    await world.client.delete(lampId, 'shop', 'desk')
    await world.settled()
    assert.deepEqual(diary, ['later'])
    const lamp = await stored(world)
    assert.deepEqual(lamp?.status, { fading: true })
    isDone = true
    goOn()
    await world.settled()
    assert.deepEqual(diary, ['later', 'done', 'worker stopped'])
    assert.equal(await stored(world), undefined)
  })

  test('keeps the finalizers of others, and does nothing twice while they hold the object', async () => {
    let finalized = 0
    await using world = await lampWorld(light, { finalize: async () => void finalized++ })
    await world.client.create(desk({ metadata: { finalizers: ['theirs.knode.dev'] } }))
    await world.settled()
    assert.deepEqual((await stored(world))?.metadata.finalizers, ['theirs.knode.dev', 'lamps.test.knode.dev'])
    await world.client.delete(lampId, 'shop', 'desk')
    await world.settled()
    assert.deepEqual((await stored(world))?.metadata.finalizers, ['theirs.knode.dev'])
    await world.client.patch(lampId, 'shop', 'desk', { metadata: { finalizers: [] } })
    await world.settled()
    assert.equal(await stored(world), undefined)
    assert.equal(finalized, 1)
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
