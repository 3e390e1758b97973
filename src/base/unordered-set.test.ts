// What the set promises whatever comes and goes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from './random.ts'
import { UnorderedSet } from './unordered-set.ts'

test('an unordered set has what came and did not leave', () => {
  const random = seededRandom(7)
  const items = Array.from({ length: 20 }, (_, name) => ({ name, place: -1 }))
  const set = new UnorderedSet<(typeof items)[number]>()
  const model = new Set<(typeof items)[number]>()
  for (let step = 0; step < 2_000; step++) {
    const item = items[Math.floor(random.next() * items.length)]!
    if (model.has(item)) {
      model.delete(item)
      set.delete(item)
    } else {
      model.add(item)
      set.add(item)
    }
    assert.equal(set.size, model.size)
    assert.deepEqual(new Set(set.toArray()), model)
  }
})

test('leaving twice, or without having come, is fine', () => {
  const [one, other] = [{ place: -1 }, { place: -1 }]
  const set = new UnorderedSet()
  set.add(one)
  set.delete(other)
  set.delete(one)
  set.delete(one)
  assert.equal(set.size, 0)
})

test('a copy stays as it is while members leave', () => {
  const members = Array.from({ length: 5 }, () => ({ place: -1 }))
  const set = new UnorderedSet<(typeof members)[number]>()
  for (const member of members) set.add(member)
  for (const member of set.toArray()) set.delete(member)
  assert.equal(set.size, 0)
})
