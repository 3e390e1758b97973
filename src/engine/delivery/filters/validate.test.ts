import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fieldErrorText } from '../../../model/kubernetes/field-error.ts'
import { filterDepthMax } from './spec.ts'
import type { SubscriptionsFilter } from './spec.ts'
import { validateDataFilter, validateFilters, validateLegacyFilter } from './validate.ts'

const refusals = (filters: unknown[]): string =>
  fieldErrorText(validateFilters(filters, 'spec.filters').filter(({ level }) => level !== 'warning'))

const nameRule = 'Attribute name must start with a letter and can only contain lowercase alphanumeric'
const ok = { exact: { type: 'a' } }

describe('upstream’s refusals have upstream’s words and paths', () => {
  const cases: [what: string, filters: unknown[], text: string][] = [
    ['a bad name', [{ exact: { Foo: 'a' } }], `invalid key name "Foo": spec.filters[0].exact[Foo]\n${nameRule}`],
    [
      'a bad name deep inside',
      [{ all: [{ not: { any: [{ suffix: { 'a-b': 'a' } }] } }] }],
      `invalid key name "a-b": spec.filters[0].all[0].not.any[0].suffix[a-b]\n${nameRule}`,
    ],
    [
      'an error in element 0 of two',
      [{ prefix: { '1a': 'a' } }, ok],
      `invalid key name "1a": spec.filters[1][0].prefix[1a]\n${nameRule}`,
    ],
    [
      'CESQL that does not parse',
      [{ cesql: "type = 'a" }],
      "invalid value: type = 'a: spec.filters[0].cesql\nline 1, column 8: the string is not closed: expected '",
    ],
    [
      'two dialects',
      [{ exact: { type: 'a' }, prefix: { type: 'a' } }],
      'multiple dialects found, filters can have only one dialect set: spec.filters[0]\n' +
        'found exact and prefix: make them separate filters, all of which must hold',
    ],
  ]
  for (const [what, filters, text] of cases) test(what, () => assert.equal(refusals(filters), text))
})

describe('what would be silently false or silently true is refused', () => {
  const cases: [what: string, filters: unknown[], text: RegExp][] = [
    [
      'an empty element',
      [ok, {}],
      /^empty filter: spec\.filters\[1\]\na filter without a dialect says nothing: give it one of exact,/,
    ],
    ['an empty not', [{ not: {} }], /^empty filter: spec\.filters\[0\]\.not\n/],
    ['an empty any', [{ any: [] }], /^empty filter: spec\.filters\[0\]\.any\nlist at least one filter$/],
    ['an empty map', [{ exact: {} }], /^empty filter: spec\.filters\[0\]\.exact\nname at least one attribute$/],
    [
      'an empty value',
      [{ exact: { type: '' } }],
      /^empty value: spec\.filters\[0\]\.exact\[type\]\n.*use cesql: EXISTS type$/,
    ],
    [
      'an empty expression',
      [{ cesql: '' }],
      /^invalid value: : spec\.filters\[0\]\.cesql\nline 1, column 1: expected a value/,
    ],
    [
      'an unknown dialect',
      [{ sql: 'TRUE' }],
      /^unknown filter dialect "sql": spec\.filters\[0\]\.sql\nknown are exact, .*cesql$/,
    ],
    ['no object', ['type'], /^invalid value: string: spec\.filters\[0\]\na filter is an object with one dialect$/],
    ['null', [null], /^invalid value: null: spec\.filters\[0\]\n/],
    ['no map', [{ prefix: ['a'] }], /^invalid value: list: spec\.filters\[0\]\.prefix\n/],
    [
      'no text',
      [{ prefix: { type: 5 } }],
      /^invalid value: number: spec\.filters\[0\]\.prefix\[type\]\nexpected a string$/,
    ],
    ['no list', [{ all: ok }], /^invalid value: object: spec\.filters\[0\]\.all\n/],
    [
      'an unknown function',
      [{ cesql: 'NOPE(type)' }],
      /spec\.filters\[0\]\.cesql\nline 1, column 1: there is no function NOPE/,
    ],
    ['a wrong arity', [{ cesql: "LEFT(type) = 'a'" }], /line 1, column 1: LEFT takes 2 arguments, not 1$/],
    ['no Boolean', [{ cesql: 'LENGTH(type)' }], /line 1, column 1: the expression is of type Integer/],
    [
      'a name that is not ASCII',
      [{ cesql: "naïve = 'a'" }],
      /line 1, column 3: unexpected character "ï" \(attribute names/,
    ],
    [
      '64 KiB',
      [{ cesql: `type = '${'a'.repeat(65_536)}'` }],
      /line 1, column 16385: .*more than cesqlCharactersMax \(16384\)/,
    ],
    [
      'deep CESQL',
      [{ cesql: `${'('.repeat(300)}type${')'.repeat(300)}` }],
      /column 201: nested deeper than cesqlDepthMax \(200\)/,
    ],
    [
      'more than filterCountMax',
      [{ any: Array.from({ length: 2_000 }, () => ok) }],
      /^more filters than filterCountMax \(1000\): spec\.filters\[0\]\.any\[999\]$/,
    ],
  ]
  for (const [what, filters, text] of cases) test(what, () => assert.match(refusals(filters), text))

  test('filters nested deeper than the limit', () => {
    const nested = (levels: number): SubscriptionsFilter => (levels === 1 ? ok : { not: nested(levels - 1) })
    assert.equal(refusals([nested(filterDepthMax)]), '')
    assert.match(
      refusals([nested(filterDepthMax + 1)]),
      /^filters nest deeper than filterDepthMax \(32\): spec\.filters\[0\]\.not/,
    )
    assert.match(refusals([nested(5_000)]), /filterDepthMax/)
  })

  test('everything is told at once', () => {
    const text = refusals([{}, { exact: { Foo: '' } }, { cesql: 'NOPE()' }])
    for (const part of ['spec.filters[0]', 'exact[Foo]', 'empty value', 'NOPE']) assert.ok(text.includes(part), text)
  })
})

test('doubtful expressions are warned about and accepted', () => {
  const [warning, ...more] = validateFilters([ok, { cesql: "type = 'a' AND hop = 1 OR hop = 2" }], 'spec.filters')
  assert.equal(warning?.level, 'warning')
  assert.match(warning?.message ?? '', /^CESQL expression .*: line 1, column 12: AND, OR and XOR bind equally/)
  assert.deepEqual(warning?.paths, ['spec.filters[1].cesql'])
  assert.deepEqual(more, [])
})

test('sound filters are accepted', () => {
  assert.deepEqual(
    validateFilters([
      { all: [{ any: [ok, { prefix: { source: '/a' } }] }, { not: { suffix: { subject: 'x' } } }] },
      { cesql: "EXISTS subject AND subject LIKE 'a%'" },
    ]),
    [],
  )
})

test('the older filter: only names are checked, an empty value means any', () => {
  assert.deepEqual(validateLegacyFilter({ attributes: { type: '', source: 'a' } }), [])
  assert.deepEqual(validateLegacyFilter({}), [])
  assert.deepEqual(validateLegacyFilter(undefined), [])
  assert.equal(
    fieldErrorText(validateLegacyFilter({ attributes: { Foo: 'a' } }, 'spec.filter')),
    `invalid key name "Foo": spec.filter.attributes[Foo]\n${nameRule}`,
  )
})

test('a data filter is refused with its place, position and hint', () => {
  assert.deepEqual(validateDataFilter('data.total > 100.0'), [])
  assert.equal(
    fieldErrorText(validateDataFilter('dta.total > 100.0')),
    'invalid value: dta.total > 100.0: metadata.annotations[knode.dev/data-filter]\n' +
      'line 1, column 1: dta is an attribute and has no fields (fields are in data, as in data.total)',
  )
})
