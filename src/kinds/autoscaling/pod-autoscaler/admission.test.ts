import assert from 'node:assert/strict'
import test from 'node:test'
import type { AdmissionContext } from '../../../engine/kind.ts'
import { fieldErrorText } from '../../../model/kubernetes/field-error.ts'
import { setPodAutoscalerDefaults, validatePodAutoscaler } from './admission.ts'
import type { PodAutoscaler } from './schema.ts'

const context = (autoscaler: Record<string, string> = {}): AdmissionContext => ({
  operation: 'create',
  user: { username: 'u' },
  config: { data: (_, name) => (name === 'config-autoscaler' ? autoscaler : {}) },
})

const aPodAutoscaler = (spec: object, annotations: Record<string, string> = {}): PodAutoscaler => ({
  apiVersion: 'autoscaling.internal.knative.dev/v1alpha1',
  kind: 'PodAutoscaler',
  metadata: { name: 'hello', namespace: 'shop', annotations },
  spec: {
    protocolType: 'http1',
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'hello' },
    ...spec,
  },
})

test('class and metric are filled in, the class as the ConfigMap says', () => {
  const defaulted = (annotations: Record<string, string>, config: Record<string, string> = {}): unknown => {
    const scaler = aPodAutoscaler({}, annotations)
    setPodAutoscalerDefaults(scaler, context(config))
    const { annotations: after = {} } = scaler.metadata
    return [after['autoscaling.knative.dev/class'], after['autoscaling.knative.dev/metric']]
  }
  const hpa = 'hpa.autoscaling.knative.dev'
  assert.deepEqual(defaulted({}), ['kpa.autoscaling.knative.dev', 'concurrency'])
  assert.deepEqual(defaulted({}, { 'pod-autoscaler-class': hpa }), [hpa, 'cpu'])
  assert.deepEqual(defaulted({ 'autoscaling.knative.dev/metric': 'rps' }), ['kpa.autoscaling.knative.dev', 'rps'])
})

const refusals: [spec: object, annotations: Record<string, string>, text: string][] = [
  [{}, {}, ''],
  [{ protocolType: undefined }, {}, 'missing field(s): spec.protocolType'],
  [{ protocolType: 'spdy' }, {}, 'invalid value: spdy: spec.protocolType'],
  [{ containerConcurrency: 1_001 }, {}, 'expected 0 <= 1001 <= 1000: spec.containerConcurrency'],
  [
    { scaleTargetRef: { kind: 'Deployment' } },
    {},
    'missing field(s): spec.scaleTargetRef.apiVersion, spec.scaleTargetRef.name',
  ],
  [
    { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'A', namespace: 'x' } },
    {},
    'invalid value: A: spec.scaleTargetRef.name\nmust not set the field(s): spec.scaleTargetRef.namespace',
  ],
  [
    {},
    { 'autoscaling.knative.dev/min-scale': '-1' },
    'expected 0 <= -1 <= 2147483647: metadata.annotations.autoscaling.knative.dev/min-scale',
  ],
]

test('what is wrong is named with its path', () => {
  for (const [spec, annotations, text] of refusals) {
    assert.equal(fieldErrorText(validatePodAutoscaler(aPodAutoscaler(spec, annotations), context())), text)
  }
})
