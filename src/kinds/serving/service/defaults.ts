// What a Service gets that it did not ask for. Source: knative/serving pkg/apis/serving/v1/service_defaults.go.
import type { AdmissionContext, ConfigReader } from '../../../engine/kind.ts'
import { servingSystemNamespace } from '../../../model/knative/feature-flags.ts'
import { autoscalerConfigMap, defaultsConfigMap, featuresConfigMap } from '../../../model/serving/serving-config.ts'
import type { ServingConfig } from '../../../model/serving/serving-config.ts'
import { setTemplateDefaults } from '../../../model/serving/template-defaults.ts'
import { defaultTraffic } from '../../../model/serving/traffic.ts'
import type { Service } from './schema.ts'

export function setServiceDefaults(draft: Service, { operation, old, config }: AdmissionContext<Service>): void {
  draft.spec ??= {}
  const { spec } = draft
  spec.template ??= {}
  const name = spec.template.metadata?.name ?? ''
  // Under a name that its user gave, a template must stay exactly as it was.
  if (name === '' || name !== old?.spec.template?.metadata?.name) {
    setTemplateDefaults(spec.template, servingConfig(config), operation)
  }
  const traffic = defaultTraffic(spec.traffic, true)
  if (traffic !== undefined) spec.traffic = traffic
}

/** The ConfigMaps that templates depend on, as they are now. */
export const servingConfig = (config: ConfigReader): ServingConfig => ({
  defaults: config.data(servingSystemNamespace, defaultsConfigMap),
  features: config.data(servingSystemNamespace, featuresConfigMap),
  autoscaler: config.data(servingSystemNamespace, autoscalerConfigMap),
})
