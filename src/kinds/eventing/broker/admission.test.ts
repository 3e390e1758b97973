import assert from 'node:assert/strict'
import test from 'node:test'
import type { AdmissionContext } from '../../../engine/kind.ts'
import { fieldErrorText } from '../../../model/kubernetes/field-error.ts'
import { configMapDefaults } from '../../config-maps.ts'
import { setBrokerDefaults } from './defaults.ts'
import type { Broker } from './schema.ts'
import { validateBroker } from './validate.ts'

type Maps = Record<string, Record<string, string>>

const shipped: Maps = Object.fromEntries(
  configMapDefaults
    .filter(({ metadata }) => metadata.namespace === 'knative-eventing')
    .map(({ metadata, data }) => [metadata.name, data]),
)

const admission = (maps: Maps = shipped, old?: Broker): AdmissionContext<Broker> => ({
  operation: old === undefined ? 'create' : 'update',
  user: { username: 'me' },
  config: { data: (_, name) => maps[name] ?? {} },
  ...(old === undefined ? {} : { old }),
})

const aBroker = (spec: Broker['spec'] = {}, annotations?: Record<string, string>): Broker => ({
  apiVersion: 'eventing.knative.dev/v1',
  kind: 'Broker',
  metadata: { name: 'b', namespace: 'shop', ...(annotations === undefined ? {} : { annotations }) },
  spec,
})

function defaulted(broker: Broker, maps?: Maps): Broker {
  setBrokerDefaults(broker, admission(maps))
  return broker
}

test('an empty Broker gets class, config and delivery from the shipped defaults', () => {
  const { metadata, spec } = defaulted(aBroker())
  assert.equal(metadata.annotations?.['eventing.knative.dev/broker.class'], 'MTChannelBasedBroker')
  assert.deepEqual(spec.config, {
    kind: 'ConfigMap',
    name: 'config-br-default-channel',
    apiVersion: 'v1',
    namespace: 'knative-eventing',
  })
  assert.deepEqual(spec.delivery, { retry: 10, backoffPolicy: 'exponential', backoffDelay: 'PT0.2S' })
})

test('a Broker with any delivery of its own gets none of the default’s fields', () => {
  assert.deepEqual(defaulted(aBroker({ delivery: { retry: 1 } })).spec.delivery, { retry: 1 })
})

test('the defaults of a namespace beat those of the cluster, unless the config is explicit', () => {
  const maps = {
    'config-br-defaults': {
      'default-br-config': `
clusterDefault: { brokerClass: MTChannelBasedBroker, apiVersion: v1, kind: ConfigMap, name: cluster, namespace: s, delivery: { retry: 9 } }
namespaceDefaults:
  shop: { brokerClass: MTChannelBasedBroker, apiVersion: v1, kind: ConfigMap, name: own, namespace: s, delivery: { retry: 2 } }
`,
    },
  }
  assert.equal(defaulted(aBroker(), maps).spec.config?.name, 'own')
  assert.equal(defaulted(aBroker(), maps).spec.delivery?.retry, 2)
  const explicit = { config: { apiVersion: 'v1', kind: 'ConfigMap', name: 'mine' } }
  const { spec } = defaulted(aBroker(explicit), maps)
  assert.deepEqual([spec.config?.name, spec.config?.namespace, spec.delivery?.retry], ['mine', 'shop', 9])
})

test('defaults that are named but not written down are none', () => {
  const maps = { 'config-br-defaults': { 'default-br-config': 'clusterDefault:\nnamespaceDefaults:\n  shop:\n' } }
  const { metadata, spec } = defaulted(aBroker(), maps)
  assert.deepEqual([metadata.annotations, spec], [undefined, {}])
})

test('parts of the defaults that are left empty are none', () => {
  const cluster = 'brokerClass: c\n  kind: ConfigMap\n  name: n\n  apiVersion: v1\n  namespace:\n  delivery:'
  const withDelivery = (rest: string): Maps => ({
    'config-br-defaults': { 'default-br-config': `clusterDefault:\n  ${cluster}${rest}\n` },
  })
  const { spec } = defaulted(aBroker(), withDelivery(''))
  assert.deepEqual(spec, { config: { kind: 'ConfigMap', name: 'n', apiVersion: 'v1', namespace: 'shop' } })
  const within = defaulted(aBroker(), withDelivery('\n    retry: 2\n    deadLetterSink:\n    backoffDelay:'))
  assert.deepEqual(within.spec.delivery, { retry: 2 })
})

test('where the defaults say so, a Broker may only refer to objects of its own namespace', () => {
  const ours = { 'eventing.knative.dev/broker.class': 'MTChannelBasedBroker' }
  const ref = { apiVersion: 'v1', kind: 'Service', name: 's', namespace: 'other' }
  const broker = aBroker(
    {
      config: { apiVersion: 'v1', kind: 'ConfigMap', name: 'c', namespace: 'other' },
      delivery: { deadLetterSink: { ref } },
    },
    ours,
  )
  const text = (yaml: string): string =>
    fieldErrorText(validateBroker(broker, admission({ 'config-br-defaults': { 'default-br-config': yaml } })))
  const refusal =
    'mismatched namespaces: spec.config.namespace, spec.delivery.deadLetterSink.ref.namespace\n' +
    'parent namespace: "shop" does not match ref: "other"'
  const rows: [yaml: string, expected: string][] = [
    ['', ''],
    ['clusterDefault: { disallowDifferentNamespaceConfig: false }', ''],
    ['clusterDefault: { disallowDifferentNamespaceConfig: true }', refusal],
    ['namespaceDefaults: { shop: { disallowDifferentNamespaceConfig: true } }', refusal],
    ['namespaceDefaults: { another: { disallowDifferentNamespaceConfig: true } }', ''],
  ]
  for (const [yaml, expected] of rows) assert.equal(text(yaml), expected, yaml)
})

test('what is wrong with a Broker is told in upstream’s words', () => {
  const text = (broker: Broker, old?: Broker): string => fieldErrorText(validateBroker(broker, admission(shipped, old)))
  const ours = { 'eventing.knative.dev/broker.class': 'MTChannelBasedBroker' }
  assert.equal(text(aBroker()), 'missing field(s): eventing.knative.dev/broker.class')
  assert.equal(
    text(aBroker({ config: { kind: 'ConfigMap', name: 'c' }, delivery: { retry: -1, backoffDelay: '1s' } }, ours)),
    [
      'invalid value: -1: spec.delivery.retry',
      'invalid value: 1s: spec.delivery.backoffDelay',
      'missing field(s): spec.config.apiVersion',
    ].join('\n'),
  )
  const config = { apiVersion: 'v1', kind: 'ConfigMap', name: 'x' }
  const before = aBroker({ config }, ours)
  const after = aBroker({ config: { ...config, name: 'y' } }, { 'eventing.knative.dev/broker.class': 'Kafka' })
  assert.equal(
    text(after, before),
    [
      'Immutable annotations changed (-old +new): annotations',
      '{string}:\n\t-: "MTChannelBasedBroker"\n\t+: "Kafka"\n',
      'Immutable fields changed (-old +new): spec',
      '{v1.BrokerSpec}.Config.Name:\n\t-: "x"\n\t+: "y"\n',
    ].join('\n'),
  )
})

test('what a Broker should remember of events is checked', () => {
  const annotations = { 'eventing.knative.dev/broker.class': 'MTChannelBasedBroker', 'knode.dev/dedup': 'a day' }
  assert.equal(
    fieldErrorText(validateBroker(aBroker({}, annotations), admission())),
    'invalid value: a day: metadata.annotations[knode.dev/dedup]\nexpected an ISO 8601 duration above 0, such as PT24H',
  )
  assert.deepEqual(validateBroker(aBroker({}, { ...annotations, 'knode.dev/dedup': 'P1D' }), admission()), [])
})

test('delivery may change', () => {
  const ours = { 'eventing.knative.dev/broker.class': 'MTChannelBasedBroker' }
  const change = validateBroker(aBroker({ delivery: { retry: 3 } }, ours), admission(shipped, aBroker({}, ours)))
  assert.deepEqual(change, [])
})
