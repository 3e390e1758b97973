// Promises about watches, and about the end of a store.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { GoneError, KnodeError } from '../../../base/errors.ts'
import { settle } from '../../../base/fake-clock.ts'
import type { Change } from '../port.ts'
import { aTrigger, key, namesOf, revisionOf, take } from './test-bed.ts'
import type { OpenStore } from './test-bed.ts'

export function itTellsChanges(open: OpenStore): void {
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
