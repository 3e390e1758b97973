import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readMetricsExport, readTracesExport } from './observability-config.ts'

test('nothing is sent unless a protocol of OTLP is named', () => {
  for (const protocol of [undefined, 'none', 'prometheus']) {
    const data = { ...(protocol !== undefined && { 'metrics-protocol': protocol }), 'metrics-endpoint': ':9090' }
    assert.equal(readMetricsExport(data), undefined)
  }
  assert.equal(readTracesExport({ 'tracing-protocol': 'none', 'tracing-sampling-rate': '1' }), undefined)
})

test('metrics have an endpoint and an interval, of which 0 is the default; requests have their own', () => {
  const data = {
    'metrics-protocol': 'grpc',
    'metrics-endpoint': 'otel:4317',
    'metrics-export-interval': '0s',
    'request-metrics-protocol': ' http/protobuf ',
    'request-metrics-endpoint': 'http://otel:4318',
    'request-metrics-export-interval': '1m30s',
  }
  assert.deepEqual(readMetricsExport(data), { protocol: 'grpc', endpoint: 'otel:4317' })
  assert.deepEqual(readMetricsExport(data, 'request-'), {
    protocol: 'http/protobuf',
    endpoint: 'http://otel:4318',
    intervalMs: 90_000,
  })
})

test('traces have a rate, which is 0 unless it is set', () => {
  const data = { 'tracing-protocol': 'grpc', 'tracing-endpoint': 'otel:4317' }
  assert.deepEqual(readTracesExport(data), { protocol: 'grpc', endpoint: 'otel:4317', samplingRate: 0 })
  assert.deepEqual(readTracesExport({ 'tracing-protocol': 'stdout', 'tracing-sampling-rate': '0.5' }), {
    protocol: 'stdout',
    samplingRate: 0.5,
  })
})
