// How an object whose kind cleans up goes.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { desk, lampId, lampWorld, light, stored } from './test-lamps.ts'

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
