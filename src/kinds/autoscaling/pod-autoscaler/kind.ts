// PodAutoscaler: decides how many instances a Revision has. A Revision makes it.
import { columns, defineKind } from '../../../engine/kind.ts'
import { ownPodAnnotations } from '../../../model/kubernetes/pod/pod.ts'
import { setPodAutoscalerDefaults, validatePodAutoscaler } from './admission.ts'
import { PodAutoscalerReconciler } from './reconcile.ts'
import { podAutoscalerSchema } from './schema.ts'
import type { PodAutoscaler } from './schema.ts'

export const podAutoscaler = defineKind<PodAutoscaler>({
  group: 'autoscaling.internal.knative.dev',
  kind: 'PodAutoscaler',
  plural: 'podautoscalers',
  shortNames: ['kpa', 'pa'],
  categories: ['knative-internal', 'autoscaling'],
  versions: [
    {
      name: 'v1alpha1',
      schema: podAutoscalerSchema,
      columns: [
        { name: 'DesiredScale', jsonPath: '.status.desiredScale', type: 'integer' },
        { name: 'ActualScale', jsonPath: '.status.actualScale', type: 'integer' },
        columns.ready,
        columns.reason,
      ],
    },
  ],
  webhooks: { mutating: 'webhook.serving.knative.dev', validating: 'validation.webhook.serving.knative.dev' },
  setDefaults: setPodAutoscalerDefaults,
  validate: validatePodAutoscaler,
  ownAnnotations: ownPodAnnotations,
  reconciler: (deps) => new PodAutoscalerReconciler(deps),
})
