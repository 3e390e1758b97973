// The PodAutoscaler of a Revision. Source: knative/serving pkg/reconciler/revision/resources/pa.go.
import type { Conditions } from '../../../engine/reconciler.ts'
import { controllerRef } from '../../../model/kubernetes/resource.ts'
import { annotationKeys, findAnnotation } from '../../../model/serving/annotation-keys.ts'
import { routingStateLabel } from '../../../model/serving/metadata-keys.ts'
import { podAutoscalerApiVersion } from '../../autoscaling/pod-autoscaler/schema.ts'
import type { PodAutoscaler, Reachability } from '../../autoscaling/pod-autoscaler/schema.ts'
import type { Deployment } from '../../apps/deployment/schema.ts'
import { childLabels, scalerAnnotations } from './child-metadata.ts'
import { deploymentName } from './deployment.ts'
import type { Revision } from './schema.ts'
import { servingProtocol } from './serving-container.ts'

/** @param scalerClass for a Revision that names none */
export function makePodAutoscaler(revision: Revision, reachability: Reachability, scalerClass: string): PodAutoscaler {
  const { name, namespace } = revision.metadata
  const annotations = scalerAnnotations(revision)
  const hasClass = findAnnotation(annotations, annotationKeys.class) !== undefined
  return {
    apiVersion: podAutoscalerApiVersion,
    kind: 'PodAutoscaler',
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      labels: childLabels(revision),
      annotations: hasClass ? annotations : { ...annotations, [annotationKeys.class[0]!]: scalerClass },
      ownerReferences: [controllerRef(revision)],
    },
    spec: {
      containerConcurrency: revision.spec.containerConcurrency ?? 0,
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: deploymentName(revision) },
      protocolType: servingProtocol(revision.spec),
      reachability,
    },
  }
}

/** Whether it is worth keeping instances: a Route leads to it, and what was started does not fail altogether. */
export function reachabilityOf(revision: Revision, { spec, status }: Deployment, conditions: Conditions): Reachability {
  const hasFailed = ['ResourcesAvailable', 'ContainerHealthy'].some((type) => conditions.status(type) === 'False')
  if (hasFailed && (spec.replicas ?? 0) > 0 && (status?.readyReplicas ?? 0) === 0) return 'Unreachable'
  const state = revision.metadata.labels?.[routingStateLabel]
  return state === 'active' ? 'Reachable' : state === 'reserve' ? 'Unreachable' : ''
}
