// Waiting for what real I/O brings about.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually, inTime } from './eventually.ts'

/** Real time that passes by `msPerTurn` a turn. */
function aTime(msPerTurn: number) {
  let nowMs = 0
  return { nowMs: () => nowMs, turn: async () => void (nowMs += msPerTurn) }
}

test('what comes late is found, and told', async () => {
  let looks = 0
  assert.equal(await eventually(() => (++looks === 5 ? 'it' : undefined), 'it', aTime(10)), 'it')
  assert.equal(await eventually(async () => ++looks === 10, 'ten looks'), true)
})

test('what never comes is named, with what there was instead', async () => {
  let looks = 0
  const never = eventually(() => ++looks < 0, 'a wonder', aTime(50))
  await assert.rejects(never, { message: 'waited in vain for a wonder' })
  assert.equal(looks, 60_000 / 50 + 2)
  const told = eventually(
    () => undefined,
    () => `a wonder, saw ${looks} looks`,
    aTime(50),
  )
  await assert.rejects(told, { message: /^waited in vain for a wonder, saw 1202 looks$/ })
})

test('a machine that stood still has not waited', async () => {
  let looks = 0
  assert.equal(await eventually(() => ++looks > 100, 'a hundred looks', aTime(3_600_000)), true)
})

test('work that comes to an end is waited for, and its failure told', async () => {
  assert.equal(await inTime(Promise.resolve('it'), 'it'), 'it')
  await assert.rejects(inTime(Promise.reject(new Error('broken')), 'it'), { message: 'broken' })
})

test('work that never ends is named', async () => {
  const never = inTime(new Promise(() => undefined), 'the end of time', { patienceMs: 0 })
  await assert.rejects(never, { message: 'waited in vain for the end of time' })
  let bytes = 0
  const told = inTime(new Promise(() => undefined), () => `more than ${bytes} bytes`, { patienceMs: 0 })
  bytes = 7
  await assert.rejects(told, { message: 'waited in vain for more than 7 bytes' })
})
