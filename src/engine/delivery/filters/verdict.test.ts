import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { cloudEvent } from '../../../model/cloudevents/event.ts'
import { compileFilters } from './compile.ts'
import type { FilterSpec } from './spec.ts'

const event = cloudEvent({ id: '1', source: '/shop', type: 'order.created', hop: 5, tenant: '' }, '{"total":150}')

describe('the reason names the clause that decided and the value it saw', () => {
  const cases: [spec: FilterSpec, passes: boolean, reason: string][] = [
    [{}, true, 'there is no filter'],
    [{ filters: [{}] }, true, 'there is no filter'],
    [
      { filter: { attributes: { type: 'order.deleted' } } },
      false,
      'spec.filter.attributes[type]: type is "order.created", not "order.deleted"',
    ],
    [{ filter: { attributes: { subject: '' } } }, false, 'spec.filter.attributes[subject]: subject is missing'],
    [{ filter: { attributes: { tenant: '' } } }, false, 'spec.filter.attributes[tenant]: tenant is ""'],
    [{ filter: { attributes: { hop: '5' } } }, true, 'spec.filter.attributes[hop]: hop is "5"'],
    [
      { filters: [{ exact: { source: '/shop' } }, { prefix: { type: 'invoice.' } }] },
      false,
      'spec.filters[1].prefix[type]: type "order.created" does not start with "invoice."',
    ],
    [
      { filters: [{ suffix: { type: '.created' } }] },
      true,
      'spec.filters[0].suffix[type]: type "order.created" ends with ".created"',
    ],
    [
      { filters: [{ any: [{ exact: { type: 'a' } }, { all: [{ exact: { source: 'b' } }] }] }] },
      false,
      'no alternative holds: spec.filters[0].any[0].exact[type]: type is "order.created", not "a"; ' +
        'spec.filters[0].any[1].all[0].exact[source]: source is "/shop", not "b"',
    ],
    [
      { filters: [{ not: { exact: { source: '/shop' } } }] },
      false,
      'spec.filters[0].not.exact[source]: source is "/shop"',
    ],
    [{ filters: [{ cesql: 'hop > 6' }] }, false, 'spec.filters[0].cesql: "hop > 6" is false'],
    [
      { filters: [{ not: { cesql: "subject = 'x'" } }] },
      false,
      'spec.filters[0].not.cesql: "subject = \'x\'" failed with MissingAttributeError: the event has no attribute subject',
    ],
    [{ filters: [{ cesql: 'hop' }] }, false, 'spec.filters[0].cesql: "hop" is 5, not a Boolean'],
    [
      { dataFilter: 'data.total > 200.0' },
      false,
      'metadata.annotations[knode.dev/data-filter]: "data.total > 200.0" is false',
    ],
    [
      { dataFilter: 'data.nope == 1' },
      false,
      'metadata.annotations[knode.dev/data-filter]: "data.nope == 1" failed: No such key: nope',
    ],
    [
      { filters: [{ exact: { type: 'order.created' } }], dataFilter: 'data.total > 100.0' },
      true,
      'spec.filters[0].exact[type]: type is "order.created"; ' +
        'metadata.annotations[knode.dev/data-filter]: "data.total > 100.0" is true',
    ],
  ]
  for (const [spec, passes, reason] of cases) {
    test(JSON.stringify(spec), () => {
      const explanation = compileFilters(spec).explain(event)
      assert.deepEqual([explanation.passes, explanation.reason], [passes, reason])
    })
  }
})

test('each clause has its verdict, nested as the filters are', () => {
  const { verdicts } = compileFilters({
    filters: [{ all: [{ exact: { source: '/shop' } }, { not: { cesql: 'nosuch = 1' } }, {}] }],
  }).explain(event)
  const outline = (list: typeof verdicts): unknown =>
    list.map(({ path, outcome, parts }) => (parts.length === 0 ? [path, outcome] : [path, outcome, outline(parts)]))
  assert.deepEqual(outline(verdicts), [
    [
      'spec.filters[0].all',
      'error',
      [
        ['spec.filters[0].all[0].exact', 'pass', [['spec.filters[0].all[0].exact[source]', 'pass']]],
        ['spec.filters[0].all[1].not', 'error', [['spec.filters[0].all[1].not.cesql', 'error']]],
        ['spec.filters[0].all[2]', 'ignored'],
      ],
    ],
  ])
})

test('long values are cut in messages', () => {
  const { reason } = compileFilters({ filters: [{ exact: { type: 'x'.repeat(1_000) } }] }).explain(event)
  assert.ok(reason.length < 300, reason)
})
