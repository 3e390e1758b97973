// What Serving's ConfigMaps say, with the values they ship. Source: knative/serving pkg/apis/config, pkg/autoscaler/config.
import { servingSystemNamespace } from '../knative/feature-flags.ts'
import { parseGoDuration } from '../kubernetes/go-duration.ts'

export type ConfigData = Readonly<Record<string, string>>

/** The ConfigMaps that validation and defaults of templates depend on. */
export interface ServingConfig {
  /** `config-defaults` */
  defaults: ConfigData
  /** `config-features` */
  features: ConfigData
  /** `config-autoscaler` */
  autoscaler: ConfigData
}

export const defaultsConfigMap = 'config-defaults'
export const featuresConfigMap = 'config-features'
export const autoscalerConfigMap = 'config-autoscaler'
export const deploymentConfigMap = 'config-deployment'
export const gcConfigMap = 'config-gc'
export const observabilityConfigMap = 'config-observability'

/** Reads ConfigMaps live. */
export interface ConfigMaps {
  data(namespace: string, name: string): ConfigData
}

/** One of Serving's own ConfigMaps, as it is now. */
export const servingConfigMap = (config: ConfigMaps, name: string): ConfigData =>
  config.data(servingSystemNamespace, name)

/** The ConfigMaps that templates depend on, as they are now. */
export const readServingConfig = (config: ConfigMaps): ServingConfig => ({
  defaults: servingConfigMap(config, defaultsConfigMap),
  features: servingConfigMap(config, featuresConfigMap),
  autoscaler: servingConfigMap(config, autoscalerConfigMap),
})

export interface RevisionDefaults {
  timeoutSeconds: number
  timeoutSecondsMax: number
  responseStartTimeoutSeconds: number
  idleTimeoutSeconds: number
  containerConcurrency: number
  containerConcurrencyMax: number
  containerConcurrencyMin: number
  /** Go templates over the metadata of the Service or Configuration. */
  containerName: string
  initContainerName: string
  enableServiceLinks: boolean | undefined
}

export function revisionDefaults(data: ConfigData): RevisionDefaults {
  const timeoutSeconds = integer(data['revision-timeout-seconds'], 300)
  return {
    timeoutSeconds,
    timeoutSecondsMax: integer(data['max-revision-timeout-seconds'], 600),
    responseStartTimeoutSeconds: integer(data['revision-response-start-timeout-seconds'], timeoutSeconds),
    idleTimeoutSeconds: integer(data['revision-idle-timeout-seconds'], 0),
    containerConcurrency: integer(data['container-concurrency'], 0),
    containerConcurrencyMax: integer(data['container-concurrency-max-limit'], 1_000),
    containerConcurrencyMin: data['allow-container-concurrency-zero'] === 'false' ? 1 : 0,
    containerName: data['container-name-template'] ?? 'user-container',
    initContainerName: data['init-container-name-template'] ?? 'init-container',
    enableServiceLinks: serviceLinks(data['enable-service-links'] ?? 'false'),
  }
}

/** `enabled`, `allowed` or `disabled`, for a flag of `config-features`; anything else counts as the shipped value. */
export type Flag = 'enabled' | 'allowed' | 'disabled'

const enabledByDefault = new Set(['multi-container', 'kubernetes.podspec-volumes-emptydir'])

export function featureFlag(data: ConfigData, name: string): Flag {
  const value = data[name]?.trim().toLowerCase()
  if (value === 'enabled' || value === 'allowed' || value === 'disabled') return value
  return enabledByDefault.has(name) ? 'enabled' : 'disabled'
}

// Older names of these keys are read, too.

/** How long a Revision may take to become ready, as `config-deployment` says. */
export const progressDeadlineMs = (data: ConfigData): number =>
  duration(data['progress-deadline'] ?? data['progressDeadline'], 600_000)

/** How long a registry may take to answer, as `config-deployment` says. */
export const digestTimeoutMs = (data: ConfigData): number =>
  duration(data['digest-resolution-timeout'] ?? data['digestResolutionTimeout'], 10_000)

/** Registries whose tags are not looked up, as `config-deployment` says. */
export function skippedRegistries(data: ConfigData): ReadonlySet<string> {
  const { 'registries-skipping-tag-resolving': skipped, registriesSkippingTagResolving: older } = data
  return new Set((skipped ?? older ?? 'kind.local,ko.local,dev.local').split(',').map((registry) => registry.trim()))
}

const duration = (text: string | undefined, otherwise: number): number => parseGoDuration(text ?? '') ?? otherwise

const integer = (text: string | undefined, otherwise: number): number =>
  text !== undefined && /^-?\d+$/.test(text.trim()) ? Number(text) : otherwise

/** `default` leaves the field to Kubernetes. */
const serviceLinks = (text: string): boolean | undefined =>
  text.toLowerCase() === 'default' ? undefined : text.toLowerCase() === 'true'
