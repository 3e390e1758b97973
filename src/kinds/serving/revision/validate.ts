// What a Revision must not be. Source: knative/serving pkg/apis/serving/v1/revision_validation.go.
import type { AdmissionContext } from '../../../engine/kind.ts'
import { at } from '../../../model/kubernetes/field-error.ts'
import type { FieldError } from '../../../model/kubernetes/field-error.ts'
import { immutableField } from '../../../model/kubernetes/immutable.ts'
import { idleFieldWarnings } from '../../../model/kubernetes/pod/idle-fields.ts'
import { configurationLabel } from '../../../model/serving/metadata-keys.ts'
import { insecureDefaults } from '../../../model/serving/security.ts'
import { readServingConfig } from '../../../model/serving/serving-config.ts'
import { validateAutoscaling } from '../../../model/serving/validate-autoscaling.ts'
import { validateObjectName, validateOwnerLabel } from '../../../model/serving/validate-metadata.ts'
import { validateRevisionSpec } from '../../../model/serving/validate-template.ts'
import type { Revision } from './schema.ts'

/** Labels and annotations may change, those of the autoscaler with effect at once; the spec may not. */
export function validateRevision(revision: Revision, { old, config }: AdmissionContext<Revision>): FieldError[] {
  const { metadata, spec } = revision
  const serving = readServingConfig(config)
  return [
    ...at('metadata', [
      ...validateObjectName(metadata),
      ...at('annotations', validateAutoscaling(metadata.annotations, serving.autoscaler)),
      ...validateOwnerLabel(metadata, configurationLabel, 'Configuration'),
    ]),
    // Who made its Configuration was warned.
    ...((metadata.ownerReferences ?? []).length > 0 || old !== undefined
      ? []
      : at('spec', [
          ...insecureDefaults(spec ?? {}, serving.features),
          ...idleFieldWarnings(spec, metadata.annotations),
        ])),
    ...(old === undefined
      ? at('spec', validateRevisionSpec(spec ?? {}, serving))
      : immutableField('v1.RevisionSpec', old.spec, spec, 'spec')),
  ]
}
