// Lines of `knode tail`.
import assert from 'node:assert/strict'
import test from 'node:test'
import type { FlowLine } from '../app/flow-line.ts'
import { flowText } from './flow-text.ts'

const plain = { paint: (_: string, text: string) => text }
const line = (facts: Partial<FlowLine>): FlowLine => ({
  what: 'accepted',
  time: '2026-01-01T12:00:00.123Z',
  stream: 'broker/shop/orders/uid',
  event: { id: '7', type: 'order.created' },
  ...facts,
})

test('each step of an event is one line: when, what, where, how, which', () => {
  const owner = { kind: 'Trigger.eventing.knative.dev', namespace: 'shop', name: 'billing' }
  const rows: [Partial<FlowLine>, string][] = [
    [
      { event: { id: '7', type: 'order.created', data: { total: 12 } } },
      '12:00:00.123 ● accepted       broker shop/orders  order.created id=7  {"total":12}',
    ],
    [
      { what: 'delivered', owner, url: 'http://x', status: 200, tookMs: 3.4, attempt: 1 },
      '12:00:00.123 → delivered      Trigger shop/billing  http://x 200 in 3 ms  order.created id=7',
    ],
    [
      { what: 'retrying', owner, status: 503, attempt: 2, message: 'busy' },
      '12:00:00.123 ↻ retrying       Trigger shop/billing  503 (attempt 2): busy  order.created id=7',
    ],
    [
      { what: 'delivered', owner, event: { id: '7', type: 't', knodereplay: '1a2b3c4d' } },
      '12:00:00.123 → delivered      Trigger shop/billing  t id=7  replay=1a2b3c4d',
    ],
    [
      { what: 'dropped', stream: 'odd', message: 'no reason' },
      '12:00:00.123 ✗ dropped        odd  no reason  order.created id=7',
    ],
    [
      { event: { id: '7', type: 't', data: `two\n lines ${'x'.repeat(200)}` } },
      `12:00:00.123 ● accepted       broker shop/orders  t id=7  two lines ${'x'.repeat(110)}…`,
    ],
  ]
  for (const [facts, text] of rows) assert.equal(flowText(line(facts), plain), text)
  assert.equal(flowText({ what: 'left-out', count: 12 }, plain), '… 12 left out: this reader was too slow')
})
