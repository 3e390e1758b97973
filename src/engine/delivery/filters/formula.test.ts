import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AttributeColumn } from './attribute-column.ts'
import type { Fact } from './attribute-column.ts'
import { attributePredicate } from './condition.ts'
import { barOf, evaluate, planOf } from './formula.ts'
import type { Formula } from './formula.ts'

const column = new AttributeColumn<string>()
const type = column.mention(attributePredicate('type', 'exact', 'a'))
const rare = column.mention(attributePredicate('type', 'exact', 'b'))
const start = column.mention(attributePredicate('type', 'prefix', 'a'))
for (const owner of ['x', 'y', 'z']) type.wakes.add(owner)
column.mention(start.predicate)

const is = (fact: Fact<string>): Formula<string> => ({ kind: 'fact', fact, wanted: true })
const isNot = (fact: Fact<string>): Formula<string> => ({ kind: 'fact', fact, wanted: false })
const all = (...parts: Formula<string>[]): Formula<string> => ({ kind: 'all', parts })
const any = (...parts: Formula<string>[]): Formula<string> => ({ kind: 'any', parts })
const run: Formula<string> = { kind: 'test' }

const keysOf = (formula: Formula<string>): Fact<string>[] | undefined => {
  const plan = planOf(formula)
  return plan && [...plan.keys]
}

test('the facts to watch are those that will wake it least often', () => {
  assert.deepEqual(keysOf(is(type)), [type])
  assert.deepEqual(keysOf(all(is(type), is(rare))), [rare], 'three filters already wait for the other')
  assert.deepEqual(keysOf(all(run, isNot(rare), is(start))), [start])
  assert.deepEqual(keysOf(any(is(type), all(run, is(rare)))), [type, rare])
  assert.deepEqual(keysOf(any()), [], 'what is never true need not be woken')
})

test('some formulas can be true without any fact', () => {
  for (const formula of [run, isNot(type), all(), all(run, isNot(type)), any(is(type), run)]) {
    assert.equal(keysOf(formula), undefined)
  }
})

test('of several facts that bar it, the one that most filters speak of is chosen', () => {
  assert.equal(barOf(all(isNot(rare), isNot(start), run)), start)
  assert.equal(barOf(all(run, all(isNot(rare)))), rare)
  for (const formula of [run, is(type), any(isNot(type), run)]) assert.equal(barOf(formula), undefined)
})

test('what is known decides where it can, and leaves open what only running tells', () => {
  type.trueIn = 7
  const cases: [Formula<string>, boolean | undefined][] = [
    [is(type), true],
    [isNot(type), false],
    [is(rare), false],
    [isNot(rare), true],
    [run, undefined],
    [all(), true],
    [any(), false],
    [all(is(type), run), undefined],
    [all(run, is(rare)), false],
    [any(run, is(type)), true],
    [any(is(rare), run), undefined],
  ]
  for (const [formula, expected] of cases) assert.equal(evaluate(formula, 7), expected)
})
