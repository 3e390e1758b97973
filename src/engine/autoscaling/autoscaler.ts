// Makes the scalers of all Revisions: they share one ticker, and nothing runs while all of them rest.
import type { Metrics } from '../../base/metrics.ts'
import type { Autoscaler, Scaler, ScalerOptions } from '../autoscaler.ts'
import { RequestScaler } from './request-scaler.ts'
import { exportScales } from './scale-metrics.ts'
import type { AutoscalerDeps } from './scaler-deps.ts'
import { Ticker } from './ticker.ts'
import { UsageScaler } from './usage-scaler.ts'

export function createAutoscaler(deps: AutoscalerDeps & { metrics: Metrics }): Autoscaler {
  const ticker = new Ticker(deps.clock)
  const scalers = new Map<string, RequestScaler | UsageScaler>()
  exportScales(deps.metrics, () => scalers.values(), deps.caches)
  return {
    open(options: ScalerOptions): Scaler {
      const key = `${options.namespace}/${options.name}`
      const kind = options.rules.settings.class === 'hpa' ? UsageScaler : RequestScaler
      const scaler = new kind(options, { ...deps, ticker })
      scalers.set(key, scaler)
      return {
        get state() {
          return scaler.state
        },
        configure: (rules) => scaler.configure(rules),
        async [Symbol.asyncDispose]() {
          if (scalers.get(key) === scaler) scalers.delete(key)
          await scaler[Symbol.asyncDispose]()
        },
      }
    },
    snapshot: (namespace, name) => scalers.get(`${namespace}/${name}`)?.snapshot(),
    async [Symbol.asyncDispose]() {
      await Promise.all([...scalers.values()].map((scaler) => scaler[Symbol.asyncDispose]()))
      scalers.clear()
      ticker[Symbol.dispose]()
    },
  }
}
