// The rules one Revision is scaled by, from its annotations and Serving's ConfigMaps. Sources: knative/serving
// pkg/reconciler/autoscaling/resources/target.go, kpa/resources/decider.go, pkg/apis/autoscaling/v1alpha1/pa_lifecycle.go.
import { parseGoDuration } from '../../model/kubernetes/go-duration.ts'
import { annotationKeys, findAnnotation } from '../../model/serving/annotation-keys.ts'
import type { AnnotationKey, Annotations } from '../../model/serving/annotation-keys.ts'
import { readAutoscalerConfig, rpsTargetFraction, targetMin } from '../../model/serving/autoscaler-config.ts'
import type { AutoscalerConfig } from '../../model/serving/autoscaler-config.ts'
import { parseGcTime, scalerClasses } from '../../model/serving/scaler-class.ts'
import { progressDeadlineMs } from '../../model/serving/serving-config.ts'
import type { ConfigData } from '../../model/serving/serving-config.ts'
import type { ScaleSettings, ScalerClass } from '../autoscaler.ts'

export interface ScaledRevision {
  annotations: Annotations
  /** 0 is no limit. */
  containerConcurrency: number
  isReachable: boolean
}

export interface ScaleConfig {
  /** `config-autoscaler` */
  autoscaler: ConfigData
  /** `config-deployment` */
  deployment: ConfigData
}

/** Added to the progress deadline, so that the Revision can say first what is wrong with its Pods. */
const activationBufferMs = 30_000
const panicWindowMsMin = 1_000
const secondMs = 1_000
/** What Kubernetes' own autoscaler does when it is told nothing: 80 % of the processor, slow to shrink. */
const hpaCpuTarget = 80
const hpaStabilizationMs = 300_000

/** Values that are none count as absent: validation has refused them, or an older Knode has let them through. */
export function scaleSettings(revision: ScaledRevision, config: ScaleConfig): ScaleSettings {
  const { annotations, isReachable } = revision
  const defaults = readAutoscalerConfig(config.autoscaler)
  const scalerClass = classOf(annotations, defaults)
  const metric = metricOf(annotations, scalerClass)
  const windowMs = duration(annotations, annotationKeys.window)
  const stableWindowMs = windowMs ?? defaults.stableWindowMs
  const panicPercentage = number(annotations, annotationKeys.panicWindowPercentage) ?? defaults.panicWindowPercentage
  const panicThreshold =
    number(annotations, annotationKeys.panicThresholdPercentage) ?? defaults.panicThresholdPercentage
  const initialScale = integer(annotations, annotationKeys.initialScale)
  const hasSpares = scalerClass === 'xpa'
  return {
    class: scalerClass,
    metric,
    algorithm: algorithmOf(annotations),
    ...targetOf(revision, metric, scalerClass, defaults),
    stableWindowMs,
    panicWindowMs: Math.max(
      panicWindowMsMin,
      Math.round((stableWindowMs * panicPercentage) / 100 / secondMs) * secondMs,
    ),
    panicThreshold: panicThreshold / 100,
    maxScaleUpRate: defaults.maxScaleUpRate,
    maxScaleDownRate: defaults.maxScaleDownRate,
    targetBurstCapacity: number(annotations, annotationKeys.targetBurstCapacity) ?? defaults.targetBurstCapacity,
    activatorCapacity: defaults.activatorCapacity,
    scaleDownDelayMs: duration(annotations, annotationKeys.scaleDownDelay) ?? defaults.scaleDownDelayMs,
    minScale: isReachable ? (integer(annotations, annotationKeys.minScale) ?? defaults.minScale) : 0,
    maxScale: integer(annotations, annotationKeys.maxScale) ?? defaults.maxScale,
    initialScale:
      initialScale === undefined || (initialScale === 0 && !defaults.allowZeroInitialScale)
        ? defaults.initialScale
        : initialScale,
    activationScale: integer(annotations, annotationKeys.activationScale) ?? 0,
    isReachable,
    scaleToZero: defaults.enableScaleToZero,
    scaleToZeroGraceMs: defaults.scaleToZeroGraceMs,
    podRetentionMs: isReachable
      ? (duration(annotations, annotationKeys.scaleToZeroPodRetentionPeriod) ?? defaults.scaleToZeroPodRetentionMs)
      : 0,
    activationTimeoutMs:
      (duration(annotations, annotationKeys.progressDeadline) ?? progressDeadlineMs(config.deployment)) +
      activationBufferMs,
    podBuffer: hasSpares && isReachable ? (integer(annotations, annotationKeys.podBufferSize) ?? 0) : 0,
    gcTimeMs: hasSpares ? (parseGcTime(findAnnotation(annotations, annotationKeys.gcTime)?.value ?? '') ?? 0) : 0,
    stabilization: { upMs: windowMs ?? 0, downMs: windowMs ?? hpaStabilizationMs },
  }
}

function targetOf(
  { annotations, containerConcurrency }: ScaledRevision,
  metric: string,
  scalerClass: ScalerClass,
  defaults: AutoscalerConfig,
): Pick<ScaleSettings, 'target' | 'total'> {
  const annotated = number(annotations, annotationKeys.target)
  if (scalerClass === 'hpa') {
    const target = annotated ?? hpaCpuTarget
    return { target, total: target }
  }
  const isRps = metric === 'rps'
  const byDefault = isRps ? defaults.rpsTargetDefault : containerConcurrency || defaults.concurrencyTargetDefault
  const hasLimit = !isRps && containerConcurrency !== 0
  const total = annotated === undefined ? byDefault : hasLimit ? Math.min(annotated, containerConcurrency) : annotated
  const percentage = number(annotations, annotationKeys.targetUtilizationPercentage)
  const byDefaultFraction = isRps ? rpsTargetFraction : defaults.concurrencyTargetFraction
  const fraction = percentage === undefined ? byDefaultFraction : percentage / 100
  return { total, target: Math.max(targetMin, total * fraction) }
}

function classOf(annotations: Annotations, { podAutoscalerClass }: AutoscalerConfig): ScalerClass {
  const named = findAnnotation(annotations, annotationKeys.class)?.value ?? podAutoscalerClass
  return scalerClasses.get(named) ?? 'kpa'
}

function metricOf(annotations: Annotations, scalerClass: ScalerClass): string {
  const named = findAnnotation(annotations, annotationKeys.metric)?.value ?? ''
  if (scalerClass !== 'hpa') return named === 'rps' ? 'rps' : 'concurrency'
  // Without a target Kubernetes' own autoscaler is given no metric, and looks at the processor.
  return named === '' || number(annotations, annotationKeys.target) === undefined ? 'cpu' : named
}

function algorithmOf(annotations: Annotations): ScaleSettings['algorithm'] {
  const named = findAnnotation(annotations, annotationKeys.metricAggregationAlgorithm)?.value
  return named === 'weighted-exponential' || named === 'weightedExponential' ? 'weighted-exponential' : 'linear'
}

function number(annotations: Annotations, key: AnnotationKey): number | undefined {
  const text = findAnnotation(annotations, key)?.value.trim() ?? ''
  const value = Number(text)
  return text === '' || !Number.isFinite(value) ? undefined : value
}

function integer(annotations: Annotations, key: AnnotationKey): number | undefined {
  const value = number(annotations, key)
  return value !== undefined && Number.isInteger(value) && value >= 0 ? value : undefined
}

function duration(annotations: Annotations, key: AnnotationKey): number | undefined {
  const found = findAnnotation(annotations, key)
  return found === undefined ? undefined : parseGoDuration(found.value)
}
