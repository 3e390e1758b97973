// What is remembered of events, for how long, and how many.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../base/random.ts'
import { EventMemory, identityOf } from './event-memory.ts'
import { anEvent } from './test-bed.ts'

test('source and id make the identity, and no other pair has the same', () => {
  const of = (source: string, id: string): string => identityOf(anEvent({ source, id }))
  assert.equal(of('/a', '1'), identityOf(anEvent({ source: '/a', id: '1', type: 'other' }, 'other data')))
  assert.notEqual(of('/a', 'b1'), of('/ab', '1'))
  const long = 'x'.repeat(100_000)
  assert.ok(of('/a', long).length < 100)
  assert.equal(of('/a', long), of('/a', long))
  assert.notEqual(of('/a', long), of('/b', long))
})

test('never more than the bound is kept, the oldest go first, and that is said', () => {
  const memory = new EventMemory({ windowMs: 1_000, entriesMax: 3 })
  for (const key of ['a', 'b', 'c']) assert.equal(memory.add(key, 0), false)
  assert.equal(memory.add('d', 1), true)
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((key) => memory.has(key, 1)),
    [false, true, true, true],
  )
  assert.equal(memory.add('e', 1_000), false)
  assert.equal(memory.size, 2)
})

test('remembers exactly what a plain list of all events would say, over many seeded histories', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = seededRandom(seed)
    const pick = (below: number): number => Math.floor(random.next() * below)
    const windowMs = 1 + pick(50)
    const memory = new EventMemory({ windowMs, entriesMax: 1_000 })
    const all = new Map<string, number>()
    let nowMs = 0
    for (let step = 0; step < 200; step++) {
      nowMs += pick(10)
      const key = String(pick(20))
      const storedMs = all.get(key)
      assert.equal(memory.has(key, nowMs), storedMs !== undefined && nowMs - storedMs < windowMs, `seed ${seed}`)
      if (random.next() < 0.5) continue
      memory.add(key, nowMs)
      all.set(key, nowMs)
      const live = [...all.values()].filter((ms) => nowMs - ms < windowMs).length
      assert.equal(memory.size, live, `seed ${seed}`)
    }
  }
})
