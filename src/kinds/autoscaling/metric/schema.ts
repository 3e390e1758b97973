// Metric autoscaling.internal.knative.dev/v1alpha1. Source: knative/serving pkg/apis/autoscaling/v1alpha1/metric_types.go.
import type { KResourceStatus } from '../../../model/duck/types.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { integer, object, statusOf, string } from '../../../model/kubernetes/schema.ts'

export const metricKind = 'Metric.autoscaling.internal.knative.dev'
export const metricApiVersion = 'autoscaling.internal.knative.dev/v1alpha1'

export interface MetricSpec {
  /** Nanoseconds, as Go counts durations. */
  stableWindow: number
  /** Nanoseconds. */
  panicWindow: number
  /** The core Service that instances are asked through; empty when all requests pass the activator. */
  scrapeTarget: string
}

/** Named after its Revision. */
export interface Metric extends Resource {
  spec: MetricSpec
  status?: KResourceStatus
}

export const metricSchema = {
  spec: object(
    'What is measured, and over which time.',
    {
      stableWindow: integer('Window of steady decisions, in nanoseconds.', { format: 'int64' }),
      panicWindow: integer('Window of quick decisions, in nanoseconds.', { format: 'int64' }),
      scrapeTarget: string('The core Service whose instances are measured.'),
    },
    { required: ['panicWindow', 'scrapeTarget', 'stableWindow'] },
  ),
  status: statusOf({}),
}
