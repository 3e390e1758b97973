// Cases from the text of CloudEvents SQL 1.0, by section.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { cloudEvent } from '../../../../model/cloudevents/event.ts'
import type { CesqlValue } from './ast.ts'
import { compileCesql } from './compile.ts'
import type { CesqlErrorType } from './error.ts'

const event = cloudEvent({
  id: 'i-1',
  source: '/shop',
  type: 'com.example.order',
  subject: 'Francesco',
  time: '2018-04-26T12:48:09Z',
  sequence: '10',
  hop: '5',
  ttl: 7,
  myint: 10,
  mybool: true,
  mytext: 'TRUE',
  empty: '',
  emoji: '😀é',
})

type Row = [expression: string, value: CesqlValue, error?: CesqlErrorType]

function table(section: string, rows: Row[]): void {
  describe(section, () => {
    for (const [expression, value, error] of rows) {
      test(`${expression} → ${JSON.stringify(value)}${error === undefined ? '' : ` and ${error}`}`, () => {
        const result = compileCesql(expression).evaluate(event)
        assert.deepEqual([result.value, result.error?.type], [value, error], result.error?.message)
      })
    }
  })
}

const missing = 'MissingAttributeError'
const cast = 'CastError'
const math = 'MathError'
const evaluation = 'FunctionEvaluationError'

table('3.2 context identifiers and types', [
  ['id', 'i-1'],
  ['ID', 'i-1'],
  ['time', '2018-04-26T12:48:09Z'],
  ['myint', 10],
  ['mybool', true],
  ['missing', false, missing],
  ["true AND (missing = '')", false, missing],
  ['missing * 5', 0, missing],
  ['1 / missing', 0, missing],
  ["missing = 'a'", false, missing],
  ["missing != 'a'", false, missing],
  ["missing LIKE '%'", false, missing],
  ["missing NOT LIKE '%'", false, missing],
  ["missing IN ('a')", false, missing],
  ["missing NOT IN ('a')", false, missing],
  ['NOT missing', false, missing],
  ['-missing', 0, missing],
  ['CONCAT(missing)', '', missing],
  ['LENGTH(missing)', 0, missing],
  ['IS_INT(missing)', false, missing],
  ["NOT (missing = 'a')", false, missing],
  ["missing = 'a' OR TRUE", false, missing],
  ["TRUE OR missing = 'a'", true],
  ['missing XOR TRUE', false, missing],
  ['TRUE XOR missing', false, missing],
  ["EXISTS missing AND missing = 'a'", false],
  ["empty = ''", true],
])

table('3.4.1 unary operators', [
  ['NOT TRUE', false],
  ["NOT 'false'", true],
  ['NOT 10', false],
  ['NOT 0', true],
  ["NOT 'x'", false, cast],
  ['-10', -10],
  ['--10', 10],
  ["-'10'", -10],
  ['-TRUE', -1],
  ['-ttl', -7],
  ['-(-2147483648)', -2_147_483_648],
  ["-'x'", 0, cast],
])

table('3.4.2 binary operators', [
  ['TRUE = FALSE', false],
  ["'a' = 'A'", false],
  ["subject = 'Francesco'", true],
  ["subject != 'Francesco'", false],
  ["subject <> 'x'", true],
  ['1 = 1', true],
  ['3 < 5', true],
  ['5 <= 5', true],
  ['5 > 5', false],
  ['5 >= 5', true],
  ["'10' > '9'", true],
  ["'b' > 'a'", false, cast],
  ['hop < ttl', true],
  ['2 * 3', 6],
  ['7 / 2', 3],
  ['-7 / 2', -3],
  ['7 / -2', -3],
  ['7 % 3', 1],
  ['-7 % 3', -1],
  ['7 % -3', 1],
  ['5 / 0', 0, math],
  ['5 % 0', 0, math],
  ['true and (1 != 1 / 0)', false, math],
  ['1 + 2 - 4', -1],
  ["'1' + TRUE", 2],
  ['2147483647 + 1', -2_147_483_648],
  ['-2147483648 - 1', 2_147_483_647],
  ['2147483647 * 2', -2],
  ['-2147483648 / -1', -2_147_483_648],
  ["'x' + 1", 0, cast],
])

table('3.4.3 LIKE', [
  ["'ab' LIKE '_b%'", true],
  ["'abcd1' LIKE '_b%'", true],
  ["'b' LIKE '_b%'", false],
  ["'aBc' LIKE '_b%'", false],
  [String.raw`'abc%' LIKE 'abc\%'`, true],
  [String.raw`'abcd' LIKE 'abc\%'`, false],
  ["type LIKE 'com.%.order'", true],
  ["type NOT LIKE 'com.%'", false],
  ["ttl LIKE '7'", true],
  ["mybool LIKE 'tr_e'", true],
  ["emoji LIKE '__'", true],
])

table('3.4.4 EXISTS', [
  ['EXISTS id', true],
  ['EXISTS specversion', true],
  ['EXISTS subject', true],
  ['EXISTS empty', true],
  ['EXISTS dataschema', false],
  ['NOT EXISTS missing', true],
])

table('3.4.5 IN', [
  ["subject IN ('a', 'Francesco')", true],
  ["subject IN ('a', 'b')", false],
  ["subject NOT IN ('a', 'b')", true],
  ['ttl IN (6, 7)', true],
  ["ttl IN ('6', '07')", true],
  ['hop IN (4, 5)', true],
  ["'true' IN (TRUE)", true],
  ["TRUE IN ('TRUE')", true],
  ["'TRUE' IN (TRUE)", false],
  ["1 IN ('x', 1)", false, cast],
  ["1 IN (1, 'x')", true],
  ['1 IN (1, missing)', true],
  ['1 IN (missing, 1)', false, missing],
  ["subject IN (missing, 'Francesco')", false, missing],
  ['(1 + 1) IN (1, 2)', true],
])

table('3.5 functions that cannot be dispatched', [
  ['NOPE()', false, 'MissingFunctionError'],
  ["LENGTH('a', 'b')", false, 'MissingFunctionError'],
  ['CONCAT_WS()', false, 'MissingFunctionError'],
  ["'a' = NOPE(1)", false, 'MissingFunctionError'],
])

table('3.5.1 string functions', [
  ["LENGTH('abc')", 3],
  ['length(emoji)', 2],
  ['LENGTH(12345)', 5],
  ["CONCAT('a', 1, TRUE)", 'a1true'],
  ['CONCAT()', ''],
  ["CONCAT_WS(',', 'a', 'b', 'c')", 'a,b,c'],
  ["CONCAT_WS(',')", ''],
  ["LOWER('ÀBC')", 'àbc'],
  ["UPPER('straße')", 'STRAßE'],
  ["LOWER('İ')", 'i'],
  ["TRIM(' \u00a0\u0085\t\n a b \u2003')", 'a b'],
  ["TRIM('\ufeffa')", '\ufeffa'],
  ["LEFT('abc', 2)", 'ab'],
  ["LEFT('abc', 10)", 'abc'],
  ["LEFT('abc', 0)", ''],
  ["LEFT('abc', -2)", 'abc', evaluation],
  ['LEFT(emoji, 1)', '😀'],
  ["RIGHT('abc', 2)", 'bc'],
  ["RIGHT('abc', 10)", 'abc'],
  ["RIGHT('abc', 0)", ''],
  ["RIGHT('abc', -2)", 'abc', evaluation],
  ['RIGHT(emoji, 1)', 'é'],
  ["SUBSTRING('abcdef', 1)", 'abcdef'],
  ["SUBSTRING('abcdef', 2)", 'bcdef'],
  ["SUBSTRING('abcdef', -2)", 'ef'],
  ["SUBSTRING('abcdef', 0)", ''],
  ["SUBSTRING('abcdef', 6)", 'f'],
  ["SUBSTRING('abcdef', 7)", '', evaluation],
  ["SUBSTRING('abcdef', -6)", 'abcdef'],
  ["SUBSTRING('abcdef', -7)", '', evaluation],
  ["SUBSTRING('abcdef', 2, 3)", 'bcd'],
  ["SUBSTRING('abcdef', -3, 2)", 'de'],
  ["SUBSTRING('abcdef', 2, 100)", 'bcdef'],
  ["SUBSTRING('abcdef', 0, 3)", ''],
  ["SUBSTRING('abcdef', 2, 0)", ''],
  ["SUBSTRING('abcdef', 2, -1)", '', evaluation],
  ["SUBSTRING('abcdef', 7, 1)", '', evaluation],
  ['SUBSTRING(emoji, 2, 1)', 'é'],
  ["LENGTH(LEFT('abc', -1))", 0, evaluation],
])

table('3.5.2 math functions', [
  ['ABS(-5)', 5],
  ['ABS(5)', 5],
  ['ABS(-2147483648)', 2_147_483_647, math],
  ['ABS(-2147483648) + 1', 0, math],
])

table('3.6 order of evaluation and short circuit', [
  ['false and (1 != 1 / 0)', false],
  ['true or (1 != 1 / 0)', true],
  ['FALSE AND TRUE OR TRUE', false],
  ['(FALSE AND TRUE) OR TRUE', true],
  ['TRUE OR FALSE AND FALSE', true],
  ['TRUE XOR TRUE OR TRUE', false],
  ['TRUE XOR FALSE XOR TRUE', false],
  ['TRUE XOR FALSE AND (1 / 0 = 0)', true],
  ['TRUE XOR (1 / 0 = 0)', false, math],
])

table('3.7 type casting', [
  ["INT('1')", 1],
  ["INT('+007')", 7],
  ["INT('-1')", -1],
  ["INT(' 1')", 0, cast],
  ["INT('1.0')", 0, cast],
  ["INT('1e1')", 0, cast],
  ["INT('')", 0, cast],
  ["INT('2147483648')", 0, cast],
  ["INT('-2147483648')", -2_147_483_648],
  ['INT(TRUE)', 1],
  ["BOOL('tRuE')", true],
  ["BOOL('1')", false, cast],
  ['BOOL(-50)', true],
  ['BOOL(0)', false],
  ['STRING(-7)', '-7'],
  ['STRING(FALSE)', 'false'],
  ["IS_INT('5')", true],
  ["IS_INT('5x')", false],
  ["IS_BOOL('True')", true],
  ["IS_BOOL('yes')", false],
  ['TRUE = "true" AND FALSE = "false"', true],
  ['TRUE = "TRUE" OR FALSE = "FALSE"', false],
  ["'TRUE' = TRUE", true],
  ['sequence = 10', true],
  ['10 = sequence', true],
  ["sequence = '010'", false],
  ["'010' = myint", true],
  ['mytext = TRUE', true],
  ['mytext = mybool', true],
  ['mybool = mytext', false],
  ['subject = 1', false, cast],
  ['subject != 1', false, cast],
  ['LENGTH(sequence + 10)', 2],
])

table('5 examples', [
  ["firstname = 'Francesco' OR subject = 'Francesco'", false, missing],
  ['sequence = 10', true],
  ['hop < ttl', true],
])

test('1.2: as a filter only TRUE without an error passes, and only FALSE without an error passes its negation', () => {
  const rows: [expression: string, passes: boolean, fails: boolean][] = [
    ["type = 'com.example.order'", true, false],
    ["type = 'x'", false, true],
    ["missing = 'x'", false, false],
    ["'true'", false, false],
    ['1', false, false],
    ['mybool', true, false],
    ['mytext', false, false],
  ]
  for (const [expression, passes, fails] of rows) {
    const compiled = compileCesql(expression)
    assert.deepEqual([compiled.passes(event), compiled.fails(event)], [passes, fails], expression)
  }
})

test('3.3: the message of an error names attribute, value and type', () => {
  const messages: [string, RegExp][] = [
    ['missing = 1', /the event has no attribute missing/],
    ['subject = 1', /"Francesco" cannot be cast to Integer/],
    ['1 / 0', /division of 1 by zero/],
    ['NOPE(1)', /no function NOPE with 1 argument$/],
    ["LEFT('a', -1)", /LEFT: the count -1 is negative/],
  ]
  for (const [expression, message] of messages) {
    assert.match(compileCesql(expression).evaluate(event).error?.message ?? '', message)
  }
})

test('1: an expression can be evaluated within itself and again: nothing stays behind', () => {
  const expression = compileCesql("missing = 'a' OR TRUE")
  assert.equal(expression.evaluate(event).error?.type, missing)
  assert.equal(expression.passes(cloudEvent({ missing: 'a' })), true)
  assert.equal(expression.evaluate(event).error?.type, missing)
})
