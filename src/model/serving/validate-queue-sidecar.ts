// Annotations for the resources of upstream's queue-proxy. Knode has none, but manifests must stay valid elsewhere.
// Source: knative/serving pkg/apis/serving/v1/revision_validation.go, validateQueueSidecarResourceAnnotations.
import { fieldError, invalidValue, outOfBounds } from '../kubernetes/field-error.ts'
import type { FieldError } from '../kubernetes/field-error.ts'
import { parseQuantity } from '../kubernetes/quantity.ts'
import { findAnnotation } from './annotation-keys.ts'
import type { Annotations } from './annotation-keys.ts'

const group = 'queue.sidecar.serving.knative.dev'
const percentageKey = [`${group}/resource-percentage`, `${group}/resourcePercentage`]
const quantityKeys = ['cpu', 'memory', 'ephemeral-storage'].flatMap((resource) =>
  ['request', 'limit'].map((bound) => `${group}/${resource}-resource-${bound}`),
)
const percentageMin = 0.1
const percentageMax = 100

/** Paths are the annotations' names, in brackets. */
export function validateQueueSidecar(annotations: Annotations): FieldError[] {
  const errors: FieldError[] = []
  const percentage = findAnnotation(annotations, percentageKey)
  if (percentage !== undefined) {
    const path = `[${percentage.name}]`
    const text =
      'Queue proxy resource percentage annotation is deprecated. Please use the available annotations to explicitly set ' +
      'resource values per service'
    errors.push({ ...fieldError(text, [path]), level: 'warning' })
    const value = Number(percentage.value)
    if (percentage.value.trim() === '' || Number.isNaN(value)) errors.push(invalidValue(percentage.value, path))
    else if (value < percentageMin || value > percentageMax) {
      errors.push(outOfBounds(value, percentageMin, percentageMax, path))
    }
  }
  for (const key of quantityKeys) {
    const value = annotations?.[key]
    if (value !== undefined && parseQuantity(value) === undefined) errors.push(invalidValue(value, `[${key}]`))
  }
  return errors
}
