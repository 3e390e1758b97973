// The rules of the dialects, as Knative's data plane has them.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { KnodeError } from '../../../base/errors.ts'
import { cloudEvent } from '../../../model/cloudevents/event.ts'
import { compileFilters } from './compile.ts'
import type { FilterFault } from './data-filter.ts'
import { createMatcher } from './matcher.ts'
import type { FilterSpec } from './spec.ts'

const event = cloudEvent(
  {
    id: '1',
    source: 'https://shop.example/orders',
    type: 'com.example.order.created',
    subject: 'Order/17',
    time: '2026-01-01T00:00:00.5Z',
    datacontenttype: 'application/json; charset=utf-8',
    dataschema: 'https://schemas.example/order',
    tenant: '',
    hop: 5,
    flag: true,
  },
  '{"total":150}',
)

/** All three ways to decide must say the same. */
function passes(spec: FilterSpec): boolean {
  const compiled = compileFilters(spec)
  const matcher = createMatcher()
  matcher.set('t', compiled)
  const answers = [compiled.passes(event), compiled.explain(event).passes, matcher.match(event).has('t')]
  assert.equal(new Set(answers).size, 1, `passes, explain, match: ${answers.join()}`)
  return answers[0]!
}

function table(title: string, rows: [what: string, spec: FilterSpec, expected: boolean][]): void {
  describe(title, () => {
    for (const [what, spec, expected] of rows)
      test(`${what} ${expected ? 'passes' : 'fails'}`, () => assert.equal(passes(spec), expected))
  })
}

const type = 'com.example.order.created'
const broken = { cesql: 'nosuch = 1' }
const yes = { exact: { type } }
const no = { exact: { type: 'x' } }
/** What an object may hold that says nothing: a schema that keeps unknown fields lets nulls through. */
const nulls = { exact: null, prefix: null, suffix: null, all: null, any: null, not: null, cesql: null } as object

table('which field counts', [
  ['nothing at all', {}, true],
  ['no filter, empty filters', { filters: [] }, true],
  ['empty filters fall back to filter', { filters: [], filter: { attributes: { type: 'x' } } }, false],
  ['filters win alone', { filters: [yes], filter: { attributes: { type: 'x' } } }, true],
  ['filters win alone, also when they fail', { filters: [no], filter: { attributes: { type } } }, false],
  ['filters are joined by and', { filters: [yes, no] }, false],
])

table('filter.attributes', [
  ['an empty map', { filter: { attributes: {} } }, true],
  ['a filter without attributes', { filter: {} }, true],
  ['equal values', { filter: { attributes: { type, subject: 'Order/17' } } }, true],
  ['one unequal value', { filter: { attributes: { type, subject: 'x' } } }, false],
  ['another case', { filter: { attributes: { subject: 'order/17' } } }, false],
  ['"" of an attribute with a value', { filter: { attributes: { subject: '' } } }, true],
  ['"" of a missing attribute', { filter: { attributes: { nosuch: '' } } }, false],
  ['"" of an empty extension', { filter: { attributes: { tenant: '' } } }, false],
  ['an upper-case name', { filter: { attributes: { Type: type } } }, false],
  ['an Integer by its text', { filter: { attributes: { hop: '5' } } }, true],
  ['a Boolean by its text', { filter: { attributes: { flag: 'true' } } }, true],
  ['datamediatype, without parameters', { filter: { attributes: { datamediatype: 'application/json' } } }, true],
  ['datacontenttype, whole', { filter: { attributes: { datacontenttype: 'application/json' } } }, false],
  ['schemaurl, the older name', { filter: { attributes: { schemaurl: 'https://schemas.example/order' } } }, true],
])

table('exact, prefix, suffix', [
  ['exact', { filters: [yes] }, true],
  ['exact of two, one unequal', { filters: [{ exact: { type, subject: 'x' } }] }, false],
  ['exact of a missing attribute', { filters: [{ exact: { nosuch: 'x' } }] }, false],
  ['exact of an Integer', { filters: [{ exact: { hop: '5' } }] }, true],
  ['prefix', { filters: [{ prefix: { type: 'com.example.', source: 'https:' } }] }, true],
  ['prefix, the whole value', { filters: [{ prefix: { type } }] }, true],
  ['prefix in another case', { filters: [{ prefix: { type: 'COM.' } }] }, false],
  ['prefix of a missing attribute', { filters: [{ prefix: { nosuch: 'x' } }] }, false],
  ['suffix', { filters: [{ suffix: { type: '.created' } }] }, true],
  ['suffix of something else', { filters: [{ suffix: { type: '.deleted' } }] }, false],
  ['suffix of a Boolean', { filters: [{ suffix: { flag: 'ue' } }] }, true],
  ['suffix of the time', { filters: [{ suffix: { time: '.5Z' } }] }, true],
  ['prefix of dataschema under its older name', { filters: [{ prefix: { schemaurl: 'https:' } }] }, true],
])

table('all, any, not', [
  ['all of passing ones', { filters: [{ all: [yes, yes] }] }, true],
  ['all with a failing one', { filters: [{ all: [yes, no] }] }, false],
  ['any with a passing one', { filters: [{ any: [no, yes] }] }, true],
  ['any of failing ones', { filters: [{ any: [no, no] }] }, false],
  ['not of a failing one', { filters: [{ not: no }] }, true],
  ['not of a passing one', { filters: [{ not: yes }] }, false],
  ['not of a missing attribute', { filters: [{ not: { exact: { nosuch: 'x' } } }] }, true],
  ['not of exact with one unequal value', { filters: [{ not: { exact: { type, subject: 'x' } } }] }, true],
  ['deep nesting', { filters: [{ not: { any: [{ not: { all: [yes, { not: no }] } }, no] } }] }, true],
])

table('cesql', [
  ['a true expression', { filters: [{ cesql: "type LIKE 'com.%' AND hop < 6" }] }, true],
  ['a false expression', { filters: [{ cesql: 'hop > 6' }] }, false],
  ['an expression that fails', { filters: [broken] }, false],
  ['an expression that is no Boolean', { filters: [{ cesql: 'hop' }] }, false],
  ['a Boolean attribute', { filters: [{ cesql: 'flag' }] }, true],
  ['not of a failing expression: an error never matches', { filters: [{ not: broken }] }, false],
  ['not of something else than a Boolean', { filters: [{ not: { cesql: 'hop' } }] }, false],
  ['a missing attribute that is never asked for', { filters: [{ cesql: '(TRUE OR nosuch) = TRUE' }] }, true],
  ['not of one that is never asked for', { filters: [{ not: { cesql: '(FALSE AND nosuch) = TRUE' } }] }, true],
  ['an error left in XOR', { filters: [{ cesql: "(nosuch = 'a' XOR type = 'x') OR EXISTS id" }] }, false],
  ['an error right in XOR', { filters: [{ cesql: "(type = 'x' XOR nosuch = 'a') OR EXISTS id" }] }, false],
  ['not of a false expression', { filters: [{ not: { cesql: 'hop > 6' } }] }, true],
  ['any of an error and a passing one', { filters: [{ any: [broken, yes] }] }, true],
  ['any of an error and a failing one', { filters: [{ any: [broken, no] }] }, false],
  ['not of any of an error and a failing one', { filters: [{ not: { any: [broken, no] } }] }, false],
  ['not of all of an error and a failing one', { filters: [{ not: { all: [broken, no] } }] }, true],
  ['not of all of an error and a passing one', { filters: [{ not: { all: [broken, yes] } }] }, false],
])

table('filters that say nothing, in objects stored by others', [
  ['an element {}', { filters: [{}] }, true],
  ['an element {} beside a failing one', { filters: [{}, no] }, false],
  ['exact with an empty value is dropped whole', { filters: [{ exact: { type: '', subject: 'x' } }] }, true],
  ['not {}', { filters: [{ not: {} }] }, true],
  ['not of a dropped filter', { filters: [{ not: { prefix: { type: '' } } }] }, true],
  ['an empty any', { filters: [{ any: [] }] }, true],
  ['any of empty ones', { filters: [{ any: [{}, { not: {} }] }] }, true],
  ['any: empty members do not rescue', { filters: [{ any: [no, {}] }] }, false],
  ['any: nor in another order', { filters: [{ any: [{ not: {} }, no] }] }, false],
  ['an empty all', { filters: [{ all: [] }] }, true],
  ['all of an empty one and a failing one', { filters: [{ all: [{}, no] }] }, false],
  ['null beside a passing dialect', { filters: [{ ...nulls, exact: { type } }] }, true],
  ['null beside a failing dialect', { filters: [{ any: [{ ...nulls, cesql: 'hop > 6' }] }] }, false],
  ['nothing but null', { filters: [{ not: nulls }] }, true],
])

table('data filters', [
  ['alone', { dataFilter: 'data.total > 100.0' }, true],
  ['beside filters', { filters: [yes], dataFilter: 'data.total > 200.0' }, false],
  ['beside a failing filter', { filters: [no], dataFilter: 'data.total > 100.0' }, false],
  ['beside the older filter', { filter: { attributes: { type } }, dataFilter: 'data.total > 100.0' }, true],
])

test('a data filter that could not be evaluated is reported with its reason, once per try', () => {
  const faults: FilterFault[] = []
  const filter = compileFilters(
    { filters: [yes], dataFilter: 'data.nope == 1' },
    { onFault: (fault) => faults.push(fault) },
  )
  assert.equal(filter.passes(event), false)
  assert.deepEqual(faults, ['data-filter-failed'])
  filter.passes(cloudEvent({ type }, 'no json'))
  assert.deepEqual(faults, ['data-filter-failed', 'data-unparsable'])
  filter.passes(cloudEvent({ type: 'other' }, 'no json'))
  assert.equal(faults.length, 2)
})

test('what does not parse is refused', () => {
  for (const spec of [{ filters: [{ any: [{ cesql: 'type =' }] }] }, { dataFilter: 'data.' }]) {
    assert.throws(
      () => compileFilters(spec),
      (error) => error instanceof KnodeError && error.code === 'BAD_FILTER',
    )
  }
})
