// Feature flags of ConfigMap `config-features`. Source: knative/eventing pkg/apis/feature.

/** Flags with their shipped defaults. Values are compared in lower case. */
const defaults: Readonly<Record<string, string>> = {
  'kreference-group': 'disabled',
  'kreference-mapping': 'disabled',
  'delivery-timeout': 'enabled',
  'delivery-retryafter': 'disabled',
  'transport-encryption': 'disabled',
  'authentication-oidc': 'disabled',
  'default-authorization-mode': 'allow-same-namespace',
  'eventtype-auto-create': 'disabled',
  'cross-namespace-event-links': 'disabled',
  'new-apiserversource-filters': 'disabled',
}

/** Whether a flag is on, given the ConfigMap's data. Keys that start with `_` are documentation. */
export function isEnabled(data: Readonly<Record<string, string>>, flag: string): boolean {
  return (data[flag] ?? defaults[flag] ?? 'disabled').trim().toLowerCase() === 'enabled'
}

/** Where Knative Eventing keeps its ConfigMaps. */
export const eventingSystemNamespace = 'knative-eventing'
/** Where Knative Serving keeps its ConfigMaps. */
export const servingSystemNamespace = 'knative-serving'
export const featuresConfigMap = 'config-features'
