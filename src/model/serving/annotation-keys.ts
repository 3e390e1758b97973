// Annotations that steer a Revision, under each of their names. Source: knative/serving pkg/apis/autoscaling/register.go,
// pkg/apis/serving/register.go.

export type Annotations = Readonly<Record<string, string>> | undefined

/** One annotation; of several names the first that is set counts. */
export type AnnotationKey = readonly string[]

const autoscaling = (name: string, ...aliases: string[]): AnnotationKey =>
  [name, ...aliases].map((each) => `${autoscalingGroup}/${each}`)

export const autoscalingGroup = 'autoscaling.knative.dev'

export const annotationKeys = {
  class: autoscaling('class'),
  metric: autoscaling('metric'),
  metricAggregationAlgorithm: autoscaling('metric-aggregation-algorithm', 'metricAggregationAlgorithm'),
  target: autoscaling('target'),
  targetUtilizationPercentage: autoscaling('target-utilization-percentage', 'targetUtilizationPercentage'),
  targetBurstCapacity: autoscaling('target-burst-capacity', 'targetBurstCapacity'),
  minScale: autoscaling('min-scale', 'minScale'),
  maxScale: autoscaling('max-scale', 'maxScale'),
  initialScale: autoscaling('initial-scale', 'initialScale'),
  activationScale: autoscaling('activation-scale', 'activationScale'),
  window: autoscaling('window'),
  panicWindowPercentage: autoscaling('panic-window-percentage', 'panicWindowPercentage'),
  panicThresholdPercentage: autoscaling('panic-threshold-percentage', 'panicThresholdPercentage'),
  scaleDownDelay: autoscaling('scale-down-delay', 'scaleDownDelay'),
  scaleToZeroPodRetentionPeriod: autoscaling('scale-to-zero-pod-retention-period', 'scaleToZeroPodRetentionPeriod'),
  /** Class xpa: warm instances beyond the load's need. */
  podBufferSize: autoscaling('pod-buffer-size'),
  /** Class xpa: how long an instance that is not needed lingers. */
  gcTime: autoscaling('gc-time'),
  progressDeadline: ['serving.knative.dev/progress-deadline', 'serving.knative.dev/progressDeadline'],
  rolloutDuration: ['serving.knative.dev/rollout-duration', 'serving.knative.dev/rolloutDuration'],
} as const satisfies Record<string, AnnotationKey>

/** The annotation's value, with the name it was found under. */
export function findAnnotation(
  annotations: Annotations,
  key: AnnotationKey,
): { name: string; value: string } | undefined {
  const name = key.find((each) => annotations?.[each] !== undefined)
  return name === undefined ? undefined : { name, value: annotations![name]! }
}
