// Refuses values that Serving's ConfigMaps cannot have, before they count. Source: knative/serving cmd/webhook/main.go,
// knative/pkg webhook/configmaps/configmaps.go, configmap/example.go.
import { crc32 } from 'node:zlib'
import { messageOf } from '../../../base/errors.ts'
import { own } from '../../own.ts'
import { networkConfigMap } from '../network-config.ts'
import {
  autoscalerConfigMap,
  defaultsConfigMap,
  deploymentConfigMap,
  featuresConfigMap,
  gcConfigMap,
  observabilityConfigMap,
} from '../serving-config.ts'
import type { ConfigData } from '../serving-config.ts'
import { domainConfigMap } from '../domain-config.ts'
import { checkAutoscalerConfig } from './autoscaler.ts'
import { checkDefaultsConfig } from './defaults.ts'
import { checkNetworkConfig } from './network.ts'
import {
  checkDeploymentConfig,
  checkEventingObservabilityConfig,
  checkDomainConfig,
  checkGcConfig,
  checkLeaderElectionConfig,
  checkLoggingConfig,
  checkObservabilityConfig,
} from './others.ts'

/** The webhooks that upstream's API server asks. */
export const servingConfigWebhook = 'config.webhook.serving.knative.dev'
export const eventingConfigWebhook = 'config.webhook.eventing.knative.dev'

const checks: Readonly<Record<string, (data: ConfigData) => void>> = {
  [autoscalerConfigMap]: checkAutoscalerConfig,
  [defaultsConfigMap]: checkDefaultsConfig,
  [deploymentConfigMap]: checkDeploymentConfig,
  [domainConfigMap]: checkDomainConfig,
  // A flag that makes no sense counts as not set.
  [featuresConfigMap]: () => undefined,
  [gcConfigMap]: checkGcConfig,
  [networkConfigMap]: checkNetworkConfig,
  [observabilityConfigMap]: checkObservabilityConfig,
  'config-leader-election': checkLeaderElectionConfig,
  'config-logging': checkLoggingConfig,
}

const exampleKey = '_example'
const checksumAnnotation = 'knative.dev/example-checksum'

/** What is wrong with one of Serving's ConfigMaps, in upstream's words; `undefined` when nothing is. */
export function servingConfigObjection(
  name: string,
  data: ConfigData,
  annotations: ConfigData = {},
): string | undefined {
  const check = own(checks, name)
  if (check === undefined) return undefined
  const { [exampleKey]: example, ...settings } = data
  const checksum = annotations[checksumAnnotation]
  if (example !== undefined && checksum !== undefined && checksum !== checksumOf(example)) {
    const hint = 'Instead, copy the respective setting to the top-level of the ConfigMap, directly below "data"'
    return `the update modifies a key in "${exampleKey}" which is probably not what you want. ${hint}`
  }
  try {
    check(settings)
    return undefined
  } catch (thrown) {
    return messageOf(thrown)
  }
}

/** Line breaks count as the two characters that Go's pattern writes for them. */
const checksumOf = (example: string): string =>
  crc32(example.trim().replace(/(?:\r?\n)+/g, String.raw`\n`))
    .toString(16)
    .padStart(8, '0')

/** What is wrong with Eventing's ConfigMap of the same name as Serving's. */
export function eventingConfigObjection(name: string, data: ConfigData): string | undefined {
  if (name !== observabilityConfigMap) return undefined
  try {
    checkEventingObservabilityConfig(data)
    return undefined
  } catch (thrown) {
    return messageOf(thrown)
  }
}
