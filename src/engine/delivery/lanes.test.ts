// Lanes keep the order of a key and few events in memory, whatever happens to them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../../base/eventually.ts'
import { settle } from '../../base/fake-clock.ts'
import { seededRandom } from '../../base/random.ts'
import type { Delivery, Offset } from '../../ports/event-transport/port.ts'
import type { Verdict } from './course.ts'
import { Lanes } from './lanes.ts'
import { anEvent } from './test-bed.ts'

const done: Verdict = { kind: 'done' }

/** Lanes, and the stream that they take events from. */
function aBed(work: (delivery: Delivery) => Promise<Verdict>, { perKeyMax = 3, heldMax = 10 } = {}) {
  const [aside, acked, retried, recalled] = [new Set<Offset>(), [] as Offset[], [] as Offset[], [] as Offset[]]
  const inHand = new Set<Offset>()
  const lanes = new Lanes({ perKeyMax, heldMax, work, recall: (offset) => void recalled.push(offset) })
  const leave = (offset: Offset): void => assert.ok(inHand.delete(offset), `${offset} is in hand`)
  const come = (key: string, offset: Offset, { attempt = 1, isDue = true } = {}): void => {
    aside.delete(offset)
    inHand.add(offset)
    const delivery: Delivery = {
      offset,
      attempt,
      dueMs: 0,
      appendedMs: 0,
      message: { event: anEvent(), headers: {} },
      ack() {
        leave(offset)
        acked.push(offset)
      },
      retryLater() {
        leave(offset)
        retried.push(offset)
      },
      setAside() {
        leave(offset)
        aside.add(offset)
      },
    }
    lanes.arrive(key, delivery, { isDue })
  }
  return { lanes, come, aside, acked, retried, recalled, inHand }
}

test('works of one key go one after the other, in order; another key does not wait', async () => {
  const ends = new Map<Offset, (verdict: Verdict) => void>()
  const { come, acked } = aBed(({ offset }) => new Promise((resolve) => ends.set(offset, resolve)))
  for (const [key, offset] of [
    ['a', 0],
    ['a', 1],
    ['b', 2],
  ] as const) {
    come(key, offset)
  }
  assert.deepEqual([...ends.keys()], [0, 2])
  ends.get(2)!(done)
  await settle()
  assert.deepEqual(acked, [2])
  ends.get(0)!(done)
  await eventually(() => ends.has(1), 'the next of its key')
  ends.get(1)!(done)
  await settle()
  assert.deepEqual(acked, [2, 0, 1])
})

test('behind one that waits for another try nothing of its key stays in memory', async () => {
  const { come, aside, retried, inHand, recalled } = aBed(({ attempt }) =>
    Promise.resolve(attempt === 1 ? { kind: 'retry', delayMs: 5 } : done),
  )
  for (let offset = 0; offset < 10; offset++) come('a', offset)
  await settle()
  assert.deepEqual([retried, inHand.size, aside.size], [[0], 0, 9])
  come('a', 0, { attempt: 2 })
  await settle()
  assert.deepEqual(recalled, [1, 2, 3])
})

test('the first of a key that comes before its time holds the others up until then', async () => {
  const worked: Offset[] = []
  const { come, aside } = aBed(({ offset }) => Promise.resolve((worked.push(offset), done)))
  come('a', 0, { attempt: 2, isDue: false })
  come('a', 1)
  assert.deepEqual([[...aside], worked], [[0, 1], []])
  come('a', 0, { attempt: 2 })
  await settle()
  come('a', 1)
  assert.deepEqual(worked, [0, 1])
})

test('the first of a key that comes before its time is asked for, lest its time came meanwhile and nobody brought it', () => {
  const { come, recalled } = aBed(() => Promise.resolve(done))
  come('a', 0, { attempt: 2, isDue: false })
  come('a', 1)
  assert.deepEqual(recalled, [0])
})

test('an event that can no longer be read is passed over', async () => {
  const worked: Offset[] = []
  const { lanes, come, recalled } = aBed(({ offset, attempt }) => {
    worked.push(offset)
    return Promise.resolve(offset === 0 && attempt === 1 ? { kind: 'retry', delayMs: 5 } : done)
  })
  for (let offset = 0; offset < 4; offset++) come('a', offset)
  await settle()
  lanes.lost(2)
  lanes.lost(0)
  assert.deepEqual(recalled, [1, 3])
  lanes.lost(1)
  lanes.lost(17)
  come('a', 3)
  assert.deepEqual(worked, [0, 3])
})

test('whatever comes, waits and fails, each event of a key is done once and in order, and memory stays bounded', async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = seededRandom(seed)
    const pick = (count: number): number => Math.floor(random.next() * count)
    const going: ((verdict: Verdict) => void)[] = []
    const bed = aBed(() => new Promise((resolve) => going.push(resolve)), { perKeyMax: 3, heldMax: 8 })
    const keyOf = (offset: Offset): string => String((offset * 7_919) % 5)
    for (let next = 0; next < 200 || bed.acked.length < 200; await settle()) {
      const choice = pick(4)
      if (choice === 0 && next < 200) bed.come(keyOf(next), next++)
      else if (choice === 1)
        going.splice(pick(going.length), 1)[0]?.(pick(3) === 0 ? { kind: 'retry', delayMs: 0 } : done)
      else if (choice === 2 && bed.retried.length > 0) {
        const [offset] = bed.retried.splice(pick(bed.retried.length), 1)
        bed.come(keyOf(offset!), offset!, { attempt: 2 })
      } else if (choice === 3) {
        for (const offset of bed.recalled.splice(0)) if (bed.aside.has(offset)) bed.come(keyOf(offset), offset)
      }
      assert.ok(bed.inHand.size <= 8 + 5, `seed ${seed}: ${bed.inHand.size} in hand`)
    }
    for (let key = 0; key < 5; key++) {
      const order = bed.acked.filter((offset) => keyOf(offset) === String(key))
      assert.deepEqual(
        order,
        order.toSorted((one, other) => one - other),
        `seed ${seed}`,
      )
    }
    assert.equal(new Set(bed.acked).size, 200)
  }
})
