import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../base/fake-clock.ts'
import { seededRandom } from '../../base/random.ts'
import type { FinishedSpan } from '../../model/otlp/span.ts'
import type { Span } from '../tracing.ts'
import { createTracer } from './tracer.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const spanId = '00f067aa0ba902b7'
const sampled = `00-${traceId}-${spanId}-01`
const unsampled = `00-${traceId}-${spanId}-00`

function aTracer(samplingRate: number) {
  const clock = new FakeClock()
  const spans: FinishedSpan[] = []
  const random = seededRandom(1)
  const tracer = createTracer({ scope: 's', samplingRate, clock, random, onEnd: (span) => void spans.push(span) })
  const begin = (traceparent?: string, tracestate?: string): Span | undefined =>
    tracer.begin('n', { kind: 'server', parent: { traceparent, tracestate }, attributes: { a: 1 } })
  return { clock, spans, begin }
}

const decisions: [rate: number, parent: string | undefined, isRecorded: boolean][] = [
  [0, sampled, false],
  [0, undefined, false],
  [1e-9, sampled, true],
  [1e-9, unsampled, false],
  [1e-9, undefined, false],
  [0.999999, unsampled, false],
  [1, unsampled, true],
  [1, undefined, true],
]
for (const [rate, parent, isRecorded] of decisions) {
  test(`at rate ${rate}, ${parent ?? 'a new trace'} is ${isRecorded ? '' : 'not '}recorded`, () => {
    assert.equal(aTracer(rate).begin(parent) !== undefined, isRecorded)
  })
}

test('of new traces the share is recorded that was asked for', () => {
  const { begin } = aTracer(0.25)
  let count = 0
  for (let at = 0; at < 4_000; at++) if (begin() !== undefined) count++
  assert.ok(count > 900 && count < 1_100, `${count}`)
})

test('a span is below its caller’s, its child below it; times come of one clock, and the second end does nothing', async () => {
  const { clock, spans, begin } = aTracer(1)
  const span = begin(sampled, 'x=1')!
  assert.match(span.traceparent, new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`))
  assert.equal(span.tracestate, 'x=1')
  await clock.advance(10)
  const child = span.child('c', 'client', { b: 'two' })
  child.fail('why')
  child.end()
  span.set({ a: 2 })
  await clock.advance(5)
  span.end()
  span.end()
  const [first, second, ...more] = spans
  assert.deepEqual(more, [])
  const startMs = Date.UTC(2026, 0, 1)
  const shared = { traceId, traceState: 'x=1', scope: 's', links: [] }
  const own = span.traceparent.split('-')[2]!
  assert.deepEqual(first, {
    ...shared,
    name: 'c',
    kind: 'client',
    spanId: child.traceparent.split('-')[2],
    parentSpanId: own,
    startMs: startMs + 10,
    endMs: startMs + 10,
    attributes: { b: 'two' },
    error: 'why',
  })
  assert.deepEqual(second, {
    ...shared,
    name: 'n',
    kind: 'server',
    spanId: own,
    parentSpanId: spanId,
    startMs,
    endMs: startMs + 15,
    attributes: { a: 2 },
    error: undefined,
  })
})

test('a new trace has no state, whatever came with a broken parent', () => {
  const { begin } = aTracer(1)
  const span = begin('nonsense', 'x=1')!
  assert.equal(span.tracestate, '')
  assert.doesNotMatch(span.traceparent, new RegExp(traceId))
})

test('of long texts the beginning is kept', () => {
  const { spans, begin } = aTracer(1)
  const span = begin()!
  const child = span.child('n'.repeat(5_000), 'client', { a: 'ä'.repeat(1_000_000), b: 1, c: 'c'.repeat(4_096) })
  child.fail('why'.repeat(5_000))
  child.end()
  const { name, attributes, error } = spans[0]!
  assert.deepEqual([name.length, error!.length], [4_096, 4_096])
  assert.deepEqual(attributes, { a: 'ä'.repeat(4_096), b: 1, c: 'c'.repeat(4_096) })
})

test('a long state is passed on, and not kept: thousands of spans wait', () => {
  for (const length of [4_096, 4_097]) {
    const { spans, begin } = aTracer(1)
    const state = 'x='.padEnd(length, 'y')
    const span = begin(sampled, state)!
    assert.equal(span.tracestate, state)
    span.end()
    assert.equal(spans[0]!.traceState, length > 4_096 ? '' : state)
  }
})
