// What a Configuration gets that it did not ask for. Source: knative/serving
// pkg/apis/serving/v1/configuration_defaults.go.
import type { AdmissionContext } from '../../../engine/kind.ts'
import { readServingConfig } from '../../../model/serving/serving-config.ts'
import { setNewTemplateDefaults } from '../../../model/serving/template-defaults.ts'
import type { Configuration } from './schema.ts'

export function setConfigurationDefaults(
  draft: Configuration,
  { operation, old, config }: AdmissionContext<Configuration>,
): void {
  draft.spec ??= {}
  draft.spec.template = setNewTemplateDefaults(draft.spec.template, old?.spec.template, {
    config: readServingConfig(config),
    operation,
    parent: draft.metadata,
  })
}
