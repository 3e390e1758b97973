// What a Service gets that it did not ask for. Source: knative/serving pkg/apis/serving/v1/service_defaults.go.
import type { AdmissionContext } from '../../../engine/kind.ts'
import { readServingConfig } from '../../../model/serving/serving-config.ts'
import { setNewTemplateDefaults } from '../../../model/serving/template-defaults.ts'
import { defaultTraffic } from '../../../model/serving/traffic.ts'
import type { Service } from './schema.ts'

export function setServiceDefaults(draft: Service, { operation, old, config }: AdmissionContext<Service>): void {
  draft.spec ??= {}
  draft.spec.template = setNewTemplateDefaults(draft.spec.template, old?.spec.template, {
    config: readServingConfig(config),
    operation,
    parent: draft.metadata,
  })
  const traffic = defaultTraffic(draft.spec.traffic, true)
  if (traffic !== undefined) draft.spec.traffic = traffic
}
