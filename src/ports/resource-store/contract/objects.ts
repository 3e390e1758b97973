// Promises about objects and lists of them.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ResourceScope, ResourceStore } from '../port.ts'
import { aTrigger, key, revisionOf, take } from './test-bed.ts'
import type { OpenStore } from './test-bed.ts'

export function itKeepsObjects(open: OpenStore): void {
  describe('objects', () => {
    it('gives back what was put, with a revision written into it', async () => {
      await using store = await open()
      const stored = await store.put(key('orders'), aTrigger('orders', 'shop'))
      assert.match(revisionOf(stored), /^[1-9]\d*$/)
      assert.deepEqual(stored.spec, { broker: 'shop' })
      assert.deepEqual(await store.get(key('orders')), stored)
      assert.equal(await store.revision(), revisionOf(stored))
    })

    it('knows nothing of an object that was never put', async () => {
      await using store = await open()
      assert.equal(await store.get(key('orders')), undefined)
      assert.equal(await store.delete(key('orders')), undefined)
      assert.deepEqual((await store.list({})).items, [])
    })

    it('gives every change a higher revision than the one before', async () => {
      await using store = await open()
      const before = Number(await store.revision())
      const first = await store.put(key('a'), aTrigger('a'))
      const second = await store.put(key('b'), aTrigger('b'))
      const third = await store.put(key('a'), aTrigger('a', 'other'))
      const deleted = await store.delete(key('b'))
      const revisions = [before, ...[first, second, third, deleted!].map((object) => Number(revisionOf(object)))]
      assert.deepEqual(
        revisions,
        [...new Set(revisions)].sort((a, b) => a - b),
      )
      assert.equal(await store.revision(), revisionOf(deleted!))
    })

    it('takes names, namespaces and values in any script', async () => {
      await using store = await open()
      const odd = { resource: 'roles.rbac.authorization.k8s.io', namespace: '', name: 'system:渴了.Ünïcode "x"\n' }
      await store.put(odd, { ...aTrigger('渴了'), spec: { text: 'a\u2028b\u0000c', empty: {}, list: [null, 1.5] } })
      assert.deepEqual((await store.get(odd))?.spec, { text: 'a\u2028b\u0000c', empty: {}, list: [null, 1.5] })
      assert.equal(await store.get({ ...odd, namespace: 'default' }), undefined)
    })

    it('stores an object of a megabyte', async () => {
      await using store = await open()
      const text = 'ü'.repeat(1_000_000)
      await store.put(key('large'), { ...aTrigger('large'), spec: { text } })
      assert.deepEqual((await store.get(key('large')))?.spec, { text })
    })
  })

  describe('lists', () => {
    const filled = async (): Promise<ResourceStore> => {
      const store = await open()
      for (const [resource, namespace, name] of [
        ['triggers', 'b', 'z'],
        ['brokers', 'b', 'y'],
        ['triggers', 'a', 'x-2'],
        ['triggers', 'a', 'x'],
        ['triggers', 'a-b', 'a'],
        ['namespaces', '', 'a'],
      ] as const) {
        await store.put({ resource, namespace, name }, aTrigger(name, namespace))
      }
      return store
    }
    const names = async (store: ResourceStore, scope: ResourceScope): Promise<string[]> =>
      (await store.list(scope)).items.map(
        ({ metadata, spec }) => `${(spec as { broker: string }).broker}/${metadata.name}`,
      )

    it('sort by resource, namespace and name', async () => {
      await using store = await filled()
      assert.deepEqual(await names(store, {}), ['b/y', '/a', 'a/x', 'a/x-2', 'a-b/a', 'b/z'])
    })

    it('hold the objects of their scope and no others', async () => {
      await using store = await filled()
      assert.deepEqual(await names(store, { resource: 'triggers' }), ['a/x', 'a/x-2', 'a-b/a', 'b/z'])
      assert.deepEqual(await names(store, { resource: 'triggers', namespace: 'a' }), ['a/x', 'a/x-2'])
      assert.deepEqual(await names(store, { namespace: 'b' }), ['b/y', 'b/z'])
      assert.deepEqual(await names(store, { resource: 'namespaces', namespace: '' }), ['/a'])
      assert.deepEqual(await names(store, { resource: 'trigger' }), [])
    })

    it('stay in order when objects come and go', async () => {
      await using store = await filled()
      await store.delete({ resource: 'triggers', namespace: 'a', name: 'x' })
      await store.put({ resource: 'triggers', namespace: 'a', name: 'x-1' }, aTrigger('x-1', 'a'))
      assert.deepEqual(await names(store, { resource: 'triggers', namespace: 'a' }), ['a/x-1', 'a/x-2'])
    })

    it('tell the revision from which a watch misses nothing', async () => {
      await using store = await filled()
      const { revision } = await store.list({ resource: 'brokers' })
      assert.equal(revision, await store.revision())
      const stored = await store.put(key('next'), aTrigger('next'))
      const [change] = await take(store, {}, revision, 1)
      assert.deepEqual(change?.resource, stored)
    })
  })
}
