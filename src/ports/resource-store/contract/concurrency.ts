// Promises to writers who do not know of each other.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ConflictError } from '../../../base/errors.ts'
import { aTrigger, key, revisionOf } from './test-bed.ts'
import type { OpenStore } from './test-bed.ts'

export function itKeepsWritersApart(open: OpenStore): void {
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
}
