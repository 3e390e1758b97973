// Metric: what is measured of a Revision, and over which time. A PodAutoscaler makes it.
import { columns, defineKind } from '../../../engine/kind.ts'
import { ownPodAnnotations } from '../../../model/kubernetes/pod/pod.ts'
import { MetricReconciler } from './reconcile.ts'
import { metricSchema } from './schema.ts'
import type { Metric } from './schema.ts'
import { validateMetric } from './validate.ts'

export const metric = defineKind<Metric>({
  group: 'autoscaling.internal.knative.dev',
  kind: 'Metric',
  plural: 'metrics',
  categories: ['knative-internal', 'autoscaling'],
  versions: [{ name: 'v1alpha1', schema: metricSchema, columns: [columns.ready, columns.reason] }],
  webhooks: { mutating: 'webhook.serving.knative.dev', validating: 'validation.webhook.serving.knative.dev' },
  validate: validateMetric,
  ownAnnotations: ownPodAnnotations,
  reconciler: () => new MetricReconciler(),
})
