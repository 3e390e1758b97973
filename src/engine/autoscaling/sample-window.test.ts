import assert from 'node:assert/strict'
import test from 'node:test'
import { seededRandom } from '../../base/random.ts'
import { SampleWindow, weightOf } from './sample-window.ts'

const filled = (seconds: number, values: readonly number[], from = 100): SampleWindow => {
  const window = new SampleWindow(seconds, 'linear')
  for (const [at, value] of values.entries()) window.record(from + at, value)
  return window
}

test('a young window averages only the seconds it has seen', () => {
  const window = filled(60, [10, 20])
  assert.equal(window.average(101), 15)
})

test('a full window forgets what is older than it', () => {
  const window = filled(3, [100, 1, 2, 3])
  assert.equal(window.average(103), 2)
})

test('seconds left out between values are zeros', () => {
  const window = filled(60, [12])
  window.record(103, 12)
  assert.equal(window.average(103), 6)
})

test('the time since the last value is left out of the average', () => {
  const window = filled(6, [6, 6, 6, 6, 6, 6])
  assert.equal(window.average(108), 6)
})

test('after a whole window without a value the average is 0, and a new value stands alone', () => {
  const window = filled(6, [6, 6, 6])
  assert.equal(window.average(108), 0)
  assert.equal(window.isEmpty(108), false)
  assert.equal(window.isEmpty(109), true)
  window.record(110, 40)
  assert.equal(window.average(110), 40)
})

test('values of one second add up', () => {
  const window = filled(6, [1])
  window.record(100, 2)
  assert.equal(window.average(100), 3)
})

test('averages have six decimals', () => {
  assert.equal(filled(6, [1, 0, 0]).average(102), 0.333333)
})

test('a silence dilutes what comes after it', () => {
  const window = new SampleWindow(6, 'linear')
  window.recordSilence(100)
  window.record(101, 6)
  assert.equal(window.average(101), 1)
})

test('the newest second of a weighted window counts 0.2 of 60 and 0.785 of 6', () => {
  assert.equal(weightOf(60), 0.2)
  assert.equal(weightOf(6).toFixed(3), '0.785')
})

test('a weighted average is the sum of value, share and age, and an empty tail ages all', () => {
  const window = new SampleWindow(60, 'weighted-exponential')
  for (const [at, value] of [10, 10, 5, 5].entries()) window.record(at, value)
  const expected = [5, 5, 10, 10].reduce((sum, value, age) => sum + value * 0.2 * 0.8 ** age, 0)
  assert.ok(Math.abs(window.average(3) - expected) < 1e-9)
  assert.ok(Math.abs(window.average(5) - expected * 0.64) < 1e-9)
  assert.equal(window.average(3 + 61), 0)
})

test('a window that grows keeps its values, one that shrinks the newest of them', () => {
  const window = filled(6, [1, 2, 3, 4, 5, 6])
  window.resize(3)
  assert.equal(window.average(105), 5)
  window.resize(10)
  assert.equal(window.average(105), 5)
  window.record(106, 9)
  assert.equal(window.average(106), 6)
})

test('an empty window can be resized', () => {
  const window = new SampleWindow(6, 'linear')
  window.resize(3)
  assert.equal(window.average(5), 0)
  window.record(5, 2)
  assert.equal(window.average(5), 2)
})

test('the average of any history lies between its least and its greatest value, and equals a plain count', () => {
  const random = seededRandom(11)
  for (let run = 0; run < 200; run++) {
    const seconds = 1 + Math.floor(random.next() * 20)
    const window = new SampleWindow(seconds, 'linear')
    const seen = new Map<number, number>()
    let second = 1_000
    let first = second
    let last = Number.NEGATIVE_INFINITY
    for (let step = 0; step < 60; step++) {
      second += Math.floor(random.next() * 3)
      if (random.next() < 0.1) second += seconds
      if (second - last >= seconds) first = second
      const value = Math.floor(random.next() * 100)
      seen.set(second, (seen.get(second) ?? 0) + value)
      window.record(second, value)
      last = second
      const from = Math.max(first, second - seconds + 1)
      const values = Array.from({ length: second - from + 1 }, (_, at) => seen.get(from + at) ?? 0)
      const expected = values.reduce((sum, each) => sum + each, 0) / values.length
      assert.ok(Math.abs(window.average(second) - expected) < 1e-6, `run ${run}, step ${step}`)
    }
  }
})
