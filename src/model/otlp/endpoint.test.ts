import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endpointBelow, parseEndpoint } from './endpoint.ts'
import type { OtlpProtocol } from './endpoint.ts'
import { parseTraceparent } from './traceparent.ts'

const metricsCall = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export'
const endpoints: [text: string, protocol: OtlpProtocol, origin: string, path: string][] = [
  ['http://otel:4318', 'http/protobuf', 'http://otel:4318', '/v1/metrics'],
  ['http://otel:4318/', 'http/protobuf', 'http://otel:4318', '/'],
  ['http://otel:9090/api/v1/otlp/v1/metrics', 'http/protobuf', 'http://otel:9090', '/api/v1/otlp/v1/metrics'],
  ['https://otel/x?secret=1', 'http/protobuf', 'https://otel', '/x'],
  ['https://otel?secret=a/b', 'http/protobuf', 'https://otel', '/v1/metrics'],
  ['otel:4318', 'http/protobuf', 'https://otel:4318', '/v1/metrics'],
  ['http://user:word@otel:4317', 'grpc', 'http://otel:4317', metricsCall],
  ['http://otel', 'grpc', 'http://otel:4317', metricsCall],
  ['https://otel', 'grpc', 'https://otel', metricsCall],
  ['otel:4317', 'grpc', 'https://otel:4317', metricsCall],
  ['http://[::1]:4317/ignored', 'grpc', 'http://[::1]:4317', metricsCall],
]
for (const [text, protocol, origin, path] of endpoints) {
  test(`${text} by ${protocol} is ${origin} ${path}`, () => {
    assert.deepEqual(parseEndpoint(text, protocol, 'metrics'), { protocol, origin, path })
  })
}

for (const text of ['collector', '', 'ftp://otel:1', 'http://', 'http://a b', ':4317']) {
  test(`${JSON.stringify(text)} is no endpoint`, () => {
    assert.throws(() => parseEndpoint(text, 'grpc', 'traces'), RangeError)
  })
}

test('an endpoint of all signals has each below its path', () => {
  assert.equal(endpointBelow('http://otel:4318/otlp/', 'http/protobuf', 'traces').path, '/otlp/v1/traces')
  assert.equal(endpointBelow('http://otel:4318', 'http/protobuf', 'metrics').path, '/v1/metrics')
  assert.equal(endpointBelow('http://otel:4318/otlp?a=b', 'http/protobuf', 'metrics').path, '/otlp/v1/metrics')
  assert.equal(endpointBelow('http://otel:4317', 'grpc', 'metrics').path, metricsCall)
})

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const spanId = '00f067aa0ba902b7'
test('a traceparent is read as W3C has it, and what is none begins a new trace', () => {
  assert.deepEqual(parseTraceparent(`00-${traceId}-${spanId}-01`), { traceId, spanId, isSampled: true })
  assert.deepEqual(parseTraceparent(`00-${traceId}-${spanId}-02`), { traceId, spanId, isSampled: false })
  assert.deepEqual(parseTraceparent(`cc-${traceId}-${spanId}-03-more`), { traceId, spanId, isSampled: true })
  const none = [
    undefined,
    '',
    `ff-${traceId}-${spanId}-01`,
    `00-${traceId}-${spanId}-01-more`,
    `00-${'0'.repeat(32)}-${spanId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId.toUpperCase()}-${spanId}-01`,
    `00-${traceId}-${spanId}`,
  ]
  for (const text of none) assert.equal(parseTraceparent(text), undefined, text)
})
