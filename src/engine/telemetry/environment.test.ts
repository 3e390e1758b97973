import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endpointFor, headersFor, intervalMsIn, resourceFor, samplingRateIn, timeoutMsFor } from './environment.ts'

const configured = { protocol: 'http/protobuf', endpoint: 'http://configured:1' } as const

test('variables count more than the ConfigMap, and the one of a signal more than that of all', () => {
  const shared = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://shared:2/base' }
  const own = { ...shared, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://own:3/here' }
  const where = (environment: Record<string, string>) => {
    const { origin, path } = endpointFor(environment, configured, 'traces')
    return origin + path
  }
  assert.equal(where({}), 'http://configured:1/v1/traces')
  assert.equal(where(shared), 'http://shared:2/base/v1/traces')
  assert.equal(where(own), 'http://own:3/here')
})

test('headers, time limit, interval and rate', () => {
  const environment = {
    OTEL_EXPORTER_OTLP_HEADERS: 'X-Token=a%20b, other=c=d,,=x,bad',
    OTEL_EXPORTER_OTLP_METRICS_HEADERS: 'only=metrics',
    OTEL_EXPORTER_OTLP_TIMEOUT: '250',
    OTEL_METRIC_EXPORT_INTERVAL: '5000',
    OTEL_TRACES_SAMPLER_ARG: '0.25',
  }
  assert.deepEqual(headersFor(environment, 'traces'), { 'x-token': 'a b', other: 'c=d' })
  assert.deepEqual(headersFor(environment, 'metrics'), { only: 'metrics' })
  assert.deepEqual([timeoutMsFor(environment, 'traces'), timeoutMsFor({}, 'traces')], [250, 10_000])
  assert.deepEqual([intervalMsIn(environment), intervalMsIn({})], [5_000, undefined])
  assert.deepEqual(
    [samplingRateIn(environment), samplingRateIn({}), samplingRateIn({ OTEL_TRACES_SAMPLER_ARG: 'x' })],
    [0.25, undefined, undefined],
  )
})

test('a name can be chosen, other attributes only be added', () => {
  const environment = { OTEL_SERVICE_NAME: 'mine', OTEL_RESOURCE_ATTRIBUTES: 'site=berlin,service.version=9' }
  const own = { 'service.name': 'knode', 'service.version': '1' }
  assert.deepEqual(resourceFor(environment, own), { site: 'berlin', 'service.version': '1', 'service.name': 'mine' })
  assert.deepEqual(resourceFor({}, own), own)
})
