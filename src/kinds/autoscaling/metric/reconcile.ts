// A Metric is Ready as soon as it is there: what it describes is measured by the scaler of its PodAutoscaler.
// Source: knative/serving pkg/reconciler/metric/metric.go.
import type { ReconcileContext, Reconciler } from '../../../engine/reconciler.ts'
import type { Metric } from './schema.ts'

export class MetricReconciler implements Reconciler<Metric> {
  readonly conditions = { dependents: [] }

  reconcile(_: Metric, { conditions }: ReconcileContext): Promise<void> {
    conditions.markTrue('Ready')
    return Promise.resolve()
  }
}
