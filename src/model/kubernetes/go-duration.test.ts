import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseGoDuration } from './go-duration.ts'

const rows: [text: string, ms: number | undefined][] = [
  ['60s', 60_000],
  ['1m0s', 60_000],
  ['1h30m', 5_400_000],
  ['1.5s', 1_500],
  ['.5s', 500],
  ['300ms', 300],
  ['1µs', 0.001],
  ['0', 0],
  ['-2s', -2_000],
  ['+2s', 2_000],
  ['', undefined],
  ['60', undefined],
  ['1d', undefined],
  ['s', undefined],
  ['1s ', undefined],
  ['PT1S', undefined],
]

test('durations are read as Go reads them', () => {
  for (const [text, ms] of rows) assert.equal(parseGoDuration(text), ms, text)
})
