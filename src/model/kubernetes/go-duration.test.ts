import assert from 'node:assert/strict'
import { test } from 'node:test'
import { goDuration, parseGoDuration } from './go-duration.ts'

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

test('durations are printed as Go prints them', () => {
  const printed: [ms: number, text: string][] = [
    [0, '0s'],
    [0.0000015 * 1e3, '1.5µs'],
    [100, '100ms'],
    [1_500, '1.5s'],
    [6_000, '6s'],
    [60_000, '1m0s'],
    [3_600_000, '1h0m0s'],
    [5_400_250, '1h30m0.25s'],
    [-2_000, '-2s'],
  ]
  for (const [ms, text] of printed) assert.equal(goDuration(ms), text)
})

test('a text that is no duration is refused at once, however long it is', () => {
  for (const text of ['1'.repeat(1_000_000), `1.${'1'.repeat(1_000_000)}`, '1h'.repeat(500_000)]) {
    assert.equal(parseGoDuration(`${text}!`), undefined)
  }
})
