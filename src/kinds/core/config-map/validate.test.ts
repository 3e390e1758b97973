import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataBytesMax } from '../../../model/kubernetes/config-data.ts'
import type { ConfigMap } from './schema.ts'
import { validateConfigMap } from './validate.ts'

const aConfigMap = (parts: Partial<ConfigMap>): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'c', namespace: 'default' },
  ...parts,
})
const config = { data: () => ({}) }
const complaints = (configMap: ConfigMap, old?: ConfigMap): string[] =>
  validateConfigMap(configMap, {
    operation: old === undefined ? 'create' : 'update',
    user: { username: 'u' },
    config,
    ...(old !== undefined && { old }),
  }).flatMap(({ paths, message }) => paths.map((path) => `${path}: ${message}`))

test('keys must be usable as file names', () => {
  assert.deepEqual(complaints(aConfigMap({ data: { 'a.b-c_D9': '' }, binaryData: { e: 'AP8=' } })), [])
  for (const key of ['a/b', 'ä', '', '.', '..', '..x', 'k'.repeat(254)]) {
    assert.equal(complaints(aConfigMap({ data: { [key]: '' } })).length, 1, key)
  }
  assert.deepEqual(complaints(aConfigMap({ binaryData: { 'a b': '' } })), ['binaryData[a b]: invalid value: a b'])
})

test('binary data are base64 under keys of their own', () => {
  assert.deepEqual(complaints(aConfigMap({ data: { a: '' }, binaryData: { a: '' } })), ['data[a]: invalid value: a'])
  assert.deepEqual(complaints(aConfigMap({ binaryData: { a: 'no!' } })), ['binaryData[a]: invalid value: no!'])
})

test('a ConfigMap is at most 1 MiB', () => {
  const of = (bytes: number): ConfigMap => aConfigMap({ data: { a: 'x'.repeat(bytes - 3) }, binaryData: { b: 'AAAA' } })
  assert.deepEqual(complaints(of(dataBytesMax)), [])
  assert.deepEqual(complaints(of(dataBytesMax + 1)), [`data: Too long: may not be more than ${dataBytesMax} bytes`])
})

test('an immutable ConfigMap keeps its data and stays immutable', () => {
  const old = aConfigMap({ immutable: true, data: { a: '1' } })
  assert.deepEqual(complaints({ ...old, metadata: { name: 'c', labels: { a: 'b' } } }, old), [])
  assert.deepEqual(complaints(aConfigMap({ data: { a: '2' } }), old), [
    'immutable: must not set the field(s)',
    'data: must not set the field(s)',
  ])
  assert.deepEqual(complaints(aConfigMap({ data: { a: '2' }, immutable: true }), aConfigMap({ data: { a: '1' } })), [])
})

test('a ConfigMap of Serving that makes no sense is refused in the name of Serving’s webhook', () => {
  const autoscaler = (namespace: string): ConfigMap =>
    aConfigMap({ metadata: { name: 'config-autoscaler', namespace }, data: { 'stable-window': '1s' } })
  const text =
    'admission webhook "config.webhook.serving.knative.dev" denied the request: validation failed: ' +
    'stable-window = 1s, must be in [6s; 1h0m0s] range'
  assert.throws(() => complaints(autoscaler('knative-serving')), { code: 400, message: text })
  assert.deepEqual(complaints(autoscaler('default')), [])
})

test('defaults of Brokers and channels that no one could read are refused', () => {
  const defaults = (name: string, key: string, text: string, namespace = 'knative-eventing'): ConfigMap =>
    aConfigMap({ metadata: { name, namespace }, data: { [key]: text } })
  const broken = 'clusterDefault:\n  kind: [ConfigMap\n'
  for (const [name, key] of [
    ['config-br-defaults', 'default-br-config'],
    ['default-ch-webhook', 'default-ch-config'],
    ['config-br-default-channel', 'channel-template-spec'],
    ['config-br-default-channel', 'channelTemplateSpec'],
  ] as const) {
    const [complaint = '', ...more] = complaints(defaults(name, key, broken))
    assert.ok(complaint.startsWith(`data[${key}]: Invalid value: not YAML: `), complaint)
    assert.match(complaint, / at line \d/)
    assert.deepEqual(more, [])
    assert.deepEqual(complaints(defaults(name, key, broken, 'default')), [])
    assert.deepEqual(complaints(defaults(name, key, 'clusterDefault:\n')), [])
  }
})

test('Eventing’s config-observability is refused as upstream’s webhook does, and nobody else’s', () => {
  const observability = (namespace: string): ConfigMap =>
    aConfigMap({ metadata: { name: 'config-observability', namespace }, data: { 'tracing-protocol': 'grpc' } })
  const text =
    'admission webhook "config.webhook.eventing.knative.dev" denied the request: validation failed: ' +
    'endpoint should be set for protocol "grpc"'
  assert.throws(() => complaints(observability('knative-eventing')), { code: 400, message: text })
  assert.deepEqual(complaints(observability('default')), [])
})
