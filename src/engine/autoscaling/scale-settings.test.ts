import assert from 'node:assert/strict'
import test from 'node:test'
import type { ScaleSettings } from '../autoscaler.ts'
import { scaleSettings } from './scale-settings.ts'
import { settingsOf } from './test-settings.ts'
import type { SettingsOptions } from './test-settings.ts'

test('without a word every rule is as the ConfigMap ships it', () => {
  assert.deepEqual(settingsOf(), {
    class: 'kpa',
    metric: 'concurrency',
    algorithm: 'linear',
    target: 70,
    total: 100,
    stableWindowMs: 60_000,
    panicWindowMs: 6_000,
    panicThreshold: 2,
    maxScaleUpRate: 1_000,
    maxScaleDownRate: 2,
    targetBurstCapacity: 211,
    activatorCapacity: 100,
    scaleDownDelayMs: 0,
    minScale: 0,
    maxScale: 0,
    initialScale: 1,
    activationScale: 0,
    isReachable: true,
    scaleToZero: true,
    scaleToZeroGraceMs: 30_000,
    podRetentionMs: 0,
    activationTimeoutMs: 630_000,
    podBuffer: 0,
    gcTimeMs: 0,
    stabilization: { upMs: 0, downMs: 300_000 },
  } satisfies ScaleSettings)
})

const changes: [SettingsOptions, Partial<ScaleSettings>][] = [
  [{ containerConcurrency: 10 }, { total: 10, target: 7 }],
  [{ annotations: { target: '10' } }, { total: 10, target: 7 }],
  [
    { annotations: { target: '50' }, containerConcurrency: 10 },
    { total: 10, target: 7 },
  ],
  [{ annotations: { target: '10', 'target-utilization-percentage': '100' } }, { total: 10, target: 10 }],
  [{ annotations: { target: '0.01' } }, { total: 0.01, target: 0.01 }],
  [
    { annotations: { metric: 'rps' }, containerConcurrency: 10 },
    { metric: 'rps', total: 200, target: 140 },
  ],
  [
    { annotations: { metric: 'rps', target: '300' }, containerConcurrency: 10 },
    { total: 300, target: 210 },
  ],
  [{ config: { 'container-concurrency-target-percentage': '50' } }, { target: 50 }],
  [{ config: { 'container-concurrency-target-percentage': '0.5' } }, { target: 50 }],
  [{ config: { 'container-concurrency-target-percentage': '50' }, annotations: { metric: 'rps' } }, { target: 140 }],
  [{ config: { 'container-concurrency-target-default': '20' } }, { total: 20, target: 14 }],
  [{ config: { 'requests-per-second-target-default': '100' }, annotations: { metric: 'rps' } }, { total: 100 }],
  [{ annotations: { window: '40s' } }, { stableWindowMs: 40_000, panicWindowMs: 4_000 }],
  [{ annotations: { window: '6s' } }, { panicWindowMs: 1_000 }],
  [{ annotations: { 'panic-window-percentage': '50' } }, { panicWindowMs: 30_000 }],
  [{ annotations: { panicWindowPercentage: '1' } }, { panicWindowMs: 1_000 }],
  [{ config: { 'stable-window': '2m', 'panic-window-percentage': '20' } }, { panicWindowMs: 24_000 }],
  [{ annotations: { 'panic-threshold-percentage': '150' } }, { panicThreshold: 1.5 }],
  [{ config: { 'panic-threshold-percentage': '400' } }, { panicThreshold: 4 }],
  [{ config: { 'max-scale-up-rate': '10', 'max-scale-down-rate': '3' } }, { maxScaleUpRate: 10, maxScaleDownRate: 3 }],
  [{ annotations: { 'target-burst-capacity': '-1' } }, { targetBurstCapacity: -1 }],
  [
    { config: { 'target-burst-capacity': '0', 'activator-capacity': '50' } },
    { targetBurstCapacity: 0, activatorCapacity: 50 },
  ],
  [{ annotations: { 'scale-down-delay': '15m' } }, { scaleDownDelayMs: 900_000 }],
  [{ config: { 'scale-down-delay': '10s' } }, { scaleDownDelayMs: 10_000 }],
  [{ annotations: { 'min-scale': '2', 'max-scale': '4' } }, { minScale: 2, maxScale: 4 }],
  [{ annotations: { minScale: '2', maxScale: '4' } }, { minScale: 2, maxScale: 4 }],
  [{ config: { 'min-scale': '1', 'max-scale': '9' } }, { minScale: 1, maxScale: 9 }],
  [{ annotations: { 'min-scale': '0' }, config: { 'min-scale': '1' } }, { minScale: 0 }],
  [
    { annotations: { 'min-scale': '2' }, isReachable: false },
    { minScale: 0, isReachable: false },
  ],
  [{ annotations: { 'initial-scale': '3' } }, { initialScale: 3 }],
  [{ annotations: { 'initial-scale': '0' } }, { initialScale: 1 }],
  [{ annotations: { initialScale: '0' }, config: { 'allow-zero-initial-scale': 'true' } }, { initialScale: 0 }],
  [{ annotations: { 'activation-scale': '5' } }, { activationScale: 5 }],
  [{ config: { 'enable-scale-to-zero': 'false' } }, { scaleToZero: false }],
  [{ config: { 'scale-to-zero-grace-period': '5s' } }, { scaleToZeroGraceMs: 5_000 }],
  [{ annotations: { 'scale-to-zero-pod-retention-period': '1m5s' } }, { podRetentionMs: 65_000 }],
  [{ config: { 'scale-to-zero-pod-retention-period': '9s' } }, { podRetentionMs: 9_000 }],
  [{ config: { 'scale-to-zero-pod-retention-period': '9s' }, isReachable: false }, { podRetentionMs: 0 }],
  [{ deployment: { 'progress-deadline': '60s' } }, { activationTimeoutMs: 90_000 }],
  [{ annotations: { 'metric-aggregation-algorithm': 'weighted-exponential' } }, { algorithm: 'weighted-exponential' }],
  [{ annotations: { metricAggregationAlgorithm: 'weightedExponential' } }, { algorithm: 'weighted-exponential' }],
  [{ annotations: { 'pod-buffer-size': '3', 'gc-time': '20' } }, { podBuffer: 0, gcTimeMs: 0 }],
  [{ config: { 'pod-autoscaler-class': 'hpa.autoscaling.knative.dev' } }, { class: 'hpa', metric: 'cpu', target: 80 }],
]

test('annotations come before the ConfigMap, and each of both is heard', () => {
  for (const [options, expected] of changes) {
    const settings = settingsOf(options)
    for (const [name, value] of Object.entries(expected)) {
      assert.deepEqual(settings[name as keyof ScaleSettings], value, `${name} of ${JSON.stringify(options)}`)
    }
  }
})

test('the annotation of the progress deadline is Serving’s own, and comes before the ConfigMap', () => {
  const annotations = { 'serving.knative.dev/progress-deadline': '5s' }
  const revision = { annotations, containerConcurrency: 0, isReachable: true }
  const config = { autoscaler: {}, deployment: { 'progress-deadline': '60s' } }
  assert.equal(scaleSettings(revision, config).activationTimeoutMs, 35_000)
})

test('class xpa has spares where traffic may come, and a time for what is not needed', () => {
  const annotations = { class: 'xpa.autoscaling.knative.dev', 'pod-buffer-size': '3', 'gc-time': '20' }
  const { class: named, podBuffer, gcTimeMs } = settingsOf({ annotations })
  assert.deepEqual([named, podBuffer, gcTimeMs], ['xpa', 3, 20_000])
  assert.equal(settingsOf({ annotations: { ...annotations, 'gc-time': '1m' } }).gcTimeMs, 60_000)
  assert.equal(settingsOf({ annotations, isReachable: false }).podBuffer, 0)
})

test('class hpa takes its target as it is, and its window as stabilization', () => {
  const annotations = { class: 'hpa.autoscaling.knative.dev', metric: 'memory', target: '75', window: '30s' }
  const { metric, target, stabilization } = settingsOf({ annotations })
  assert.deepEqual([metric, target, stabilization], ['memory', 75, { upMs: 30_000, downMs: 30_000 }])
  const { target: _, ...untold } = annotations
  assert.deepEqual(
    [settingsOf({ annotations: untold }).metric, settingsOf({ annotations: untold }).target],
    ['cpu', 80],
  )
})
