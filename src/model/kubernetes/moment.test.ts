import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseMoment } from './moment.ts'

test('a moment is how long ago it was, or a time with its zone; nothing else is one', () => {
  const nowMs = Date.UTC(2026, 0, 31, 12)
  const rows: [string, number | undefined][] = [
    ['1h30m', Date.UTC(2026, 0, 31, 10, 30)],
    ['0', nowMs],
    ['2026-01-31T08:00:00.5Z', Date.UTC(2026, 0, 31, 8, 0, 0, 500)],
    ['2026-01-31T08:00:00+02:00', Date.UTC(2026, 0, 31, 6)],
    ['-1h', undefined],
    ['2026-01-31', undefined],
    ['2026-02-31T08:00:00Z', undefined],
    ['yesterday', undefined],
    ['', undefined],
  ]
  for (const [text, expected] of rows) assert.equal(parseMoment(text, nowMs), expected, text)
})
