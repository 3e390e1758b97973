import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics } from './metrics.ts'
import type { Instrument } from './metrics.ts'

const taken = (instruments: Iterable<Instrument>): object[] =>
  [...instruments].map((instrument) => ({ ...instrument, points: [...instrument.points] }))

test('what was counted is read as points, with labels by their own names, and printed for Prometheus', () => {
  const metrics = createMetrics()
  const sent = metrics.scope('shop').counter('shop.orders', 'Orders')
  sent.add(2, { 'order.kind': 'tea', 'http.response.status_code': 200 })
  sent.bind({ 'order.kind': 'tea', 'http.response.status_code': 200 }).add(1)
  sent.bind({ 'order.kind': 'never' })
  metrics.gauge('shop.open', 'Whether it is', () => [[{}, 1]])
  const took = metrics.scope('shop').histogram('shop.duration', 'How long', 'seconds')
  took.record(0.02, { a: 'say "x"\n' })
  took.bind({ a: 'say "x"\n' }).record(11)
  const labels = { 'order.kind': 'tea', 'http.response.status_code': 200 }
  const instruments = taken(metrics.read())
  assert.deepEqual(instruments.slice(0, 2), [
    {
      scope: 'shop',
      name: 'shop.orders',
      description: 'Orders',
      unit: '',
      kind: 'counter',
      points: [{ labels, value: 3 }],
    },
    {
      scope: '',
      name: 'shop.open',
      description: 'Whether it is',
      unit: '',
      kind: 'gauge',
      points: [{ labels: {}, value: 1 }],
    },
  ])
  const bounds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
  const counts = bounds.map((bound) => (bound === 0.025 ? 1 : 0))
  assert.deepEqual(instruments[2], {
    scope: 'shop',
    name: 'shop.duration',
    description: 'How long',
    unit: 'seconds',
    kind: 'histogram',
    bounds,
    points: [{ labels: { a: 'say "x"\n' }, counts, sum: 11.02, count: 2 }],
  })
  const text = metrics.prometheus()
  assert.match(text, /^# HELP shop_orders_total Orders\n# TYPE shop_orders_total counter\n/)
  assert.match(text, /^shop_orders_total\{order_kind="tea",http_response_status_code="200"\} 3$/m)
  assert.match(text, /^# TYPE shop_open gauge\nshop_open 1$/m)
  assert.match(text, /^shop_duration_seconds_bucket\{a="say \\"x\\"\\n",le="0.01"\} 0$/m)
  assert.match(text, /^shop_duration_seconds_bucket\{a="say \\"x\\"\\n",le="10"\} 1$/m)
  assert.match(text, /^shop_duration_seconds_bucket\{a="say \\"x\\"\\n",le="\+Inf"\} 2$/m)
  assert.match(text, /^shop_duration_seconds_sum\{a="say \\"x\\"\\n"\} 11.02$/m)
})

test('instruments of one scope and name are one; those of another scope are others', () => {
  const metrics = createMetrics()
  for (const scope of ['a', 'a', 'b']) metrics.scope(scope).counter('n', 'N').add(1)
  assert.deepEqual(
    [...metrics.read()].map(({ scope, points }) => [scope, [...points].length]),
    [
      ['a', 1],
      ['b', 1],
    ],
  )
  assert.match(metrics.prometheus(), /n_total 2\n/)
})

test('beyond ten thousand series all further ones share one', () => {
  const metrics = createMetrics()
  const counter = metrics.counter('n', 'N')
  for (let at = 0; at < 10_002; at++) counter.add(1, { at })
  counter.add(1, { at: 0 })
  const [instrument] = metrics.read()
  const points = [...instrument!.points]
  assert.equal(points.length, 10_001)
  assert.deepEqual(points.at(-1), { labels: { overflow: 'true' }, value: 2 })
  assert.deepEqual(points[0], { labels: { at: 0 }, value: 2 })
})

test('a gauge that throws, at once or halfway, costs only itself, and is told once', () => {
  const told: string[] = []
  const metrics = createMetrics({ onUnreadable: (gauge, thrown) => void told.push(`${gauge}: ${String(thrown)}`) })
  metrics.gauge('at.once', '', () => {
    throw new Error('broken')
  })
  metrics.scope('s').gauge('halfway', '', function* () {
    yield [{}, 1]
    throw new Error('torn')
  })
  let isWhole = false
  metrics.gauge('by.turns', '', () => {
    if (!isWhole) throw new Error('not yet')
    return [[{}, 2]]
  })
  metrics.gauge('whole', '', () => [[{}, 3]])
  metrics.counter('counted', '').add(1)
  const names = (): string[] => [...metrics.read()].map(({ name }) => name)
  assert.deepEqual(names(), ['counted', 'whole'])
  isWhole = true
  assert.deepEqual(names(), ['counted', 'by.turns', 'whole'])
  assert.doesNotMatch(metrics.prometheus(), /at_once|halfway/)
  assert.match(metrics.prometheus(), /^whole 3$/m)
  assert.deepEqual(told, ['at.once: Error: broken', 'halfway: Error: torn', 'by.turns: Error: not yet'])
})

test('who does not ask to hear of gauges that throw is thrown at', () => {
  const metrics = createMetrics()
  metrics.gauge('g', '', () => {
    throw new Error('broken')
  })
  assert.throws(() => metrics.prometheus(), /broken/)
})

test('labels that are too long are not kept: their series is the one of all that are too many', () => {
  const metrics = createMetrics()
  const counter = metrics.counter('n', 'N')
  for (const letter of 'abc') counter.add(1, { type: letter.repeat(5_000) })
  counter.bind({ type: 'd'.repeat(5_000) }).add(1)
  counter.add(1, { type: 'e'.repeat(4_000) })
  const [instrument] = metrics.read()
  const points = [...instrument!.points] as { labels: object; value: number }[]
  assert.deepEqual(
    points.map(({ labels, value }) => [Object.keys(labels), value]),
    [
      [['overflow'], 4],
      [['type'], 1],
    ],
  )
})
