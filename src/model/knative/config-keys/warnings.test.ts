// What is said of keys without effect, and of those that nothing reads.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fieldErrorText } from '../../kubernetes/field-error.ts'
import { configWarnings } from './warnings.ts'

const serving = (name: string, data: Record<string, string>, before?: Record<string, string>): string =>
  fieldErrorText(configWarnings({ namespace: 'knative-serving', name }, data, before))

test('a key without effect is told, with what it does on a cluster and why it does not here', () => {
  assert.equal(
    serving('config-observability', { 'runtime-profiling': 'enabled', 'runtime-export-interval': '1s' }),
    'no effect in Knode: data[runtime-export-interval], data[runtime-profiling]\n' +
      '(on a cluster it is about profiles and figures of Go programs; ' +
      'Knode is none, profile it as any program of Node.js)',
  )
})

test('ConfigMaps and namespaces may be called like what every object of JavaScript has', () => {
  for (const name of ['constructor', 'keys', 'name', 'config-features']) {
    for (const namespace of ['knative-serving', 'constructor', 'valueof']) {
      if (name === 'config-features' && namespace === 'knative-serving') continue
      assert.deepEqual(configWarnings({ namespace, name }, { a: 'b' }), [], `${namespace}/${name}`)
    }
  }
})

test('a warning refuses nothing', () => {
  const found = configWarnings({ namespace: 'knative-serving', name: 'config-gc' }, { nonsense: '1' })
  assert.deepEqual(
    found.map(({ level }) => level),
    ['warning'],
  )
})

const quiet: [what: string, name: string, data: Record<string, string>, before?: Record<string, string>][] = [
  ['values that ask for nothing, in any case', 'config-features', { 'queueproxy.mount-podinfo': ' Disabled ' }],
  ['empty ones', 'config-deployment', { 'runtime-class-name': '', 'queue-sidecar-rootca': '' }],
  ['where metrics and traces go', 'config-observability', { 'metrics-protocol': 'grpc', 'tracing-protocol': 'stdout' }],
  ['what Knode honours', 'config-autoscaler', { 'stable-window': '10s' }],
  ['documentation', 'config-gc', { _example: 'anything' }],
  ['any domain', 'config-domain', { 'shop.example.com': '' }],
  [
    'what was told before',
    'config-deployment',
    { 'queue-sidecar-cpu-limit': '2', 'progress-deadline': '5s' },
    { 'queue-sidecar-cpu-limit': '2' },
  ],
  ['upstream’s own image', 'config-deployment', { 'queue-sidecar-image': 'ko://knative.dev/serving/cmd/queue' }],
  [
    'upstream’s own image by digest',
    'config-deployment',
    { 'queue-sidecar-image': 'gcr.io/knative-releases/knative.dev/serving/cmd/queue@sha256:12ab' },
  ],
  ['a log of the usual level', 'config-logging', { 'zap-logger-config': '{ "level": "info", "encoding": "json" }' }],
  ['ConfigMaps of others', 'somebody-elses', { anything: 'x' }],
]
for (const [what, name, data, before] of quiet) {
  test(`nothing is said of ${what}`, () => {
    assert.equal(serving(name, data, before), '')
  })
}

test('a key that was set to something else is told again', () => {
  const now = { 'queue-sidecar-cpu-limit': '3' }
  assert.match(serving('config-deployment', now, { 'queue-sidecar-cpu-limit': '2' }), /data\[queue-sidecar-cpu-limit\]/)
})

test('keys that differ only in their ends share a story', () => {
  for (const key of ['loglevel.controller', 'loglevel.queueproxy']) {
    assert.match(serving('config-logging', { [key]: 'debug' }), /knode up --log-level/)
    assert.equal(serving('config-logging', { [key]: 'info' }), '')
  }
})

test('a key that nothing reads is told, with the one that was probably meant', () => {
  assert.equal(
    serving('config-autoscaler', { 'stable-windw': '10s' }),
    'nothing reads this key: data[stable-windw]\n(did you mean stable-window?)',
  )
  assert.equal(
    serving('config-gc', { colour: 'blue' }),
    'nothing reads this key: data[colour]\n(docs/config-maps.md has those that count)',
  )
})

test('a ConfigMap of the same name elsewhere is nobody’s business', () => {
  for (const namespace of ['default', undefined]) {
    const id = { name: 'config-gc', ...(namespace === undefined ? {} : { namespace }) }
    assert.deepEqual(configWarnings(id, { nonsense: '1' }), [])
  }
})
