import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkCesql } from './check.ts'
import { parseCesql } from './parser.ts'

const problems = (text: string): string[] =>
  checkCesql(text, parseCesql(text)).map(({ level, message }) => `${level}: ${message}`)

describe('what can never pass is found before the first event', () => {
  const cases: [text: string, ...expected: RegExp[]][] = [
    ["type = 'a' AND NOPE(1)", /^error: line 1, column 16: there is no function NOPE; there are LENGTH, CONCAT/],
    ["LENGTH(type, 'b') = 1", /^error: line 1, column 1: LENGTH takes 1 arguments, not 2$/],
    ['SUBSTRING(type) = type', /SUBSTRING takes 2 or 3 arguments, not 1$/],
    ["CONCAT_WS() = ''", /CONCAT_WS takes 1 or more arguments, not 0$/],
    ['LENGTH(type)', /^error: line 1, column 1: the expression is of type Integer, and a filter must be a Boolean/],
    ["'abc'", /of type String/],
    ["type > 'b'", /^error: line 1, column 8: "b" cannot be cast to Integer$/],
    ["'x' = 1", /"x" cannot be cast to Integer/],
    ["NOT 'x'", /"x" cannot be cast to Boolean/],
    ["-'x' = 1", /"x" cannot be cast to Integer/],
    ["hop + 'x' = 1", /"x" cannot be cast to Integer/],
    ["TRUE AND 'x'", /"x" cannot be cast to Boolean/],
    ["ABS('x') = 1", /"x" cannot be cast to Integer/],
    ["ABS(1) IN (1, 'x')", /"x" cannot be cast to Integer/],
    ['hop / 0 = 1', /^error: line 1, column 5: \/ by zero$/],
  ]
  for (const [text, ...expected] of cases) {
    test(text, () => {
      const found = problems(text)
      assert.equal(found.length, expected.length, found.join('\n'))
      for (const [index, message] of expected.entries()) assert.match(found[index]!, message)
    })
  }
})

describe('what is probably not meant is a warning', () => {
  const cases: [text: string, expected: RegExp][] = [
    ["type = 'a' AND hop = 1 OR hop = 2", /^warning: line 1, column 12: AND, OR and XOR bind equally/],
    ['NOT hop = 1', /^warning: line 1, column 1: NOT binds tighter than =/],
    ['myflag', /^warning: line 1, column 1: a bare attribute passes only as a Boolean.*write myflag = TRUE$/],
  ]
  for (const [text, expected] of cases) test(text, () => assert.match(problems(text).join('\n'), expected))
})

test('sound expressions raise nothing', () => {
  for (const text of [
    "type = 'a' AND source LIKE '/x%' AND NOT (hop > 3)",
    "(type = 'a' AND hop = 1) OR hop = 2",
    "IS_INT(hop) AND INT('5') = hop",
    "hop IN ('1', 2)",
    'TRUE',
  ]) {
    assert.deepEqual(problems(text), [], text)
  }
})
