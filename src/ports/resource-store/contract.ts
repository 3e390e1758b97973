// What every resource store promises. A driver's test calls this once.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ConflictError, GoneError, KnodeError } from '../../base/errors.ts'
import { settle } from '../../base/fake-clock.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import type { Change, ResourceKey, ResourceScope, ResourceStore, StoreRevision } from './port.ts'

/** Opens an empty store that keeps at least this many changes for watches. */
export type OpenStore = (options?: { historyChangesMax?: number }) => Promise<ResourceStore>

export function itKeepsTheStoreContract(open: OpenStore): void {
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

  describe('optimistic concurrency', () => {
    it('refuses a put that expects an older revision', async () => {
      await using store = await open()
      const first = await store.put(key('a'), aTrigger('a', 'one'))
      const second = await store.put(key('a'), aTrigger('a', 'two'), { expected: revisionOf(first) })
      await assert.rejects(store.put(key('a'), aTrigger('a', 'three'), { expected: revisionOf(first) }), ConflictError)
      assert.deepEqual(await store.get(key('a')), second)
    })

    it('creates only what does not exist when asked to expect nothing', async () => {
      await using store = await open()
      await store.put(key('a'), aTrigger('a'), { expected: null })
      await assert.rejects(store.put(key('a'), aTrigger('a'), { expected: null }), { code: 'CONFLICT' })
      await store.delete(key('a'))
      await store.put(key('a'), aTrigger('a'), { expected: null })
    })

    it('does not bring back an object that was deleted meanwhile', async () => {
      await using store = await open()
      const stored = await store.put(key('a'), aTrigger('a'))
      await store.delete(key('a'))
      await assert.rejects(store.put(key('a'), aTrigger('a'), { expected: revisionOf(stored) }), ConflictError)
    })

    it('deletes only the expected revision', async () => {
      await using store = await open()
      const first = await store.put(key('a'), aTrigger('a', 'one'))
      await store.put(key('a'), aTrigger('a', 'two'))
      await assert.rejects(store.delete(key('a'), { expected: revisionOf(first) }), ConflictError)
      assert.notEqual(await store.get(key('a')), undefined)
    })

    it('without an expectation lets the last write win', async () => {
      await using store = await open()
      await store.put(key('a'), aTrigger('a', 'one'))
      await store.put(key('a'), aTrigger('a', 'two'))
      assert.deepEqual((await store.get(key('a')))?.spec, { broker: 'two' })
    })

    it('lets one of many concurrent writers win, and shows the winner to the losers', async () => {
      await using store = await open()
      const first = await store.put(key('a'), aTrigger('a'))
      const attempts = Array.from({ length: 20 }, async (_, writer) => {
        try {
          return await store.put(key('a'), aTrigger('a', `writer-${writer}`), { expected: revisionOf(first) })
        } catch (error) {
          assert.ok(error instanceof ConflictError)
          // Reading after a conflict must help: else a retrying writer would turn in circles.
          assert.notEqual(revisionOf((await store.get(key('a')))!), revisionOf(first))
          return undefined
        }
      })
      const winners = (await Promise.all(attempts)).filter((stored) => stored !== undefined)
      assert.equal(winners.length, 1)
      assert.deepEqual(await store.get(key('a')), winners[0])
    })

    it('counts to a hundred with ten concurrent writers that repeat on conflict', async () => {
      await using store = await open()
      await store.put(key('counter'), { ...aTrigger('counter'), spec: { count: 0 } })
      const increment = async (): Promise<void> => {
        for (;;) {
          const current = (await store.get(key('counter')))!
          const next = { ...current, spec: { count: (current.spec as { count: number }).count + 1 } }
          try {
            return void (await store.put(key('counter'), next, { expected: revisionOf(current) }))
          } catch (error) {
            assert.ok(error instanceof ConflictError)
          }
        }
      }
      await Promise.all(
        Array.from({ length: 10 }, async () => {
          for (let time = 0; time < 10; time++) await increment()
        }),
      )
      assert.deepEqual((await store.get(key('counter')))?.spec, { count: 100 })
    })

    it('stores five hundred objects put at once, each with a revision of its own', async () => {
      await using store = await open()
      const names = Array.from({ length: 500 }, (_, index) => `t${index}`)
      const stored = await Promise.all(names.map((name) => store.put(key(name), aTrigger(name))))
      assert.equal(new Set(stored.map(revisionOf)).size, 500)
      assert.equal((await store.list({})).items.length, 500)
    })

    it('keeps the order of calls on one object, deletions included', async () => {
      await using store = await open()
      const created = store.put(key('a'), aTrigger('a', 'one'), { expected: null })
      const deleted = store.delete(key('a'))
      const again = store.put(key('a'), aTrigger('a', 'two'), { expected: null })
      assert.equal((await created).spec !== undefined, true)
      assert.deepEqual((await deleted)?.spec, { broker: 'one' })
      await again
      assert.deepEqual((await store.get(key('a')))?.spec, { broker: 'two' })
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

  describe('watches', () => {
    it('tell added, modified and deleted in order, with the state before', async () => {
      await using store = await open()
      const from = await store.revision()
      const added = await store.put(key('a'), aTrigger('a', 'one'))
      const modified = await store.put(key('a'), aTrigger('a', 'two'))
      const deleted = (await store.delete(key('a')))!
      const again = await store.put(key('a'), aTrigger('a', 'three'))
      assert.deepEqual(await take(store, {}, from, 4), [
        { type: 'added', key: key('a'), resource: added, revision: revisionOf(added) },
        { type: 'modified', key: key('a'), resource: modified, previous: added, revision: revisionOf(modified) },
        { type: 'deleted', key: key('a'), resource: deleted, previous: modified, revision: revisionOf(deleted) },
        { type: 'added', key: key('a'), resource: again, revision: revisionOf(again) },
      ])
    })

    it('tell of a deletion with the last state and the revision of the deletion', async () => {
      await using store = await open()
      const stored = await store.put(key('a'), aTrigger('a', 'one'))
      const deleted = (await store.delete(key('a')))!
      assert.deepEqual(deleted.spec, { broker: 'one' })
      assert.ok(Number(revisionOf(deleted)) > Number(revisionOf(stored)))
    })

    it('start in the past, after the revision they name', async () => {
      await using store = await open()
      const first = await store.put(key('a'), aTrigger('a'))
      await store.put(key('b'), aTrigger('b'))
      await store.put(key('c'), aTrigger('c'))
      assert.deepEqual(namesOf(await take(store, {}, revisionOf(first), 2)), ['b', 'c'])
    })

    it('go from the past to the present without a gap or a repetition', async () => {
      await using store = await open()
      const from = await store.revision()
      for (let index = 0; index < 50; index++) await store.put(key(`old-${index}`), aTrigger('t'))
      const watched = take(store, {}, from, 150)
      await settle()
      await Promise.all(Array.from({ length: 100 }, (_, index) => store.put(key(`new-${index}`), aTrigger('t'))))
      const revisions = (await watched).map(({ revision }) => Number(revision))
      assert.deepEqual(
        revisions,
        [...new Set(revisions)].sort((a, b) => a - b),
      )
      assert.equal(revisions.length, 150)
    })

    it('see only their scope', async () => {
      await using store = await open()
      const from = await store.revision()
      await store.put({ resource: 'brokers', namespace: 'default', name: 'other-kind' }, aTrigger('x'))
      await store.put({ resource: 'triggers', namespace: 'other', name: 'other-namespace' }, aTrigger('x'))
      await store.put(key('mine'), aTrigger('mine'))
      const scope = { resource: 'triggers', namespace: 'default' }
      assert.deepEqual(namesOf(await take(store, scope, from, 1)), ['mine'])
    })

    it('all see the same changes, each at its own pace', async () => {
      await using store = await open()
      const from = await store.revision()
      const eager = take(store, {}, from, 10)
      for (let index = 0; index < 10; index++) await store.put(key(`t${index}`), aTrigger('t'))
      assert.deepEqual(await take(store, {}, from, 10), await eager)
    })

    it('show a change only when get and list show it, too', async () => {
      await using store = await open()
      const from = await store.revision()
      const stop = new AbortController()
      const seen = (async () => {
        for await (const change of store.watch({}, { from, signal: stop.signal })) {
          assert.deepEqual(await store.get(change.key), change.resource)
          if (change.key.name === 't19') return
        }
      })()
      await Promise.all(Array.from({ length: 20 }, (_, index) => store.put(key(`t${index}`), aTrigger('t'))))
      await seen
    })

    it('end without an error when aborted, asleep or not', async () => {
      await using store = await open()
      const from = await store.revision()
      await store.put(key('a'), aTrigger('a'))
      const stop = new AbortController()
      const seen: Change[] = []
      const asleep = (async () => {
        for await (const change of store.watch({}, { from, signal: stop.signal })) seen.push(change)
      })()
      await settle()
      stop.abort()
      await asleep
      assert.equal(seen.length, 1)
      for await (const _ of store.watch({}, { from, signal: stop.signal })) assert.fail('was aborted before')
    })

    it('say that history is gone when it was compacted away', async () => {
      await using store = await open({ historyChangesMax: 10 })
      const from = await store.revision()
      for (let index = 0; index < 40; index++) await store.put(key(`t${index}`), aTrigger('t'))
      await assert.rejects(take(store, {}, from, 1), GoneError)
      await assert.rejects(take(store, {}, 'nonsense', 1), GoneError)
    })

    it('say that history is gone to a watcher that lags too far, and to nobody else', async () => {
      await using store = await open({ historyChangesMax: 10 })
      const from = await store.revision()
      const stop = new AbortController()
      const slow = store.watch({}, { from, signal: stop.signal })[Symbol.asyncIterator]()
      const quiet = take(store, { resource: 'brokers' }, from, 1)
      const first = slow.next()
      for (let index = 0; index < 40; index++) await store.put(key(`t${index}`), aTrigger('t'))
      await first
      await assert.rejects(async () => {
        for (let index = 0; index < 40; index++) await slow.next()
      }, GoneError)
      await store.put({ resource: 'brokers', namespace: 'default', name: 'b' }, aTrigger('b'))
      assert.equal((await quiet).length, 1)
    })
  })

  describe('closing', () => {
    it('finishes what was accepted, refuses what comes after, and may be repeated', async () => {
      const store = await open()
      const accepted = store.put(key('a'), aTrigger('a'))
      const closed = store[Symbol.asyncDispose]()
      await accepted
      await closed
      await store[Symbol.asyncDispose]()
      const refusal = { code: 'STORE_FAILED' }
      await assert.rejects(store.put(key('b'), aTrigger('b')), refusal)
      await assert.rejects(store.get(key('a')), refusal)
      await assert.rejects(store.list({}), refusal)
      await assert.rejects(store.delete(key('a')), refusal)
    })

    it('ends watches with an error, so that nobody takes the silence for peace', async () => {
      const store = await open()
      const watched = take(store, {}, await store.revision(), 1)
      await settle()
      const ended = assert.rejects(watched, (error) => error instanceof KnodeError && error.code === 'STORE_FAILED')
      await store[Symbol.asyncDispose]()
      await ended
    })
  })
}

const key = (name: string): ResourceKey => ({ resource: 'triggers', namespace: 'default', name })

const aTrigger = (name: string, broker = 'default'): Resource => ({
  apiVersion: 'eventing.knative.dev/v1',
  kind: 'Trigger',
  metadata: { name, namespace: 'default' },
  spec: { broker },
})

const revisionOf = (resource: Resource): StoreRevision => resource.metadata.resourceVersion!
const namesOf = (changes: Change[]): string[] => changes.map(({ key: { name } }) => name)

async function take(store: ResourceStore, scope: ResourceScope, from: StoreRevision, count: number): Promise<Change[]> {
  const changes: Change[] = []
  const stop = new AbortController()
  for await (const change of store.watch(scope, { from, signal: stop.signal })) {
    if (changes.push(change) === count) stop.abort()
  }
  return changes
}
