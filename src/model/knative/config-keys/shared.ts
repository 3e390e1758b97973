// Keys that ConfigMaps of Serving and of Eventing have alike. Source: knative/pkg observability, leaderelection, logging.
import type { ConfigMapKeys, IdleKeys } from './keys.ts'

/** Of `config-observability`: where metrics go; `prefix` stands before the names of a second set. */
export const metricsKeys = (prefix: '' | 'request-'): string[] => [
  `${prefix}metrics-endpoint`,
  `${prefix}metrics-export-interval`,
  `${prefix}metrics-protocol`,
]

/** Of `config-observability`: where traces go. */
export const tracingKeys = ['tracing-endpoint', 'tracing-protocol', 'tracing-sampling-rate']

export const runtimeKeys: IdleKeys = {
  keys: ['runtime-profiling', 'runtime-export-interval'],
  harmless: ['disabled', '15s'],
  cluster: 'is about profiles and figures of Go programs',
  here: 'Knode is none, profile it as any program of Node.js',
}

export const loggingKeys: ConfigMapKeys = {
  honoured: [],
  idle: [
    {
      keys: ['zap-logger-config', 'loglevel.*', 'klog-verbosity'],
      harmless: ['info', '0', /"level"\s*:\s*"info"/],
      cluster: "says what Knative's components log, and how",
      here: "Knode's log is set when it is started: knode up --log-level and --log-format",
    },
  ],
}

export const leaderElectionKeys: ConfigMapKeys = {
  honoured: [],
  idle: [
    {
      keys: ['lease-duration', 'renew-deadline', 'retry-period', 'buckets'],
      harmless: ['60s', '40s', '10s', '15s', '2s', '1'],
      cluster: 'decides when another replica of a controller takes over',
      here: 'Knode is one process with one of each',
    },
  ],
}

export const deprecatedTracingKeys: ConfigMapKeys = {
  honoured: [],
  idle: [
    {
      keys: ['*'],
      cluster: 'is deprecated and read no more',
      here: 'config-observability says where traces go: tracing-protocol, tracing-endpoint, tracing-sampling-rate',
    },
  ],
}
