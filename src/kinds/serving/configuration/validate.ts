// What a Configuration must not be. Source: knative/serving pkg/apis/serving/v1/configuration_validation.go.
import type { AdmissionContext } from '../../../engine/kind.ts'
import { at } from '../../../model/kubernetes/field-error.ts'
import type { FieldError } from '../../../model/kubernetes/field-error.ts'
import { idleFieldWarnings } from '../../../model/kubernetes/pod/idle-fields.ts'
import { serviceLabel } from '../../../model/serving/metadata-keys.ts'
import { semanticallyEqual } from '../../../model/kubernetes/semantic.ts'
import { insecureDefaults } from '../../../model/serving/security.ts'
import { readServingConfig } from '../../../model/serving/serving-config.ts'
import {
  refuseTemplateAnnotations,
  validateObjectName,
  validateOwnerLabel,
} from '../../../model/serving/validate-metadata.ts'
import { validateUserChange } from '../../../model/serving/validate-metadata.ts'
import { validateNameChange, validateTemplate } from '../../../model/serving/validate-template.ts'
import type { Configuration } from './schema.ts'

export function validateConfiguration(
  configuration: Configuration,
  { old, config }: AdmissionContext<Configuration>,
): FieldError[] {
  const { metadata, spec } = configuration
  const template = spec.template ?? {}
  const serving = readServingConfig(config)
  const isNew = !semanticallyEqual(template, old?.spec.template)
  const isOwned = (metadata.ownerReferences ?? []).length > 0
  const errors = [
    ...at('metadata', [
      ...validateObjectName(metadata),
      ...refuseTemplateAnnotations(metadata),
      ...validateOwnerLabel(metadata, serviceLabel, 'Service'),
    ]),
    ...at('spec.template', validateTemplate(template, metadata, serving)),
    // Who made its Service was warned.
    ...(isOwned || !isNew
      ? []
      : at('spec.template.spec', [
          ...insecureDefaults(template.spec ?? {}, serving.features),
          ...idleFieldWarnings(template.spec, template.metadata?.annotations),
        ])),
  ]
  if (old === undefined) return errors
  // What a Service owns carries the Service's annotations.
  if (!isOwned) errors.push(...validateUserChange(configuration, old))
  return [...errors, ...at('spec.template', validateNameChange(template, old.spec.template ?? {}))]
}
