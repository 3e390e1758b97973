// What Serving's ConfigMaps say, with the values they ship. Source: knative/serving pkg/apis/config, pkg/autoscaler/config.
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

export interface RevisionDefaults {
  timeoutSeconds: number
  timeoutSecondsMax: number
  responseStartTimeoutSeconds: number
  idleTimeoutSeconds: number
  containerConcurrency: number
  containerConcurrencyMax: number
  containerConcurrencyMin: number
  containerName: string
  initContainerName: string
  enableServiceLinks: boolean | undefined
}

export function revisionDefaults(data: ConfigData): RevisionDefaults {
  return {
    timeoutSeconds: integer(data['revision-timeout-seconds'], 300),
    timeoutSecondsMax: integer(data['max-revision-timeout-seconds'], 600),
    responseStartTimeoutSeconds: integer(data['revision-response-start-timeout-seconds'], 300),
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

export interface AutoscalerDefaults {
  stableWindowMs: number
  minScale: number
  initialScale: number
  maxScaleLimit: number
  allowZeroInitialScale: boolean
  podAutoscalerClass: string
}

export function autoscalerDefaults(data: ConfigData): AutoscalerDefaults {
  return {
    stableWindowMs: parseGoDuration(data['stable-window'] ?? '') ?? 60_000,
    minScale: integer(data['min-scale'], 0),
    initialScale: integer(data['initial-scale'], 1),
    maxScaleLimit: integer(data['max-scale-limit'], 0),
    allowZeroInitialScale: data['allow-zero-initial-scale'] === 'true',
    podAutoscalerClass: data['pod-autoscaler-class'] ?? 'kpa.autoscaling.knative.dev',
  }
}

/** `progress-deadline` of `config-deployment`, in milliseconds. */
export const progressDeadlineMs = (data: ConfigData): number =>
  parseGoDuration(data['progress-deadline'] ?? '') ?? 600_000

const integer = (text: string | undefined, otherwise: number): number =>
  text !== undefined && /^-?\d+$/.test(text.trim()) ? Number(text) : otherwise

/** `default` leaves the field to Kubernetes. */
const serviceLinks = (text: string): boolean | undefined =>
  text.toLowerCase() === 'default' ? undefined : text.toLowerCase() === 'true'
