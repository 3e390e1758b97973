// Defaults by namespace and class, whatever those are called.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultBrokerClass, defaultBrokerConfig, staysInNamespace } from './broker-defaults.ts'
import { defaultChannelTemplate } from './channel-template.ts'

const brokers = {
  'default-br-config': `
clusterDefault: { brokerClass: MTChannelBasedBroker, apiVersion: v1, kind: ConfigMap, name: all, namespace: knative-eventing }
namespaceDefaults: { shop: { brokerClass: Own, apiVersion: v1, kind: ConfigMap, name: mine } }
`,
}
const channels = {
  'default-ch-config': `
clusterDefault: { apiVersion: messaging.knative.dev/v1, kind: InMemoryChannel }
namespaceDefaults: { shop: { apiVersion: messaging.knative.dev/v1, kind: Other } }
`,
}

test('a namespace has its own defaults before the cluster’s', () => {
  assert.equal(defaultBrokerClass(brokers, 'shop'), 'Own')
  assert.equal(defaultBrokerConfig(brokers, 'shop', 'Own').config?.name, 'mine')
  assert.equal(defaultChannelTemplate(channels, 'shop')?.kind, 'Other')
})

test('namespaces and classes called like what every object of JavaScript has are like any other', () => {
  for (const name of ['constructor', 'valueOf', '__proto__']) {
    assert.equal(defaultBrokerClass(brokers, name), 'MTChannelBasedBroker')
    assert.equal(defaultBrokerConfig(brokers, name, name).config?.name, 'all')
    assert.equal(defaultBrokerConfig(brokers, 'shop', name).config?.name, 'all')
    assert.equal(staysInNamespace(brokers, name), false)
    assert.equal(defaultChannelTemplate(channels, name)?.kind, 'InMemoryChannel')
  }
})
