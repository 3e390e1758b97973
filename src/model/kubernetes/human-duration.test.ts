import assert from 'node:assert/strict'
import { test } from 'node:test'
import { humanAge, humanDuration } from './human-duration.ts'

test('durations are told in the units kubectl uses', () => {
  const seconds = (days: number, hours: number, minutes: number, rest: number): number =>
    ((days * 24 + hours) * 60 + minutes) * 60 + rest
  for (const [given, wanted] of [
    [-2, '<invalid>'],
    [-1, '0s'],
    [0, '0s'],
    [119, '119s'],
    [120, '2m'],
    [121, '2m1s'],
    [seconds(0, 0, 9, 59), '9m59s'],
    [seconds(0, 0, 10, 1), '10m'],
    [seconds(0, 2, 59, 59), '179m'],
    [seconds(0, 3, 0, 0), '3h'],
    [seconds(0, 7, 59, 0), '7h59m'],
    [seconds(0, 8, 1, 0), '8h'],
    [seconds(1, 23, 59, 59), '47h'],
    [seconds(2, 0, 0, 0), '2d'],
    [seconds(7, 23, 0, 0), '7d23h'],
    [seconds(8, 5, 0, 0), '8d'],
    [seconds(729, 0, 0, 0), '729d'],
    [seconds(730, 0, 0, 0), '2y'],
    [seconds(732, 0, 0, 0), '2y2d'],
    [seconds(365 * 9 + 3, 0, 0, 0), '9y'],
  ] as const) {
    assert.equal(humanDuration(given * 1000), wanted, `${given} seconds`)
  }
})

test('an age without a time is unknown, one without sense is invalid', () => {
  assert.equal(humanAge('2026-01-01T00:00:00Z', Date.UTC(2026, 0, 1, 0, 0, 42)), '42s')
  assert.equal(humanAge(undefined, 0), '<unknown>')
  assert.equal(humanAge(null, 0), '<unknown>')
  assert.equal(humanAge('yesterday', 0), '<invalid>')
})
