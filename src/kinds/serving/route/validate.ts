// What a Route must not be. Source: knative/serving pkg/apis/serving/v1/route_validation.go.
import type { AdmissionContext } from '../../../engine/kind.ts'
import { at } from '../../../model/kubernetes/field-error.ts'
import type { FieldError } from '../../../model/kubernetes/field-error.ts'
import { annotationKeys } from '../../../model/serving/annotation-keys.ts'
import { serviceLabel } from '../../../model/serving/metadata-keys.ts'
import { validateTraffic } from '../../../model/serving/traffic.ts'
import { refuseTemplateAnnotations, validateObjectName } from '../../../model/serving/validate-metadata.ts'
import { validateOwnerLabel, validateUserChange } from '../../../model/serving/validate-metadata.ts'
import { wholeSeconds } from '../../../model/serving/validate-template.ts'
import type { Route } from './schema.ts'

export function validateRoute(route: Route, { old }: AdmissionContext<Route>): FieldError[] {
  const { metadata, spec } = route
  // What a Service owns carries the Service's annotations.
  const isOwned = (metadata.ownerReferences ?? []).length > 0
  return [
    ...at('metadata', [
      ...validateObjectName(metadata),
      ...refuseTemplateAnnotations(metadata),
      ...validateOwnerLabel(metadata, serviceLabel, 'Service'),
      ...at('annotations', wholeSeconds(metadata.annotations, annotationKeys.rolloutDuration, 'rollout-duration')),
    ]),
    ...at('spec', validateTraffic(spec.traffic ?? [], false)),
    ...(old === undefined || isOwned ? [] : validateUserChange(route, old)),
  ]
}
