import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { pick } from '../../../../../test/harness/random-filters.ts'
import { seededRandom } from '../../../../base/random.ts'
import type { CesqlNode } from './ast.ts'
import { CesqlParseError } from './error.ts'
import { cesqlCharactersMax, cesqlDepthMax } from './limits.ts'
import { parseCesql } from './parser.ts'

/** Every node in parentheses, so that grouping shows. */
function sketch(node: CesqlNode): string {
  switch (node.kind) {
    case 'literal':
      return JSON.stringify(node.value)
    case 'attribute':
      return node.name
    case 'exists':
      return `(exists ${node.name})`
    case 'not':
    case 'negate':
      return `(${node.kind} ${sketch(node.operand)})`
    case 'like':
      return `(${sketch(node.operand)} ${node.negated ? 'not ' : ''}like ${JSON.stringify(node.pattern)})`
    case 'in':
      return `(${sketch(node.operand)} ${node.negated ? 'not ' : ''}in ${node.elements.map(sketch).join(' ')})`
    case 'arithmetic':
    case 'comparison':
      return `(${sketch(node.left)} ${node.operator} ${sketch(node.right)})`
    case 'logic':
      return node.operands
        .slice(0, -1)
        .reduceRight(
          (right, operand, index) => `(${sketch(operand)} ${node.operators[index]} ${right})`,
          sketch(node.operands.at(-1)!),
        )
    case 'call':
      return `${node.name}(${node.arguments.map(sketch).join(' ')})`
  }
}

describe('the grammar', () => {
  const cases: [section: string, text: string, grouping: string][] = [
    ['2, keywords in any case', 'nOt TRUE aNd fALSe', '((not true) AND false)'],
    ['2.2, names lower-cased', 'myType', 'mytype'],
    ['2.2, names with digits', '1st = a2b', '(1st = a2b)'],
    ['2.2, integers', '+5', '5'],
    ['2.2, the least integer', '-2147483648', '-2147483648'],
    ['2.2, minus zero', '-0', '0'],
    ['2.2, single quotes', String.raw`'it\'s "x"'`, String.raw`"it's \"x\""`],
    ['2.2, double quotes', String.raw`"it's \"x\""`, String.raw`"it's \"x\""`],
    ['2.2, other backslashes stay', String.raw`'a\nb\%'`, String.raw`"a\\nb\\%"`],
    ['2.2, an escaped backslash before the closing quote', String.raw`'a\\'`, String.raw`"a\\\\"`],
    ['2.2, doubled quotes stay', "'a''b'", `"a''b"`],
    ['2.2, an empty string', '\'\' = ""', '("" = "")'],
    ['2.3, prefix operators stack', 'NOT NOT - - x', '(not (not (negate (negate x))))'],
    ['2.3, NOT EXISTS', 'NOT EXISTS x', '(not (exists x))'],
    ['2.3, <> is !=', 'a <> b', '(a != b)'],
    ['2.4, no arguments', 'CONCAT()', 'CONCAT()'],
    ['2.4, a space before the parenthesis', 'concat_ws ("," , a,b)', 'CONCAT_WS("," a b)'],
    ['3.6, NOT before =', "NOT x = 'a'", '((not x) = "a")'],
    ['3.6, NOT before LIKE', "NOT x LIKE 'a'", '((not x) like "a")'],
    ['3.6, minus before LIKE', "- x LIKE 'a'", '((negate x) like "a")'],
    ['3.6, LIKE before *', "a * b LIKE 'x'", '(a * (b like "x"))'],
    ['3.6, LIKE and IN chain', "a IN (1) NOT LIKE 'x' NOT IN (b, c)", '(((a in 1) not like "x") not in b c)'],
    ['3.6, IN before +', 'a + b IN (c)', '(a + (b in c))'],
    ['3.6, EXISTS before =', 'EXISTS a = EXISTS b', '((exists a) = (exists b))'],
    ['3.6, * before +', 'a + b * c - d', '((a + (b * c)) - d)'],
    ['3.6, / and % from the left', 'a / b % c * d', '(((a / b) % c) * d)'],
    ['3.6, + before <', 'a + 1 < b - 1', '((a + 1) < (b - 1))'],
    ['3.6, comparisons from the left', 'a = b = c', '((a = b) = c)'],
    ['3.6, = before AND', 'a = b AND c = d', '((a = b) AND (c = d))'],
    ['grammar, logic from the right', 'a AND b OR c XOR d', '(a AND (b OR (c XOR d)))'],
    ['2.1, parentheses', '(a AND b) OR c', '((a AND b) OR c)'],
    ['lexer, a sign apart', '4 - 1', '(4 - 1)'],
    ['lexer, a sign apart from a name', 'x -y', '(x - y)'],
  ]
  for (const [section, text, grouping] of cases) {
    test(`${section}: ${text}`, () => assert.equal(sketch(parseCesql(text)), grouping))
  }
})

describe('a text that is no expression is refused with position and what was expected', () => {
  const cases: [text: string, message: RegExp][] = [
    ['', /^line 1, column 1: expected a value, an attribute, a function or "\(", but the expression ends$/],
    ['   ', /^line 1, column 4: expected a value/],
    ["type = 'a", /^line 1, column 8: the string is not closed: expected '$/],
    ['"a\\"', /^line 1, column 1: the string is not closed: expected "$/],
    ['type =\n  AND x', /^line 2, column 3: expected a value, .*but found AND$/],
    ["'😀' ü", /^line 1, column 5: unexpected character "ü"$/],
    ['naïve = 1', /^line 1, column 3: unexpected character "ï"$/],
    ['my_attr = 1', /^line 1, column 9: expected "\(" after the function name MY_ATTR, but found =$/],
    ['a.b = 1', /^line 1, column 2: unexpected character "\."$/],
    ['a1_b = 1', /^line 1, column 3: unexpected character "_"$/],
    ['4-1', /^line 1, column 2: expected an operator or the end, but found -1$/],
    ['num-1', /^line 1, column 4: expected an operator or the end, but found -1$/],
    ['+x', /^line 1, column 1: expected a value/],
    ['ABC(', /^line 1, column 5: expected a value.*but the expression ends$/],
    ['f1(x)', /^line 1, column 3: expected an operator or the end, but found \($/],
    ['f(1,)', /^line 1, column 5: expected a value/],
    ['f(1 2)', /^line 1, column 5: expected "," or "\)", but found 2$/],
    ['(a', /^line 1, column 3: expected "\)", but the expression ends$/],
    ['a)', /^line 1, column 2: expected an operator or the end, but found \)$/],
    ['a IN ()', /^line 1, column 7: expected a value/],
    ['a IN b', /^line 1, column 6: expected "\(" after IN, but found b$/],
    ['a LIKE b', /^line 1, column 8: expected a quoted pattern after LIKE, but found b$/],
    ['a NOT = b', /^line 1, column 7: expected LIKE or IN after NOT, but found =$/],
    ['EXISTS (a)', /^line 1, column 8: expected an attribute name after EXISTS, but found \($/],
    ['a = b c', /^line 1, column 7: expected an operator or the end, but found c$/],
    ['2147483648', /^line 1, column 1: 2147483648 is not a 32-bit integer$/],
    ['-2147483649', /^line 1, column 1: -2147483649 is not a 32-bit integer$/],
    ['TRUE(1)', /^line 1, column 5: expected an operator or the end, but found \($/],
  ]
  for (const [text, message] of cases) {
    test(JSON.stringify(text), () => assert.throws(() => parseCesql(text), refusal(message)))
  }

  test('a sign glued to a number is explained', () => {
    assert.throws(
      () => parseCesql('num-1'),
      (error) => error instanceof CesqlParseError && error.hint?.includes('"- 1"') === true,
    )
  })
})

const refusal = (message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof CesqlParseError, String(error))
  assert.equal(error.code, 'BAD_FILTER')
  assert.match(error.message, message)
  return true
}

describe('limits', () => {
  test('64 KiB are refused by the name of the limit, without being read', () => {
    const text = `type = '${'a'.repeat(65_536)}'`
    assert.throws(() => parseCesql(text), refusal(/more than cesqlCharactersMax \(16384\)/))
    assert.equal(parseCesql(`'${'a'.repeat(cesqlCharactersMax - 2)}'`).kind, 'literal')
  })

  const nestings: [what: string, make: (levels: number) => string][] = [
    ['parentheses', (levels) => '('.repeat(levels - 1) + 'a' + ')'.repeat(levels - 1)],
    ['NOT', (levels) => 'NOT '.repeat(levels - 1) + 'a'],
    ['minus', (levels) => '-'.repeat(levels - 1) + 'a'],
    ['arguments', (levels) => 'ABS('.repeat(levels - 1) + 'a' + ')'.repeat(levels - 1)],
    ['sets', (levels) => 'a IN ('.repeat(levels - 1) + 'a' + ')'.repeat(levels - 1)],
    ['a chain of +', (levels) => Array(levels).fill('a').join(' + ')],
    ['a chain of =', (levels) => Array(levels).fill('a').join(' = ')],
    ['a chain of LIKE', (levels) => `a${" LIKE 'a'".repeat(levels - 1)}`],
  ]
  for (const [what, make] of nestings) {
    test(`${what} may nest to the limit and no further`, () => {
      assert.doesNotThrow(() => parseCesql(make(cesqlDepthMax)))
      assert.throws(() => parseCesql(make(cesqlDepthMax + 1)), refusal(/nested deeper than cesqlDepthMax \(200\)/))
    })
  }

  test('a chain of alternatives is not nesting', () => {
    const text = Array.from({ length: 1_000 }, (_, index) => `a = ${index}`).join(' OR ')
    const node = parseCesql(text)
    assert.ok(node.kind === 'logic' && node.operands.length === 1_000)
  })
})

test('no text makes the parser throw anything but its own error', () => {
  const random = seededRandom(4)
  const words = "AND or NOT LIKE IN EXISTS TRUE f( type f_ ( ) , = <> ! - + 1 -1 99999999999 ' \" 'a' \\ % * / ü 😀 . _"
  const pieces = [...words.split(' '), ' ', '\n', '\0', '\ud800']
  let accepted = 0
  for (let round = 0; round < 50_000; round++) {
    const length = Math.floor(random.next() * 12)
    const text = Array.from({ length }, () => pick(random, pieces) + pick(random, ['', ' '])).join('')
    try {
      parseCesql(text)
      accepted++
    } catch (error) {
      if (!(error instanceof CesqlParseError)) assert.fail(`${JSON.stringify(text)} threw ${String(error)}`)
    }
  }
  assert.ok(accepted > 500, `${accepted} texts were accepted: the fuzz must reach the grammar`)
})

test('no text of the greatest length takes long', () => {
  const pieces = [
    "'",
    "''",
    '"',
    '\\',
    '(',
    ')',
    'NOT ',
    '-',
    '- ',
    'a ',
    'a=',
    "a LIKE '%' ",
    'f(',
    '1 ',
    ',',
    'a AND ',
    '\n',
  ]
  for (const piece of [...pieces, ...pieces.map((one) => `'${one}`), ...pieces.map((one) => `a IN (${one}`)]) {
    const text = piece.repeat(cesqlCharactersMax / piece.length)
    const before = process.cpuUsage()
    try {
      parseCesql(text)
    } catch (error) {
      assert.ok(error instanceof CesqlParseError, String(error))
    }
    // Time of this process, whatever else the machine does.
    const tookMs = process.cpuUsage(before).user / 1_000
    assert.ok(tookMs < 500, `${JSON.stringify(piece)} repeated took ${tookMs} ms`)
  }
})
