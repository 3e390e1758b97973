// What a Service must not be. Source: knative/serving pkg/apis/serving/v1/service_validation.go, metadata_validation.go.
import type { AdmissionContext } from '../../../engine/kind.ts'
import { at } from '../../../model/kubernetes/field-error.ts'
import type { FieldError } from '../../../model/kubernetes/field-error.ts'
import { annotationKeys } from '../../../model/serving/annotation-keys.ts'
import { idleFieldWarnings } from '../../../model/kubernetes/pod/idle-fields.ts'
import { semanticallyEqual } from '../../../model/kubernetes/semantic.ts'
import { insecureDefaults } from '../../../model/serving/security.ts'
import { readServingConfig } from '../../../model/serving/serving-config.ts'
import { validateTraffic } from '../../../model/serving/traffic.ts'
import {
  refuseTemplateAnnotations,
  validateObjectName,
  validateUserChange,
} from '../../../model/serving/validate-metadata.ts'
import { validateNameChange, validateTemplate, wholeSeconds } from '../../../model/serving/validate-template.ts'
import type { Service } from './schema.ts'

export function validateService(service: Service, { old, config }: AdmissionContext<Service>): FieldError[] {
  const { metadata, spec } = service
  const { template = {} } = spec
  const serving = readServingConfig(config)
  const isNew = !semanticallyEqual(spec.template, old?.spec.template)
  return [
    ...at('metadata', [
      ...validateObjectName(metadata),
      ...refuseTemplateAnnotations(metadata),
      ...at('annotations', wholeSeconds(metadata.annotations, annotationKeys.rolloutDuration, 'rollout-duration')),
    ]),
    ...at('spec', [
      ...at('template', [
        ...validateTemplate(template, metadata, serving),
        ...(isNew ? at('spec', insecureDefaults(template.spec ?? {}, serving.features)) : []),
        ...(isNew ? at('spec', idleFieldWarnings(template.spec, template.metadata?.annotations)) : []),
      ]),
      ...validateTraffic(spec.traffic ?? [], true),
    ]),
    ...(old === undefined
      ? []
      : [
          ...validateUserChange(service, old),
          ...at('spec.template', validateNameChange(template, old.spec.template ?? {})),
        ]),
  ]
}
