import assert from 'node:assert/strict'
import test from 'node:test'
import { reconcileOnce } from '../../../engine/control-loop/reconcile-once.ts'
import type { AdmissionContext } from '../../../engine/kind.ts'
import { fieldErrorText } from '../../../model/kubernetes/field-error.ts'
import { metric } from './kind.ts'
import type { Metric } from './schema.ts'
import { validateMetric } from './validate.ts'

const aMetric = (spec: object): Metric => ({
  apiVersion: 'autoscaling.internal.knative.dev/v1alpha1',
  kind: 'Metric',
  metadata: { name: 'hello', namespace: 'shop' },
  spec: spec as Metric['spec'],
})
const full = { stableWindow: 60_000_000_000, panicWindow: 6_000_000_000, scrapeTarget: 'hello-private' }

test('a Metric is Ready at once', async () => {
  const run = await reconcileOnce(aMetric(full), { kind: metric })
  assert.equal(run.condition('Ready')?.status, 'True')
})

test('an empty Metric is refused', () => {
  const context: AdmissionContext = { operation: 'create', user: { username: 'u' }, config: { data: () => ({}) } }
  assert.equal(fieldErrorText(validateMetric(aMetric(full), context)), '')
  assert.equal(fieldErrorText(validateMetric(aMetric({}), context)), 'missing field(s): spec')
})
