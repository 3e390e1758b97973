// The work of one evaluation of a data filter is bounded, and metering changes no verdict.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { cloudEvent } from '../../../model/cloudevents/event.ts'
import type { CloudEvent } from '../../../model/cloudevents/event.ts'
import { compileDataFilter } from './data-filter.ts'

const anEvent = (data: unknown): CloudEvent =>
  cloudEvent({ id: '1', source: '/', type: 't', datacontenttype: 'application/json' }, JSON.stringify(data))

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index)
const words = numbers(20_000).map((number) => `w${number}`)

describe('what goes over too much ends, false, and says so', () => {
  const cases: [text: string, data: unknown][] = [
    ['data.n.all(x, data.n.all(y, x + y >= 0.0))', { n: numbers(100_000) }],
    ['data.n.exists(x, (data.n).exists(y, x + y < 0.0)) || true', { n: numbers(100_000) }],
    ['data.n.all(x, x in (data.n + data.n))', { n: numbers(50_000) }],
    ['data.words.exists(word, data.text.contains(word))', { words, text: 'no'.repeat(200_000) }],
    [
      'data.words.exists(word, data.text != data.other)',
      { words, text: 'no'.repeat(100_000), other: 'no'.repeat(100_000) },
    ],
    [
      'data.m.exists(k, data.m.exists(l, k != l && data.m[k] == 7.0))',
      { m: Object.fromEntries(words.map((w) => [w, 1])) },
    ],
  ]
  for (const [text, data] of cases) {
    test(text, () => {
      const { passes, fault, message = '' } = compileDataFilter(text)(anEvent(data))
      assert.deepEqual([passes, fault], [false, 'data-filter-failed'])
      assert.match(message, /^takes more than dataFilterStepsMax \(1000000\) steps: /)
    })
  }

  test('and the next event has all the steps again', () => {
    const filter = compileDataFilter('data.n.all(x, data.n.all(y, x + y >= 0.0))')
    assert.equal(filter(anEvent({ n: numbers(100_000) })).passes, false)
    assert.deepEqual(filter(anEvent({ n: numbers(100) })), { passes: true })
  })
})

describe('an expression means the same with the meter in it', () => {
  const data = {
    a: [1, 2, 3],
    b: [
      { tags: ['x(', '//y'], name: 'one' },
      { tags: [')z'], name: 'two' },
    ],
    s: 'a ( b',
    none: [],
  }
  const cases: [text: string, passes: boolean][] = [
    ['(data.a + data.none).exists(x, x == 3.0)', true],
    ['((data.a)).filter(x, x > 1.0).all(y, (y + 1.0) != 2.0 && y in [2.0, 3.0])', true],
    ['data.b.exists(e, e.tags.exists(t, t == "x(")) && !data.b.all(e, e.name.startsWith("t)"))', true],
    ['data.b.exists(e, (e.name + ")").contains("o)"))', true],
    [`data.b.exists(e, ("(" + e.name).endsWith('(one')) && "x" in {"x": 1}`, true],
    ['data.b.map(e, e.name).exists_one(n, n in ["two", "(("])', true],
    ['1.0 in data.a && !(4.0 in data.a) // ) in (', true],
    ['data.b.exists(type, type.name == "two") && type == "t"', true],
    ['cel.bind(all, data.a, all.exists(x, all.exists(y, x + y == 6.0)))', true],
    ['data.b.exists(e, has(e.tags) && (e.tags).size() == 2)', true],
    ['data.none.exists(x, x == 1.0)', false],
    ['data.a.exists(x, subject.contains("x"))', false],
    ['data.a.map(x, x * 2.0).filter(x, x > 2.0).map(x, x)[0] == 4.0', true],
    ['(data.a.size() > 2 ? data.b : data.none).exists(e, e.name == "one")', true],
  ]
  for (const [text, passes] of cases) {
    test(text, () => assert.equal(compileDataFilter(text)(anEvent(data)).passes, passes))
  }
})

test('fields named like those that every object has are fields', () => {
  const named = anEvent({ constructor: 5, list: [{ constructor: 'x', toString: 1 }], ['__proto__']: { x: 1 } })
  for (const text of [
    'data.constructor == 5.0',
    'has(data.constructor) && !has(data.prototype) && !has(data.hasOwnProperty)',
    'data.list.exists(e, e.constructor == "x" && has(e.toString) && !has(e.valueOf))',
    '"constructor" in data && !("toString" in data)',
  ]) {
    assert.deepEqual(compileDataFilter(text)(named), { passes: true }, text)
  }
  assert.equal(compileDataFilter('has(data.constructor) || has(data.__proto__)')(anEvent({})).passes, false)
})
