// Bounds and rates.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settle } from '../../base/fake-clock.ts'
import { Pace, Slots } from './pacing.ts'

test('no more than the bound are in at once, and the others enter in order', async () => {
  const slots = new Slots(2)
  const entered: number[] = []
  const enter = async (name: number): Promise<void> => {
    await slots.enter()
    entered.push(name)
  }
  for (const name of [1, 2, 3, 4]) void enter(name)
  await settle()
  assert.deepEqual(entered, [1, 2])
  slots.leave()
  await settle()
  assert.deepEqual(entered, [1, 2, 3])
})

test('closed slots let nobody in and tell when the last one has left', async () => {
  const slots = new Slots(1)
  await slots.enter()
  let isIn = false
  void slots.enter()?.then(() => (isIn = true))
  let isEmpty = false
  const closing = slots.close().then(() => (isEmpty = true))
  await settle()
  assert.deepEqual([isIn, isEmpty], [false, false])
  slots.leave()
  await closing
  assert.equal(isIn, false)
})

/** Starts per second when everyone is waiting. */
function startsWithin(perSecond: number, untilMs: number): number {
  const pace = new Pace(perSecond)
  let starts = 0
  for (let nowMs = 0; nowMs < untilMs; starts++) nowMs += pace.reserve(nowMs)
  return starts
}

test('a rate is kept, slow or fast', () => {
  assert.ok(Math.abs(startsWithin(2, 10_000) - 20) <= 1)
  assert.ok(Math.abs(startsWithin(1_000, 10_000) - 10_000) <= 101)
  assert.ok(Math.abs(startsWithin(5_000, 1_000) - 5_000) <= 501)
})

test('an idle time is not saved up beyond a short burst', () => {
  const pace = new Pace(100)
  pace.reserve(0)
  let burst = 0
  while (pace.reserve(3_600_000) === 0) burst++
  assert.ok(burst <= 11, `${burst} starts at once`)
})
