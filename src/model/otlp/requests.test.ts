// The bytes of whole messages, by the field numbers of opentelemetry-proto. test/end-to-end/telemetry.test.ts has them read
// by its generated code.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics } from '../../base/metrics.ts'
import { nanosOf } from './common.ts'
import { writeMetricsRequest } from './metrics-request.ts'
import type { FinishedSpan } from './span.ts'
import { aSpan } from './test-span.ts'
import { writeTracesRequest } from './traces-request.ts'

const hexOf = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex')
const text = (words: string): string => Buffer.from(words).toString('hex')
const bytes = (...parts: string[]): string => parts.join('')

test('a counter becomes a monotonic sum since the start, its labels attributes', () => {
  const metrics = createMetrics()
  metrics.scope('s').counter('n', 'd').add(3, { a: 'x', c: 7 })
  const message = writeMetricsRequest({
    resource: { r: true },
    version: '1',
    instruments: metrics.read(),
    startedMs: 1,
    nowMs: 2.5,
  })
  const point = bytes(
    '1140420f0000000000', // start_time_unix_nano: 1 ms
    '19a025260000000000', // time_unix_nano: 2.5 ms
    '310300000000000000', // as_int
    `3a080a01${text('a')}12030a01${text('x')}`, // attributes
    `3a070a01${text('c')}12021807`,
  )
  const metric = bytes('0a01', text('n'), '1201', text('d'), '3a34', '0a2e', point, '1002', '1801')
  const scope = bytes('0a06', '0a01', text('s'), '1201', text('1'), '123c', metric)
  const resource = bytes('0a09', '0a07', '0a01', text('r'), '1202', '1001')
  assert.equal(hexOf(message), `0a53${resource}1246${scope}`)
})

test('a histogram has one bucket more than bounds, and nothing is written while nothing was counted', () => {
  const metrics = createMetrics()
  const request = { resource: {}, version: '', startedMs: 0, nowMs: 1 }
  metrics.counter('unused', 'd').bind({})
  assert.equal(writeMetricsRequest({ ...request, instruments: metrics.read() }), undefined)
  const histogram = metrics.histogram('h', '', 'seconds')
  histogram.record(0.001)
  histogram.record(100)
  const hex = hexOf(writeMetricsRequest({ ...request, instruments: metrics.read() }))
  const counts = ['01', ...Array<string>(13).fill('00'), '01'].map((count) => `${count}00000000000000`).join('')
  assert.ok(hex.includes(`3278${counts}`), 'bucket_counts')
  assert.ok(hex.includes('3a707b14ae47e17a743f'), 'explicit_bounds begin with 0.005')
  assert.ok(hex.includes('210200000000000000'), 'count')
  assert.ok(hex.includes(`1a01${text('s')}`), 'the unit as UCUM has it')
})

test('a gauge may have fractions', () => {
  const metrics = createMetrics()
  metrics.gauge('g', '', () => [[{}, 0.5]])
  const instruments = metrics.read()
  const hex = hexOf(writeMetricsRequest({ resource: {}, version: '', startedMs: 0, nowMs: 0, instruments }))
  assert.ok(hex.endsWith(bytes('0a01', text('g'), '2a0b', '0a09', '21000000000000e03f')))
})

const span = aSpan()

test('a span is written with its ids as bytes, its kind, times and flags', () => {
  const hex = hexOf(writeTracesRequest({ resource: {}, version: '', spans: [span] }))
  const body = bytes(
    '0a10',
    span.traceId,
    '1208',
    span.spanId,
    '2a01',
    text('n'),
    '3002',
    '3940420f0000000000',
    '4180841e0000000000',
    '850101000000',
  )
  assert.equal(hex, bytes('0a44', '0a00', '1240', '0a03', '0a01', text('s'), '1239', body))
})

test('a span that failed says why; its parent, state, attributes and links go with it', () => {
  const failed: FinishedSpan = {
    ...span,
    parentSpanId: 'b7ad6b7169203331',
    traceState: 'a=1',
    attributes: { e: '' },
    links: [{ traceId: span.traceId, spanId: span.spanId }],
    error: 'why',
  }
  const hex = hexOf(writeTracesRequest({ resource: {}, version: '', spans: [failed] }))
  assert.ok(hex.includes(`1a03${text('a=1')}2208b7ad6b71692033312a01`))
  assert.ok(hex.includes(bytes(`4a07`, '0a01', text('e'), '1202', '0a00')), 'an empty text is one')
  assert.ok(hex.includes(`6a1c0a10${span.traceId}1208${span.spanId}`))
  assert.ok(hex.includes(bytes(`7a07`, '1203', text('why'), '1802')))
  const nameless = hexOf(writeTracesRequest({ resource: {}, version: '', spans: [{ ...span, error: '' }] }))
  assert.ok(nameless.includes(bytes('7a02', '1802')))
})

test('spans of one scope are together', () => {
  const spans = [span, { ...span, scope: 't' }, span]
  const hex = hexOf(writeTracesRequest({ resource: {}, version: '', spans }))
  assert.equal(hex.split(bytes(`0a03`, '0a01', text('s'))).length, 2)
})

test('milliseconds with fractions become nanoseconds', () => {
  assert.equal(nanosOf(1_767_225_600_123.25), 1_767_225_600_123_250_000n)
})
