// What ConfigMap `config-autoscaler` may say. Source: knative/serving pkg/autoscaler/config/config.go.
import { goDuration } from '../../kubernetes/go-duration.ts'
import { targetMin } from '../autoscaler-config.ts'
import type { ConfigData } from '../serving-config.ts'
import { ConfigValues } from './values.ts'

const windowMsMin = 6_000
const windowMsMax = 3_600_000

/** @throws {Error} in upstream's words */
export function checkAutoscalerConfig(data: ConfigData): void {
  const config = parsed(data)
  const complaint = [...complaints(config)][0]
  if (complaint !== undefined) throw new Error(complaint)
}

function parsed(data: ConfigData) {
  const values = new ConfigValues(data)
  try {
    values.bool('enable-scale-to-zero', true)
    return {
      allowZeroInitialScale: values.bool('allow-zero-initial-scale', false),
      maxScaleUpRate: values.float('max-scale-up-rate', 1_000),
      maxScaleDownRate: values.float('max-scale-down-rate', 2),
      targetPercentage: values.float('container-concurrency-target-percentage', 70),
      targetDefault: values.float('container-concurrency-target-default', 100),
      rpsTargetDefault: values.float('requests-per-second-target-default', 200),
      targetBurstCapacity: values.float('target-burst-capacity', 211),
      panicWindowPercentage: values.float('panic-window-percentage', 10),
      activatorCapacity: values.float('activator-capacity', 100),
      panicThresholdPercentage: values.float('panic-threshold-percentage', 200),
      initialScale: values.int32('initial-scale', 1),
      minScale: values.int32('min-scale', 0),
      maxScale: values.int32('max-scale', 0),
      maxScaleLimit: values.int32('max-scale-limit', 0),
      stableWindowMs: values.durationMs('stable-window', 60_000),
      scaleDownDelayMs: values.durationMs('scale-down-delay', 0),
      graceMs: values.durationMs('scale-to-zero-grace-period', 30_000),
      retentionMs: values.durationMs('scale-to-zero-pod-retention-period', 0),
    }
  } catch (thrown) {
    throw new Error(`failed to parse data: ${(thrown as Error).message}`, { cause: thrown })
  }
}

/** In upstream's order; the first one is told. */
function* complaints(config: ReturnType<typeof parsed>): Generator<string> {
  const { graceMs, scaleDownDelayMs, retentionMs, targetBurstCapacity, stableWindowMs, panicWindowPercentage } = config
  const { initialScale, minScale, maxScale, maxScaleLimit } = config
  if (graceMs <= 0) yield `scale-to-zero-grace-period must be positive, was: ${goDuration(graceMs)}`
  if (scaleDownDelayMs < 0) yield `scale-down-delay cannot be negative, was: ${goDuration(scaleDownDelayMs)}`
  if (scaleDownDelayMs % 1_000 !== 0) yield imprecise('scale-down-delay', scaleDownDelayMs)
  if (retentionMs < 0) {
    yield `scale-to-zero-pod-retention-period cannot be negative, was: ${goDuration(retentionMs)}`
  }
  if (targetBurstCapacity < 0 && targetBurstCapacity !== -1) {
    const was = targetBurstCapacity.toFixed(6)
    yield `target-burst-capacity must be either non-negative or -1 (for unlimited), was: ${was}`
  }
  yield* targetComplaints(config)
  if (config.activatorCapacity < 1) yield `activator-capacity = ${config.activatorCapacity}, must be at least 1`
  for (const [key, rate] of [
    ['max-scale-up-rate', config.maxScaleUpRate],
    ['max-scale-down-rate', config.maxScaleDownRate],
  ] as const) {
    if (rate <= 1) yield `${key} = ${rate}, must be greater than 1.0`
  }
  if (stableWindowMs < windowMsMin || stableWindowMs > windowMsMax) {
    const bounds = `[${goDuration(windowMsMin)}; ${goDuration(windowMsMax)}]`
    yield `stable-window = ${goDuration(stableWindowMs)}, must be in ${bounds} range`
  }
  if (stableWindowMs % 1_000 !== 0) yield imprecise('stable-window', stableWindowMs)
  if (panicWindowPercentage < 1 || panicWindowPercentage > 100) {
    yield `panic-window-percentage = ${panicWindowPercentage}, must be in [1, 100] interval`
  }
  if (initialScale < 0 || (initialScale === 0 && !config.allowZeroInitialScale)) {
    const rule = 'must be at least 0 (or at least 1 when allow-zero-initial-scale is false)'
    yield `initial-scale = ${initialScale}, ${rule}`
  }
  if (minScale < 0) yield `min-scale = ${minScale}, must be at least 0`
  const least = maxScaleLimit > 0 ? 1 : 0
  if (maxScale < least || (maxScaleLimit > 0 && maxScale > maxScaleLimit)) {
    yield `max-scale = ${maxScale}, must be in [${least}, max-scale-limit(${maxScaleLimit})] range`
  }
  if (maxScaleLimit < 0) yield `max-scale-limit = ${maxScaleLimit}, must be at least 0`
  if (minScale > maxScale && maxScale > 0) {
    yield `min-scale (${minScale}) must be less than max-scale (${maxScale})`
  }
}

function* targetComplaints(config: ReturnType<typeof parsed>): Generator<string> {
  const { targetPercentage, targetDefault, rpsTargetDefault } = config
  // Values up to 1 are fractions, as older ConfigMaps had them.
  const fraction = targetPercentage > 1 ? targetPercentage / 100 : targetPercentage
  if (fraction <= 0 || fraction > 1) {
    const key = 'container-concurrency-target-percentage'
    yield `${key} = ${fraction.toFixed(6)} is outside of valid range of (0, 100]`
  }
  const target = fraction * targetDefault
  if (target < targetMin) {
    const keys = 'container-concurrency-target-percentage and container-concurrency-target-default'
    yield `${keys} yield target concurrency of ${target}, can't be less than ${targetMin}`
  }
  if (rpsTargetDefault < targetMin) {
    yield `requests-per-second-target-default must be at least ${targetMin}, was: ${rpsTargetDefault}`
  }
}

const imprecise = (key: string, ms: number): string =>
  `${key} = ${goDuration(ms)}, must be specified with at most second precision`
