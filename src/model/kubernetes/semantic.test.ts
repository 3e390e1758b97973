import assert from 'node:assert/strict'
import { test } from 'node:test'
import { covers, semanticallyEqual } from './semantic.ts'

const equalities: [unknown, unknown, boolean][] = [
  [{ a: 1, b: { c: [1, 2] } }, { b: { c: [1, 2] }, a: 1 }, true],
  [{ a: 1, b: {}, c: [], d: undefined, e: null }, { a: 1 }, true],
  [{ a: '' }, {}, false],
  [{ a: 0 }, {}, false],
  [{ a: false }, { a: null }, false],
  [[1, 2], [2, 1], false],
  [[{}], [], false],
  [['a'], { 0: 'a' }, false],
  ['1', 1, false],
]

test('objects are equal when they say the same: order of keys and emptiness do not count', () => {
  for (const [a, b, equal] of equalities) {
    assert.equal(semanticallyEqual(a, b), equal, `${JSON.stringify(a)} and ${JSON.stringify(b)}`)
    assert.equal(semanticallyEqual(b, a), equal, `${JSON.stringify(b)} and ${JSON.stringify(a)}`)
  }
})

const coverages: [actual: unknown, wanted: unknown, covered: boolean][] = [
  [{ a: 1, b: 2 }, { a: 1 }, true],
  [{ a: 1 }, { a: 1, b: 2 }, false],
  [{ a: { b: 1, c: 2 } }, { a: { c: 2 } }, true],
  [{ list: [{ name: 'x', port: 1 }] }, { list: [{ name: 'x' }] }, true],
  [{ list: [1, 2] }, { list: [1] }, false],
  [{ list: [1] }, { list: [] }, false],
  [{}, { list: [], map: {}, gone: undefined }, true],
  [{ a: 1 }, { a: {} }, true],
  [{ a: '1' }, { a: 1 }, false],
  [undefined, { a: 1 }, false],
]

test('an object covers another when it has all that the other gives, lists in full', () => {
  for (const [actual, wanted, covered] of coverages) {
    assert.equal(covers(actual, wanted), covered, `${JSON.stringify(actual)} over ${JSON.stringify(wanted)}`)
  }
})
