// Names of headers are their senders' choice.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { valuesByName } from './values-by-name.ts'

test('values are gathered by name, whatever the name', () => {
  const fields = [
    ['X-Sum', '1'],
    ['constructor', 'a'],
    ['__proto__', 'b'],
    ['x-sum', '2'],
    ['toString', 'c'],
  ] as const
  assert.deepEqual(Object.entries(valuesByName(fields)), [
    ['x-sum', ['1', '2']],
    ['constructor', ['a']],
    ['__proto__', ['b']],
    ['tostring', ['c']],
  ])
})
