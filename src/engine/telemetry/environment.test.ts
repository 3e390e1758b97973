import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../base/fake-clock.ts'
import { createLogger } from '../../base/log.ts'
import { OtelVariables, resourceFor } from './environment.ts'
import type { Environment } from './environment.ts'

const configured = { protocol: 'http/protobuf', endpoint: 'http://configured:1' } as const

function variablesOf(environment: Environment): {
  variables: OtelVariables
  told: [variable: string, reason: string][]
} {
  const told: [string, string][] = []
  const write = (line: string): void => {
    const { variable, reason } = JSON.parse(line) as { variable: string; reason: string }
    told.push([variable, reason])
  }
  return { variables: new OtelVariables(environment, createLogger({ write, clock: new FakeClock() })), told }
}

test('variables count more than the ConfigMap, and the one of a signal more than that of all', () => {
  const shared = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://shared:2/base' }
  const own = { ...shared, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://own:3/here' }
  const where = (environment: Environment) => {
    const { origin, path } = variablesOf(environment).variables.endpoint(configured, 'traces')
    return origin + path
  }
  assert.equal(where({}), 'http://configured:1/v1/traces')
  assert.equal(where(shared), 'http://shared:2/base/v1/traces')
  assert.equal(where(own), 'http://own:3/here')
  assert.equal(where({ ...own, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: '' }), 'http://shared:2/base/v1/traces')
})

test('a variable that is no endpoint is named', () => {
  for (const name of ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT']) {
    const { variables } = variablesOf({ [name]: 'collector' })
    const message = `${name}: "collector" is no URL of http or https, and no host:port`
    assert.throws(() => variables.endpoint(configured, 'metrics'), { message })
  }
})

test('headers, time limits, interval and rate', () => {
  const { variables, told } = variablesOf({
    OTEL_EXPORTER_OTLP_HEADERS: 'X-Token=a%20b, other=c=d,',
    OTEL_EXPORTER_OTLP_METRICS_HEADERS: 'only=metrics',
    OTEL_EXPORTER_OTLP_TIMEOUT: '250',
    OTEL_METRIC_EXPORT_INTERVAL: '5000',
    OTEL_METRIC_EXPORT_TIMEOUT: ' 4000 ',
    OTEL_TRACES_SAMPLER_ARG: '0.25',
  })
  const { variables: none } = variablesOf({})
  assert.deepEqual(variables.headers('traces'), { 'x-token': 'a b', other: 'c=d' })
  assert.deepEqual(variables.headers('metrics'), { only: 'metrics' })
  assert.deepEqual(none.headers('traces'), {})
  assert.deepEqual([variables.timeoutMs('traces'), none.timeoutMs('traces')], [250, 10_000])
  assert.deepEqual([variables.metricsIntervalMs(), none.metricsIntervalMs()], [5_000, undefined])
  assert.deepEqual([variables.metricsExportMs(), none.metricsExportMs()], [4_000, undefined])
  assert.deepEqual([variables.samplingRate(), none.samplingRate()], [0.25, undefined])
  assert.deepEqual(told, [])
})

test('what is no header is left out and told, without a word of what it says', () => {
  const name = 'OTEL_EXPORTER_OTLP_HEADERS'
  for (const bad of ['Bearer secret', '=secret', 'two words=secret', 'x=sec%0D%0Aret', ':path=secret', 'x=\u{1F511}']) {
    const { variables, told } = variablesOf({ [name]: `a=1,${bad},b=2` })
    assert.deepEqual(variables.headers('traces'), { a: '1', b: '2' }, bad)
    assert.deepEqual(told, [[name, 'pair 2 is no header']])
  }
})

test('a header that belongs to the protocol is left out and told: with it no message would ever be sent', () => {
  const name = 'OTEL_EXPORTER_OTLP_TRACES_HEADERS'
  for (const taken of ['Connection=close', 'content-length=1', 'Content-Type=text/plain', 'TE=gzip', 'Host=a']) {
    const { variables, told } = variablesOf({ [name]: `a=1,${taken}` })
    assert.deepEqual(variables.headers('traces'), { a: '1' }, taken)
    assert.deepEqual(told, [[name, 'pair 2 is a header that the protocol has taken']])
  }
})

test('gzip is asked for by the variable of a signal or of all; others are told and ignored', () => {
  const name = 'OTEL_EXPORTER_OTLP_COMPRESSION'
  const own = 'OTEL_EXPORTER_OTLP_TRACES_COMPRESSION'
  const both = (environment: Environment) => {
    const { variables, told } = variablesOf(environment)
    return [variables.compression('traces'), variables.compression('metrics'), told]
  }
  assert.deepEqual(both({}), ['none', 'none', []])
  assert.deepEqual(both({ [name]: 'gzip' }), ['gzip', 'gzip', []])
  assert.deepEqual(both({ [own]: 'GZIP' }), ['gzip', 'none', []])
  assert.deepEqual(both({ [name]: 'gzip', [own]: 'none' }), ['none', 'gzip', []])
  assert.deepEqual(both({ [name]: 'gzip', [own]: '' }), ['gzip', 'gzip', []])
  const objection = [own, '"zstd" is neither "gzip" nor "none"']
  assert.deepEqual(both({ [name]: 'gzip', [own]: 'zstd' }), ['gzip', 'gzip', [objection]])
})

const batchDefaults = { delayMs: 5_000, exportMs: 30_000, waitingMax: 2_048, batchMax: 512 }
const batches: [environment: Environment, expected: Partial<typeof batchDefaults>, told?: [string, string]][] = [
  [{}, {}],
  [
    {
      OTEL_BSP_SCHEDULE_DELAY: '0',
      OTEL_BSP_EXPORT_TIMEOUT: '7',
      OTEL_BSP_MAX_QUEUE_SIZE: '9',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '9',
    },
    { delayMs: 0, exportMs: 7, waitingMax: 9, batchMax: 9 },
  ],
  [{ OTEL_BSP_EXPORT_TIMEOUT: '0' }, { exportMs: 2_147_483_647 }],
  [{ OTEL_BSP_MAX_QUEUE_SIZE: '100' }, { waitingMax: 100, batchMax: 100 }],
  [
    { OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '5000' },
    {},
    ['OTEL_BSP_MAX_EXPORT_BATCH_SIZE', '5000 is more than 2048, which is all that may wait'],
  ],
  [{ OTEL_BSP_SCHEDULE_DELAY: '-1' }, {}, ['OTEL_BSP_SCHEDULE_DELAY', '"-1" is no whole number from 0 to 2147483647']],
  [{ OTEL_BSP_EXPORT_TIMEOUT: '5s' }, {}, ['OTEL_BSP_EXPORT_TIMEOUT', '"5s" is no whole number from 0 to 2147483647']],
  [{ OTEL_BSP_MAX_QUEUE_SIZE: '0' }, {}, ['OTEL_BSP_MAX_QUEUE_SIZE', '"0" is no whole number from 1 to 2147483647']],
]
for (const [environment, expected, told] of batches) {
  test(`a batch of spans by ${JSON.stringify(environment)}`, () => {
    const seen = variablesOf(environment)
    assert.deepEqual(seen.variables.batchLimits(), { ...batchDefaults, ...expected })
    assert.deepEqual(seen.told, told === undefined ? [] : [told])
  })
}

test('numbers that make no sense are told once and ignored; a time limit of 0 is none', () => {
  const { variables, told } = variablesOf({
    OTEL_EXPORTER_OTLP_TIMEOUT: '0',
    OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '1e3',
    OTEL_METRIC_EXPORT_INTERVAL: '0',
    OTEL_METRIC_EXPORT_TIMEOUT: '99999999999',
    OTEL_TRACES_SAMPLER_ARG: '1.5',
  })
  for (const _ of ['once', 'twice']) {
    assert.equal(variables.timeoutMs('traces'), 2_147_483_647)
    assert.equal(variables.metricsIntervalMs(), undefined)
    assert.equal(variables.metricsExportMs(), undefined)
    assert.equal(variables.samplingRate(), undefined)
  }
  assert.deepEqual(told, [
    ['OTEL_EXPORTER_OTLP_TRACES_TIMEOUT', '"1e3" is no whole number from 0 to 2147483647'],
    ['OTEL_METRIC_EXPORT_INTERVAL', '"0" is no whole number from 1 to 2147483647'],
    ['OTEL_METRIC_EXPORT_TIMEOUT', '"99999999999" is no whole number from 0 to 2147483647'],
    ['OTEL_TRACES_SAMPLER_ARG', '"1.5" is no number from 0 to 1'],
  ])
})

test('a name can be chosen, other attributes only be added', () => {
  const environment = { OTEL_SERVICE_NAME: 'mine', OTEL_RESOURCE_ATTRIBUTES: 'site=berlin,service.version=9,nothing' }
  const own = { 'service.name': 'knode', 'service.version': '1' }
  assert.deepEqual(resourceFor(environment, own), { site: 'berlin', 'service.version': '1', 'service.name': 'mine' })
  assert.deepEqual(resourceFor({}, own), own)
  const among = { OTEL_RESOURCE_ATTRIBUTES: 'service.name=among' }
  assert.equal(resourceFor(among, own)['service.name'], 'among')
  assert.equal(resourceFor({ ...among, OTEL_SERVICE_NAME: 'mine' }, own)['service.name'], 'mine')
})
