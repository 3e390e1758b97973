// Rules of a Metric. Source: knative/serving pkg/apis/autoscaling/v1alpha1/metric_validation.go.
import { at, missingField } from '../../../model/kubernetes/field-error.ts'
import type { FieldError } from '../../../model/kubernetes/field-error.ts'
import type { AdmissionContext } from '../../../engine/kind.ts'
import { readServingConfig } from '../../../model/serving/serving-config.ts'
import { validateAutoscaling } from '../../../model/serving/validate-autoscaling.ts'
import type { Metric } from './schema.ts'

export function validateMetric({ metadata, spec }: Metric, { config }: AdmissionContext): FieldError[] {
  const { autoscaler } = readServingConfig(config)
  const isEmpty = !(spec?.stableWindow || spec?.panicWindow || spec?.scrapeTarget)
  return [
    ...at('metadata.annotations', validateAutoscaling(metadata.annotations, autoscaler)),
    ...(isEmpty ? [missingField('spec')] : []),
  ]
}
