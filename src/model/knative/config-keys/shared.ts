// Keys that ConfigMaps of Serving and of Eventing have alike. Source: knative/pkg observability, leaderelection, logging.
import type { ConfigMapKeys, IdleKeys } from './keys.ts'

/** Of `config-observability`; `prefix` stands before the names of a second set. */
export const metricsKeys = (prefix: '' | 'request-'): IdleKeys[] => [
  {
    keys: [`${prefix}metrics-protocol`, `${prefix}metrics-endpoint`],
    harmless: ['none', 'prometheus'],
    cluster: 'says where metrics go',
    here: 'Knode always serves them to Prometheus at /metrics of its API, and sends them nowhere',
  },
  {
    keys: [`${prefix}metrics-export-interval`],
    harmless: ['0', '0s', '60s'],
    cluster: 'says how often metrics are sent',
    here: 'Knode sends none, it counts them when /metrics of its API is asked',
  },
]

export const tracingKeys: IdleKeys = {
  keys: ['tracing-protocol', 'tracing-endpoint', 'tracing-sampling-rate'],
  harmless: ['none', '0', '0.0'],
  cluster: 'says where traces go',
  here: 'Knode passes trace headers on and exports no traces',
}

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
      here: 'Knode passes trace headers on and exports no traces',
    },
  ],
}
