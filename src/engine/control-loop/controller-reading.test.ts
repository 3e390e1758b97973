// An object is reconciled when what it has read changes.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { controllerRef } from '../../model/kubernetes/resource.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { anObject } from './small-world.ts'
import { desk, lampId, lampWorld } from './test-lamps.ts'
import type { Reconcile } from './test-lamps.ts'

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
