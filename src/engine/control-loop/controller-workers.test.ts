// What runs for an object: begun, changed and ended with it.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { settle } from '../../base/fake-clock.ts'
import { desk, lampId, lampWorld, stored } from './test-lamps.ts'
import type { Reconcile } from './test-lamps.ts'

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
