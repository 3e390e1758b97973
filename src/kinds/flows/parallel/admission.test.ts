import assert from 'node:assert/strict'
import test from 'node:test'
import type { AdmissionContext } from '../../../engine/kind.ts'
import { fieldErrorText } from '../../../model/kubernetes/field-error.ts'
import { setParallelDefaults } from './defaults.ts'
import type { Parallel } from './schema.ts'
import { validateParallel } from './validate.ts'

const admission: AdmissionContext<Parallel> = {
  operation: 'create',
  user: { username: 'me' },
  config: { data: () => ({ 'default-ch-config': 'clusterDefault: { apiVersion: m/v1, kind: InMemoryChannel }' }) },
}

const aParallel = (spec: Parallel['spec']): Parallel => ({
  apiVersion: 'flows.knative.dev/v1',
  kind: 'Parallel',
  metadata: { name: 'split', namespace: 'shop' },
  spec,
})

test('a Parallel gets the cluster’s channel, and namespaces for every reference of its branches', () => {
  const ref = { apiVersion: 'v1', kind: 'Service', name: 'a' }
  const branch = { filter: { ref: { ...ref } }, subscriber: { ref: { ...ref } }, reply: { ref: { ...ref } } }
  const parallel = aParallel({ branches: [branch] })
  setParallelDefaults(parallel, admission)
  assert.equal(parallel.spec.channelTemplate?.kind, 'InMemoryChannel')
  for (const target of [branch.filter, branch.subscriber, branch.reply]) {
    assert.equal((target.ref as { namespace?: string }).namespace, 'shop')
  }
})

test('a Parallel needs branches, and each branch a subscriber', () => {
  const channelTemplate = { apiVersion: 'm/v1', kind: 'InMemoryChannel' }
  const refusal = (spec: Parallel['spec']): string => fieldErrorText(validateParallel(aParallel(spec), admission))
  assert.equal(refusal({ channelTemplate }), 'missing field(s): spec.branches')
  assert.equal(
    refusal({ channelTemplate, branches: [{ filter: { uri: 'http://odd/' } }] }),
    'expected at least one, got none: spec.branches[0].subscriber.ref, spec.branches[0].subscriber.uri',
  )
})
