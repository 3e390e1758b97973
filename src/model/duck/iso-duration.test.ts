// What counts as an ISO 8601 duration.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseIsoDurationMs } from './iso-duration.ts'

const durations: [string, number][] = [
  ['PT1S', 1000],
  ['PT1M30S', 90_000],
  ['PT1.5S', 1500],
  ['PT1,5S', 1500],
  ['P1D', 86_400_000],
  ['P1DT2H', 93_600_000],
  ['P1W', 604_800_000],
  ['P1M', ((730 * 60 + 29) * 60 + 6) * 1000],
  ['P1Y', ((8765 * 60 + 49) * 60 + 12) * 1000],
  ['PT0.25S', 250],
  ['PT0.05S', 50],
  ['PT0.2S', 200],
  ['PT0S', 0],
  ['+PT1S', 1000],
]

for (const [text, ms] of durations) {
  test(`${text} lasts ${ms} ms`, () => assert.equal(parseIsoDurationMs(text), ms))
}

const refused = [
  '',
  '0',
  '1s',
  'pt1s',
  'P',
  'PT',
  'PT 1S',
  'P1DT',
  '-PT1S',
  'PT-1S',
  'P1S',
  'PT1D',
  'PT1.5M2S',
  'PT1S ',
]

for (const text of refused) {
  test(`"${text}" is no duration`, () => assert.equal(parseIsoDurationMs(text), undefined))
}

test('a very long text is refused without being searched', () => {
  assert.equal(parseIsoDurationMs(`P${'1'.repeat(100_000)}Y`), undefined)
})
