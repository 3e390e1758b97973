import assert from 'node:assert/strict'
import test from 'node:test'
import type { AdmissionContext } from '../../../engine/kind.ts'
import { fieldErrorText } from '../../../model/kubernetes/field-error.ts'
import { setSequenceDefaults } from './defaults.ts'
import type { Sequence } from './schema.ts'
import { validateSequence } from './validate.ts'

const defaults = `
clusterDefault: { apiVersion: messaging.knative.dev/v1, kind: InMemoryChannel }
namespaceDefaults: { shop: { apiVersion: messaging.knative.dev/v1beta1, kind: KafkaChannel } }
`
const admission: AdmissionContext<Sequence> = {
  operation: 'create',
  user: { username: 'me' },
  config: { data: (_, name) => (name === 'default-ch-webhook' ? { 'default-ch-config': defaults } : {}) },
}

const aSequence = (spec: Sequence['spec']): Sequence => ({
  apiVersion: 'flows.knative.dev/v1',
  kind: 'Sequence',
  metadata: { name: 'wash', namespace: 'shop' },
  spec,
})

test('a Sequence gets the cluster’s channel, whatever its namespace prefers, and namespaces for its steps', () => {
  const sequence = aSequence({ steps: [{ ref: { apiVersion: 'v1', kind: 'Service', name: 'a' } }] })
  setSequenceDefaults(sequence, admission)
  assert.equal(sequence.spec.channelTemplate?.kind, 'InMemoryChannel')
  assert.equal(sequence.spec.steps?.[0]?.ref?.namespace, 'shop')
})

test('a default channel that is named but not written down is none', () => {
  const config = { data: () => ({ 'default-ch-config': 'clusterDefault:\nnamespaceDefaults:\n' }) }
  const sequence = aSequence({ steps: [] })
  setSequenceDefaults(sequence, { ...admission, config })
  assert.equal(sequence.spec.channelTemplate, undefined)
})

test('a default channel whose spec is left empty has none', () => {
  const config = { data: () => ({ 'default-ch-config': 'clusterDefault:\n  apiVersion: v1\n  kind: C\n  spec:\n' }) }
  const sequence = aSequence({ steps: [] })
  setSequenceDefaults(sequence, { ...admission, config })
  assert.deepEqual(sequence.spec.channelTemplate, { apiVersion: 'v1', kind: 'C' })
})

test('all that is wrong with a Sequence is told at once, with paths', () => {
  const sequence = aSequence({
    channelTemplate: { apiVersion: '', kind: 'InMemoryChannel' },
    steps: [{ uri: 'http://a/' }, { uri: 'nowhere' }, { uri: 'http://c/', delivery: { backoffDelay: 'soon' } }],
    reply: { uri: '/relative' },
  })
  assert.equal(
    fieldErrorText(validateSequence(sequence, admission)),
    [
      'invalid value: Relative URI is not allowed when Ref and [apiVersion, kind, name] is absent: spec.reply.uri, spec.steps[1].uri',
      'invalid value: soon: spec.steps[2].delivery.backoffDelay',
      'missing field(s): spec.channelTemplate.apiVersion',
    ].join('\n'),
  )
  assert.equal(
    fieldErrorText(validateSequence(aSequence({}), admission)),
    'missing field(s): spec.channelTemplate, spec.steps',
  )
})
