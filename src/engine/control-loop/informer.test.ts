import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FakeClock, settle } from '../../base/fake-clock.ts'
import { createLogger, silentLogger } from '../../base/log.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { openResourceStore } from '../../ports/resource-store/open.ts'
import type { ResourceKey, ResourceStore } from '../../ports/resource-store/port.ts'
import { openCaches } from './caches.ts'
import { Informer } from './informer.ts'
import { aKind } from './small-world.ts'

const key = (name: string, namespace = 'shop'): ResourceKey => ({ resource: 'lamps.test.knode.dev', namespace, name })

function lamp(name: string, watts: number, more: object = {}): Resource {
  const metadata = { name, namespace: 'shop', uid: `uid-${name}`, ...more }
  return { apiVersion: 'test.knode.dev/v1', kind: 'Lamp', metadata, spec: { watts } }
}

interface Followed extends AsyncDisposable {
  store: ResourceStore
  clock: FakeClock
  informer: Informer
  told: string[]
}

async function follow(
  stored: Resource[],
  over: (store: ResourceStore) => ResourceStore = (store) => store,
): Promise<Followed> {
  const store = await openResourceStore({ driver: 'memory', historyChangesMax: 2 })
  for (const object of stored) await store.put(key(object.metadata.name), object)
  const clock = new FakeClock()
  const told: string[] = []
  const watts = (object: Resource | undefined): unknown => (object?.spec as { watts: number } | undefined)?.watts
  const informer = new Informer({
    store: over(store),
    resource: 'lamps.test.knode.dev',
    clock,
    log: silentLogger,
    onChange: ({ type, resource, previous }) =>
      void told.push(`${type} ${resource.metadata.name} ${String(watts(previous))}>${String(watts(resource))}`),
  })
  return { store, clock, informer, told, [Symbol.asyncDispose]: () => informer[Symbol.asyncDispose]() }
}

describe('an informer', () => {
  test('tells what is there, then each change once', async () => {
    await using followed = await follow([lamp('a', 40), lamp('b', 60)])
    const { store, informer, told } = followed
    await informer.synced
    assert.deepEqual(told, ['added a undefined>40', 'added b undefined>60'])
    await store.put(key('c'), lamp('c', 10))
    await store.put(key('a'), lamp('a', 45))
    await store.delete(key('b'))
    await store.put({ ...key('x'), resource: 'other' }, lamp('x', 1))
    await settle()
    assert.deepEqual(told.slice(2), ['added c undefined>10', 'modified a 40>45', 'deleted b 60>60'])
  })

  test('lists again when history was compacted away, and tells only the difference', async () => {
    const gate = { open: true, waiting: [] as (() => void)[] }
    await using followed = await follow(
      [lamp('same', 1), lamp('changes', 2), lamp('goes', 3), lamp('anew', 4)],
      (store) => slowWatch(store, gate),
    )
    const { store, informer, told } = followed
    await informer.synced
    told.length = 0
    gate.open = false
    await store.put(key('trigger'), lamp('trigger', 0))
    await settle()
    // While the informer is stuck, more changes happen than the store remembers.
    await store.put(key('changes'), lamp('changes', 20))
    await store.delete(key('goes'))
    await store.delete(key('anew'))
    await store.put(key('anew'), lamp('anew', 40, { uid: 'another' }))
    await store.put(key('comes'), lamp('comes', 5))
    gate.open = true
    for (const go of gate.waiting) go()
    await settle(20)
    assert.deepEqual(told.sort(), [
      'added anew undefined>40',
      'added comes undefined>5',
      'added trigger undefined>0',
      'deleted anew 4>4',
      'deleted goes 3>3',
      'modified changes 2>20',
    ])
  })

  test('asks again, ever more slowly, when the store fails, and misses nothing', async () => {
    let failures = 3
    let asked = 0
    await using followed = await follow([lamp('a', 40)], (store) =>
      overriding(store, {
        list: (scope) => {
          asked++
          return failures-- > 0 ? Promise.reject(new Error('disk')) : store.list(scope)
        },
      }),
    )
    await followed.clock.advance(99)
    assert.equal(asked, 1)
    await followed.clock.advance(1)
    assert.equal(asked, 2)
    await followed.clock.advance(600)
    await followed.informer.synced
    assert.deepEqual(followed.told, ['added a undefined>40'])
  })

  test('stops without waiting for the store', async () => {
    const followed = await follow([])
    await followed.informer.synced
    await followed[Symbol.asyncDispose]()
    await followed.store.put(key('late'), lamp('late', 1))
    await settle()
    assert.deepEqual(followed.told, [])
  })
})

describe('the caches', () => {
  test('answer by kind, namespace and name, lists sorted by name', async () => {
    const store = await openResourceStore({ driver: 'memory' })
    await using caches = await openCaches({
      store,
      kinds: [aKind('Lamp'), aKind('Fan')],
      clock: new FakeClock(),
      log: createLogger({ write: () => undefined }),
    })
    const changes: string[] = []
    using _ = caches.onChange(
      ({ type, kind, resource }) => void changes.push(`${type} ${kind} ${resource.metadata.name}`),
    )
    for (const [namespace, name] of [
      ['zoo', 'a'],
      ['shop', 'b'],
      ['shop', 'a'],
    ] as const) {
      await store.put(key(name, namespace), lamp(name, 1, { namespace, uid: `${namespace}-${name}` }))
    }
    await caches.caughtUp()
    const names = (namespace?: string): string[] =>
      caches.list('Lamp.test.knode.dev', namespace).map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)
    assert.deepEqual(names('shop'), ['shop/a', 'shop/b'])
    assert.deepEqual(names(), ['shop/a', 'shop/b', 'zoo/a'])
    assert.equal(caches.get('Lamp.test.knode.dev', 'zoo', 'a')?.metadata.uid, 'zoo-a')
    assert.deepEqual(
      [caches.get('Lamp.test.knode.dev', 'zoo', 'b'), caches.get('Nothing', 'zoo', 'a')],
      [undefined, undefined],
    )
    assert.deepEqual([caches.list('Fan.test.knode.dev'), caches.list('Nothing')], [[], []])

    await store.put(key('a'), lamp('a', 2, { uid: 'shop-a' }))
    await store.delete(key('b'))
    await caches.caughtUp()
    assert.deepEqual(caches.get('Lamp.test.knode.dev', 'shop', 'a')?.spec, { watts: 2 })
    assert.deepEqual(names(), ['shop/a', 'zoo/a'])
    assert.deepEqual(changes, [
      'added Lamp.test.knode.dev a',
      'added Lamp.test.knode.dev b',
      'added Lamp.test.knode.dev a',
      'modified Lamp.test.knode.dev a',
      'deleted Lamp.test.knode.dev b',
    ])
  })

  test('know what an object controls', async () => {
    const store = await openResourceStore({ driver: 'memory' })
    await using caches = await openCaches({ store, kinds: [aKind('Lamp')], clock: new FakeClock(), log: silentLogger })
    const owned = (name: string, uid: string, controller = true): Promise<Resource> => {
      const ownerReferences = [{ apiVersion: 'v1', kind: 'House', name: 'any', uid, controller }]
      return store.put(key(name), lamp(name, 1, { ownerReferences }))
    }
    const children = async (uid: string): Promise<string[]> => {
      await caches.caughtUp()
      return caches.controlledBy('Lamp.test.knode.dev', uid).map(({ metadata }) => metadata.name)
    }
    await owned('b', 'house-1')
    await owned('a', 'house-1')
    await owned('c', 'house-2')
    await owned('d', 'house-1', false)
    assert.deepEqual(await children('house-1'), ['a', 'b'])
    await owned('a', 'house-2')
    await store.delete(key('b'))
    assert.deepEqual([await children('house-1'), await children('house-2')], [[], ['a', 'c']])
    assert.deepEqual(caches.controlledBy('Nothing', 'house-1'), [])
  })

  test("a list is the caller's own: changing it changes no other", async () => {
    const store = await openResourceStore({ driver: 'memory' })
    await store.put(key('a'), lamp('a', 1))
    await using caches = await openCaches({ store, kinds: [aKind('Lamp')], clock: new FakeClock(), log: silentLogger })
    caches.list('Lamp.test.knode.dev').pop()
    caches.list('Lamp.test.knode.dev', 'shop').pop()
    assert.equal(caches.list('Lamp.test.knode.dev').length, 1)
    assert.equal(caches.list('Lamp.test.knode.dev', 'shop').length, 1)
  })
})

function overriding(store: ResourceStore, own: Partial<ResourceStore>): ResourceStore {
  return new Proxy(store, {
    get(target, property) {
      const value: unknown = Reflect.get(own, property) ?? Reflect.get(target, property)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** A store whose watches wait at a gate before they hand on a change. */
function slowWatch(store: ResourceStore, gate: { open: boolean; waiting: (() => void)[] }): ResourceStore {
  return overriding(store, {
    async *watch(scope, options) {
      for await (const change of store.watch(scope, options)) {
        if (!gate.open) await new Promise<void>((resolve) => void gate.waiting.push(resolve))
        yield change
      }
    },
  })
}
