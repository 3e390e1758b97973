import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseQuantity } from './quantity.ts'

test('quantities are read with their decimal and binary suffixes, and what is none is told apart', () => {
  const rows: [string | number, number | undefined][] = [
    ['100m', 0.1],
    [2, 2],
    ['1.5', 1.5],
    ['512Mi', 536_870_912],
    ['1Gi', 1_073_741_824],
    ['2k', 2_000],
    ['2e3', 2_000],
    ['1E', 1e18],
    ['.5', 0.5],
    ['-1', -1],
    ['', undefined],
    ['1 Gi', undefined],
    ['1gi', undefined],
    ['m', undefined],
  ]
  for (const [text, value] of rows) assert.equal(parseQuantity(text), value, String(text))
})

test('a text that is no quantity is refused at once, however long it is', () => {
  for (const text of ['1'.repeat(1_000_000), `1.${'1'.repeat(1_000_000)}`])
    assert.equal(parseQuantity(`${text}!`), undefined)
})
