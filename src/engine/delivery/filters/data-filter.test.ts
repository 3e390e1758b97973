import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { KnodeError } from '../../../base/errors.ts'
import { cloudEvent } from '../../../model/cloudevents/event.ts'
import type { AttributeValue, CloudEvent } from '../../../model/cloudevents/event.ts'
import { compileDataFilter, dataFilterCharactersMax } from './data-filter.ts'
import { eventData } from './event-data.ts'

const order = { total: 150.5, count: 4, tags: ['a', 'b'], customer: { vip: true, email: null }, items: [{ sku: 'x' }] }

function anEvent(
  attributes: Record<string, AttributeValue> = {},
  data: Uint8Array | string = JSON.stringify(order),
): CloudEvent {
  return cloudEvent({ id: '1', source: '/shop', type: 'order', subject: 's', hop: 5, ...attributes }, data)
}

describe('an expression sees data and attributes', () => {
  const cases: [text: string, passes: boolean][] = [
    ['data.total > 100', true],
    ['data.total > 100.5 && data.count == 4', true],
    ['int(data.count) % 2 == 0', true],
    ['"a" in data.tags', true],
    ['data.customer.vip', true],
    ['data.customer.email == null', true],
    ['has(data.customer.phone)', false],
    ['data.items.exists(i, i.sku == "x")', true],
    ['size(data.tags) == 2', true],
    ['type == "order" && source.startsWith("/sh")', true],
    ['type == "order" ? data.count > 3 : false', true],
    ['"type" == type', false],
    ['type(data.count) == double', true],
    ['data.tags.map(type, type + "!") == ["a!", "b!"]', true],
    ['hop % 2 == 1', true],
    ['attributes.subject == "s" && !has(attributes.tenant) && "hop" in attributes', true],
    ['cel.bind(n, data.count, n > 3 && n < 5)', true],
    ['data["total"] < 1', false],
  ]
  for (const [text, passes] of cases) {
    test(text, () => assert.deepEqual(compileDataFilter(text)(anEvent()), { passes }))
  }
})

describe('what cannot be evaluated is false, with a reason', () => {
  const cases: [text: string, event: CloudEvent, fault: string, message: RegExp][] = [
    ['data.n > 1', anEvent({}, '{"n":'), 'data-unparsable', /not valid JSON/],
    ['data.n > 1', anEvent({}, Buffer.from([0xff, 0xfe])), 'data-unparsable', /not valid JSON/],
    ['data.n > 1', anEvent({ datacontenttype: 'text/plain' }), 'data-not-json', /the data are text\/plain, not JSON/],
    ['data.n > 1', cloudEvent({ id: '1', source: '/', type: 't' }), 'data-missing', /no data/],
    ['data.nope > 1', anEvent(), 'data-filter-failed', /No such key: nope/],
    ['tenant == "x"', anEvent(), 'data-filter-failed', /Unknown variable: tenant/],
    ['constructor == "x"', anEvent(), 'data-filter-failed', /Unknown variable: constructor/],
    ['data.count', anEvent(), 'data-filter-failed', /the result is a number, not a bool/],
    ['data.nope == 1 || true', anEvent({}, 'no json'), 'data-unparsable', /not valid JSON/],
    ['!(data.n > 1)', anEvent({}, 'no json'), 'data-unparsable', /not valid JSON/],
  ]
  for (const [text, event, fault, message] of cases) {
    test(`${text}: ${fault}`, () => {
      const result = compileDataFilter(text)(event)
      assert.equal(result.passes, false)
      assert.equal(result.fault, fault)
      assert.match(result.message ?? '', message)
    })
  }
})

describe('an expression that cannot work is refused with position and hint', () => {
  const cases: [text: string, message: RegExp][] = [
    ['', /^line 1, column 1: /],
    ['data.total >', /^line 1, column 13: Unexpected token: EOF/],
    ['data.total + 1', /.*not bool/],
    ['type + 1 == 2', /^line 1, column 1: no such overload/],
    ['nope(data)', /nope/],
    ['dta.total > 1', /^line 1, column 1: dta is an attribute and has no fields/],
    ['"a" == Data', /^line 1, column 8: unknown name Data/],
    ['data.name.matches("(a+)+$")', /matches\(\) is not available/],
    ['data.a.all(x, data.b.all(y, data.c.all(z, x == y && y == z)))', /dataFilterMacroDepthMax \(2\)/],
    [`${'('.repeat(200)}true${')'.repeat(200)}`, /maxDepth/],
    [`data.s == "${'a'.repeat(dataFilterCharactersMax)}"`, /dataFilterCharactersMax/],
  ]
  for (const [text, message] of cases) {
    test(text.slice(0, 60), () =>
      assert.throws(
        () => compileDataFilter(text),
        (error) => error instanceof KnodeError && error.code === 'BAD_FILTER' && message.test(error.message),
      ),
    )
  }
})

test('data are parsed once per event, and only when an expression reaches for them', (t) => {
  const parse = t.mock.method(JSON, 'parse')
  const byType = compileDataFilter('type == "other" && data.total > 1')
  const byTotal = compileDataFilter('data.total > 1')
  const byCount = compileDataFilter('data.count > 1')
  const event = anEvent()
  byType(event)
  assert.equal(parse.mock.callCount(), 0)
  assert.equal(byTotal(event).passes && byCount(event).passes, true)
  eventData(event)
  assert.equal(parse.mock.callCount(), 1)
})
