import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cloudEvent } from '../../../model/cloudevents/event.ts'
import type { CloudEvent } from '../../../model/cloudevents/event.ts'
import { compileFilters } from './compile.ts'
import type { CompiledFilter } from './compile.ts'
import { fact } from './condition.ts'
import type { Condition } from './condition.ts'
import { createMatcher } from './matcher.ts'
import type { FilterSpec, SubscriptionsFilter } from './spec.ts'

const anEvent = (attributes: Record<string, string | number> = {}): CloudEvent =>
  cloudEvent({ id: '1', source: '/shop', type: 'a', ...attributes })

const filtered = (...filters: SubscriptionsFilter[]): CompiledFilter => compileFilters({ filters })

test('names come in the order of their characters, whatever the order they were added in', () => {
  const matcher = createMatcher()
  for (const name of ['c', 'B', 'a', 'b/2', 'b/10']) matcher.set(name, filtered({ exact: { type: 'a' } }))
  assert.deepEqual([...matcher.match(anEvent())], ['B', 'a', 'b/10', 'b/2', 'c'])
})

test('a filter that must be run finds its place among those that are decided', () => {
  const matcher = createMatcher()
  const data = compileFilters({ dataFilter: 'data == 1' })
  for (const name of ['a', 'c', 'e']) matcher.set(name, filtered({ exact: { type: 'a' } }))
  for (const name of ['0', 'b', 'd', 'f']) matcher.set(name, data)
  const event = { ...anEvent(), data: Buffer.from('1') }
  assert.deepEqual([...matcher.match(event)], ['0', 'a', 'b', 'c', 'd', 'e', 'f'])
  assert.deepEqual([...matcher.match(anEvent())], ['a', 'c', 'e'])
})

test('a filter can be replaced and removed between two events', () => {
  const matcher = createMatcher()
  matcher.set('t', filtered({ prefix: { type: 'a' } }))
  matcher.set('u', filtered({ not: { exact: { type: 'a' } } }))
  assert.deepEqual([...matcher.match(anEvent())], ['t'])
  matcher.set('t', filtered({ prefix: { type: 'b' } }))
  assert.deepEqual([...matcher.match(anEvent())], [])
  assert.deepEqual([...matcher.match(anEvent({ type: 'b' }))], ['t', 'u'])
  matcher.delete('t')
  matcher.delete('never there')
  assert.deepEqual([...matcher.match(anEvent({ type: 'b' }))], ['u'])
  matcher.delete('u')
  assert.equal(matcher.size, 0)
  assert.deepEqual([...matcher.match(anEvent({ type: 'b' }))], [])
})

/** How many filters are run for one event, of 100 that each end in something no index can know. */
function runs(make: (index: number) => SubscriptionsFilter, event: CloudEvent): number {
  const matcher = createMatcher()
  let count = 0
  for (let index = 0; index < 100; index++) {
    const spec: FilterSpec = { filters: [make(index)], dataFilter: 'true' }
    const compiled = compileFilters(spec)
    const passes = (event: CloudEvent): boolean => {
      count++
      return compiled.passes(event)
    }
    matcher.set(`t${index}`, { ...compiled, passes })
  }
  assert.equal(matcher.match(event).size, 1)
  return count
}

const indexed: [what: string, make: (index: number) => SubscriptionsFilter][] = [
  ['exact of type', (index) => ({ exact: { type: `t${index}` } })],
  ['exact of an extension', (index) => ({ exact: { tenant: `n${index}` } })],
  ['exact of a common and a rare attribute', (index) => ({ exact: { source: '/shop', tenant: `n${index}` } })],
  ['prefix', (index) => ({ prefix: { subject: `${index}/` } })],
  ['suffix', (index) => ({ suffix: { subject: `/${index}` } })],
  ['all', (index) => ({ all: [{ prefix: { source: '/' } }, { exact: { type: `t${index}` } }] })],
  ['any', (index) => ({ any: [{ exact: { type: `t${index}` } }, { exact: { tenant: `x${index}` } }] })],
  ['not of not', (index) => ({ not: { not: { exact: { type: `t${index}` } } } })],
  ['not of any of not', (index) => ({ not: { any: [{ not: { exact: { type: `t${index}` } } }] } })],
  ['cesql =', (index) => ({ cesql: `type = 't${index}' AND source = '/shop'` })],
  ['cesql IN', (index) => ({ cesql: `type IN ('t${index}', 'x')` })],
  ['cesql OR', (index) => ({ cesql: `type = 't${index}' OR type = 'x${index}'` })],
  ['cesql LIKE', (index) => ({ cesql: `subject LIKE '${index}/%'` })],
  ['cesql NOT', (index) => ({ cesql: `NOT (type != 't${index}')` })],
  ['cesql on one attribute', (index) => ({ cesql: `LENGTH(tenant) = ${index} - 15` })],
]
for (const [what, make] of indexed) {
  test(`of filters with ${what}, only the one that can match is run`, () => {
    assert.equal(runs(make, anEvent({ type: 't17', tenant: 'n17', subject: '17/x/17' })), 1)
  })
}

test('filters that an index decides are not run at all', () => {
  const matcher = createMatcher()
  const compiled = filtered({ any: [{ exact: { type: 'a' } }, { cesql: "subject LIKE 'x%' AND NOT EXISTS tenant" }] })
  const passes = (): never => assert.fail('run')
  matcher.set('t', { ...compiled, passes })
  assert.equal(matcher.match(anEvent()).size, 1)
  assert.equal(matcher.match(anEvent({ type: 'b', subject: 'xy' })).size, 1)
  assert.equal(matcher.match(anEvent({ type: 'b', subject: 'xy', tenant: '' })).size, 0)
})

test('a filter that two facts call for is run once', () => {
  const matcher = createMatcher()
  const compiled = compileFilters({
    filters: [{ any: [{ exact: { type: 'a' } }, { prefix: { source: '/' } }] }],
    dataFilter: 'true',
  })
  let count = 0
  for (let index = 0; index < 100; index++) matcher.set(`other${index}`, filtered({ exact: { type: 'x' } }))
  matcher.set('t', { ...compiled, passes: () => ++count > 0 })
  assert.deepEqual([...matcher.match(anEvent())], ['t'])
  assert.equal(count, 1)
})

test('of a filter that was removed nothing is asked any more', () => {
  const matcher = createMatcher()
  let asked = 0
  const holds = (): boolean => ++asked > 0
  const condition: Condition = fact({ column: 'type', kind: 'expression', text: 'x', holds })
  for (const name of ['t', 'u']) matcher.set(name, { ...filtered(), condition })
  matcher.set('other', filtered({ prefix: { type: 'a' } }))
  assert.equal(matcher.match(anEvent()).size, 3)
  assert.equal(asked, 1, 'what two filters state is asked once')
  matcher.delete('t')
  assert.equal(matcher.match(anEvent({ type: 'a2' })).size, 2)
  assert.equal(asked, 2)
  matcher.delete('u')
  assert.equal(matcher.match(anEvent({ type: 'a3' })).size, 1)
  assert.equal(asked, 2)
})

test('values chosen by senders do not wear the index out', () => {
  const matcher = createMatcher()
  matcher.set('prefix', filtered({ prefix: { subject: '1' } }))
  matcher.set('suffix', filtered({ suffix: { subject: '1', type: '3' } }))
  for (let index = 0; index < 5_000; index++) matcher.set(`exact${index}`, filtered({ exact: { type: `t${index}` } }))
  for (let index = 0; index < 40_000; index++) {
    const names = [...matcher.match(anEvent({ subject: `${index}`, type: `t${index % 5_000}` }))]
    const expected = [`exact${index % 5_000}`]
    if (`${index}`.startsWith('1')) expected.push('prefix')
    if (`${index}`.endsWith('1') && `${index % 5_000}`.endsWith('3')) expected.push('suffix')
    assert.deepEqual(names, expected)
  }
  const long = 'x'.repeat(10_000)
  assert.deepEqual([...matcher.match(anEvent({ subject: `1${long}`, type: 'none' }))], ['prefix'])
})

test('an event may have more attributes than filters ask for, or fewer', () => {
  const matcher = createMatcher()
  for (let index = 0; index < 50; index++) matcher.set(`t${index}`, filtered({ exact: { [`ext${index}`]: 'x' } }))
  assert.deepEqual([...matcher.match(anEvent({ ext7: 'x', ext8: 'y' }))], ['t7'])
  const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`ext${index}`, index % 2 ? 'x' : 'y']))
  assert.equal(matcher.match(anEvent(many)).size, 25)
})

test('it explains by name', () => {
  const matcher = createMatcher()
  matcher.set('t', filtered({ exact: { type: 'b' } }))
  assert.deepEqual(matcher.explain('t', anEvent())?.passes, false)
  assert.equal(matcher.explain('nobody', anEvent()), undefined)
})

test('what it has decided is remembered again after there was too much to remember', () => {
  const matcher = createMatcher()
  const count = 1_000
  for (let index = 0; index < count; index++) matcher.set(`t${index}`, filtered({ exact: { type: 'a' } }))
  const event = anEvent()
  // Each change forgets the decisions, so that each event afterwards decides of all filters anew.
  for (let decisions = 0; decisions <= 1_001; decisions++) {
    matcher.set('changing', filtered({ exact: { type: `b${decisions}` } }))
    assert.equal(matcher.match(event).size, count)
  }
  assert.equal(matcher.match(event), matcher.match(event))
})
