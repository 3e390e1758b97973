// PodAutoscaler autoscaling.internal.knative.dev/v1alpha1. Source: knative/serving pkg/apis/autoscaling/v1alpha1/pa_types.go.
import type { KResourceStatus } from '../../../model/duck/types.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { integer, object, statusOf, string } from '../../../model/kubernetes/schema.ts'

export const podAutoscalerKind = 'PodAutoscaler.autoscaling.internal.knative.dev'
export const podAutoscalerApiVersion = 'autoscaling.internal.knative.dev/v1alpha1'

/** Whether traffic can reach the Revision; `''` is not known and counts as reachable. */
export type Reachability = '' | 'Reachable' | 'Unreachable'

export interface PodAutoscalerSpec {
  /** Requests one instance works on at a time; 0 or absent is no limit. */
  containerConcurrency?: number
  protocolType: 'http1' | 'h2c'
  reachability?: Reachability
  /** What is scaled: the Revision's Deployment. */
  scaleTargetRef: { apiVersion?: string; kind?: string; name?: string }
}

export interface PodAutoscalerStatus extends KResourceStatus {
  serviceName?: string
  metricsServiceName?: string
  desiredScale?: number
  actualScale?: number
}

/** Named after its Revision. */
export interface PodAutoscaler extends Resource {
  spec: PodAutoscalerSpec
  status?: PodAutoscalerStatus
}

/** Annotation of the status: why it has as many instances as it has, in words. */
export const scaleWordsAnnotation = 'knode.dev/scale'

export const podAutoscalerSchema = {
  spec: object(
    'What is scaled, and by which rules.',
    {
      containerConcurrency: integer('Requests one instance works on at a time; 0 is no limit.', { format: 'int64' }),
      protocolType: string('What the program speaks: http1 or h2c.'),
      reachability: string('Reachable, Unreachable, or empty when it is not known.'),
      scaleTargetRef: object('The Deployment whose replicas are set.', {
        apiVersion: string('Its API version.'),
        kind: string('Its kind.'),
        name: string('Its name.'),
      }),
    },
    { required: ['protocolType', 'scaleTargetRef'] },
  ),
  status: statusOf({
    serviceName: string('The core Service in front of the Revision.'),
    metricsServiceName: string('The core Service in front of its instances.'),
    desiredScale: integer('Instances there should be; -1 while that is not known.', { format: 'int32' }),
    actualScale: integer('Instances that are ready.', { format: 'int32' }),
  }),
}
