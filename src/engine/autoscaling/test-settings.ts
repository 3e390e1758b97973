// For tests: the rules of a Revision, with what its annotations and ConfigMaps say.
import type { ScaleSettings } from '../autoscaler.ts'
import { scaleSettings } from './scale-settings.ts'

export interface SettingsOptions {
  /** Below `autoscaling.knative.dev/`. */
  annotations?: Record<string, string>
  containerConcurrency?: number
  isReachable?: boolean
  /** `config-autoscaler` */
  config?: Record<string, string>
  /** `config-deployment` */
  deployment?: Record<string, string>
}

export function settingsOf(options: SettingsOptions = {}): ScaleSettings {
  const { annotations = {}, containerConcurrency = 0, isReachable = true, config = {}, deployment = {} } = options
  const prefixed = Object.entries(annotations).map(([name, value]) => [`autoscaling.knative.dev/${name}`, value])
  return scaleSettings(
    { annotations: Object.fromEntries(prefixed) as Record<string, string>, containerConcurrency, isReachable },
    { autoscaler: config, deployment },
  )
}
