import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { randomBoolean, randomNode } from '../../../../../test/harness/random-filters.ts'
import { seededRandom } from '../../../../base/random.ts'
import type { CesqlNode } from './ast.ts'
import { parseCesql } from './parser.ts'
import { printCesql } from './printer.ts'

/** The same node without the offsets, in which two texts differ. */
const shape = (node: CesqlNode): unknown =>
  JSON.parse(JSON.stringify(node, (key, value: unknown) => (key === 'at' ? undefined : value)))

test('parse, print, parse gives the same expression, for 20,000 random ones', () => {
  const random = seededRandom(11)
  for (let round = 0; round < 20_000; round++) {
    const node = round % 2 === 0 ? randomNode(random, 5) : randomBoolean(random, 4)
    const text = printCesql(node)
    assert.deepEqual(shape(parseCesql(text)), shape(node), text)
    assert.equal(printCesql(parseCesql(text)), text)
  }
})

describe('one way of writing', () => {
  const cases: [text: string, printed: string][] = [
    ["not   (type='a')or EXISTS Subject", "NOT (type = 'a') OR EXISTS subject"],
    ['(a and b) or c', '(a AND b) OR c'],
    ['a and (b or c)', 'a AND (b OR c)'],
    ['((a)) <> 1', 'a != 1'],
    ['4 - -1', '4 - -1'],
    ['- (5)', '-(5)'],
    ['- - 1st', '--(1st)'],
    ['a - (b - c)', 'a - (b - c)'],
    ['length ( "x" )', "LENGTH('x')"],
    [`"it's"`, String.raw`'it\'s'`],
    [String.raw`"\'"`, String.raw`"\'"`],
    [String.raw`a NOT LIKE 'x\%'`, String.raw`a NOT LIKE 'x\%'`],
    ["(a IN (1)) LIKE 'x'", "a IN (1) LIKE 'x'"],
    ["NOT (a LIKE 'x')", "NOT (a LIKE 'x')"],
  ]
  for (const [text, printed] of cases) test(text, () => assert.equal(printCesql(parseCesql(text)), printed))
})
