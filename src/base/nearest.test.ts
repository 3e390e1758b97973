import assert from 'node:assert/strict'
import test from 'node:test'
import { nearest } from './nearest.ts'

test('a misspelt word finds the known one', () => {
  const known = ['apply', 'delete', 'describe', 'data-dir']
  for (const [word, meant] of [
    ['aply', 'apply'],
    ['delte', 'delete'],
    ['descirbe', 'describe'],
    ['datadir', 'data-dir'],
  ] as const) {
    assert.equal(nearest(word, known), meant)
  }
})

test('a word like no other finds nothing', () => {
  assert.equal(nearest('zzzz', ['apply', 'delete']), undefined)
})
