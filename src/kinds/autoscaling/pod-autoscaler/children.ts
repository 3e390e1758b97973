// What a PodAutoscaler makes: the ServerlessService in front of the Revision, and the Metric that it is judged by.
// Source: knative/serving pkg/reconciler/autoscaling/resources.
import type { ScaleSettings, ScaleState } from '../../../engine/autoscaler.ts'
import { sameNamespace } from '../../../engine/children.ts'
import { controllerRef } from '../../../model/kubernetes/resource.ts'
import { annotationKeys } from '../../../model/serving/annotation-keys.ts'
import { serverlessServiceApiVersion } from '../../networking/serverless-service/schema.ts'
import type { ServerlessService } from '../../networking/serverless-service/schema.ts'
import { metricApiVersion } from '../metric/schema.ts'
import type { Metric } from '../metric/schema.ts'
import type { PodAutoscaler } from './schema.ts'

const nanosecondsPerMs = 1_000_000

export function makeServerlessService(
  scaler: PodAutoscaler,
  { mode, activators }: Pick<ScaleState, 'mode' | 'activators'>,
): ServerlessService {
  const { metadata, spec } = scaler
  const [metricAnnotation] = annotationKeys.metric
  const others = Object.entries(metadata.annotations ?? {}).filter(([name]) => name !== metricAnnotation)
  return {
    apiVersion: serverlessServiceApiVersion,
    kind: 'ServerlessService',
    metadata: {
      name: metadata.name,
      ...sameNamespace(scaler),
      labels: { ...metadata.labels },
      annotations: Object.fromEntries(others),
      ownerReferences: [controllerRef(scaler)],
    },
    spec: {
      mode,
      objectRef: spec.scaleTargetRef,
      protocolType: spec.protocolType,
      ...(activators === 0 ? {} : { numActivators: activators }),
    },
  }
}

export function makeMetric(
  scaler: PodAutoscaler,
  { stableWindowMs, panicWindowMs, targetBurstCapacity }: ScaleSettings,
): Metric {
  return {
    apiVersion: metricApiVersion,
    kind: 'Metric',
    metadata: {
      name: scaler.metadata.name,
      ...sameNamespace(scaler),
      labels: { ...scaler.metadata.labels },
      annotations: { ...scaler.metadata.annotations },
      ownerReferences: [controllerRef(scaler)],
    },
    spec: {
      stableWindow: stableWindowMs * nanosecondsPerMs,
      panicWindow: panicWindowMs * nanosecondsPerMs,
      // With the activator always in the path there is nobody else to ask.
      scrapeTarget: targetBurstCapacity === -1 ? '' : (scaler.status?.metricsServiceName ?? ''),
    },
  }
}
