// Where metrics and traces are sent, as ConfigMap `config-observability` of Serving or of Eventing says.
// Source: knative/pkg observability/metrics/config.go, observability/tracing/config.go.
import { parseGoDuration } from '../kubernetes/go-duration.ts'
import type { OtlpProtocol } from '../otlp/endpoint.ts'

type Data = Readonly<Record<string, string>>

export interface MetricsExport {
  protocol: OtlpProtocol
  endpoint: string
  /** How often, in milliseconds. Absent: OpenTelemetry's default. */
  intervalMs?: number
}

export type TracesExport = { samplingRate: number } & (
  | { protocol: OtlpProtocol; endpoint: string }
  /** Every span is a line of the log. */
  | { protocol: 'stdout' }
)

/** Of a ConfigMap that was checked. @returns `undefined` when none are sent: for Prometheus they are always there */
export function readMetricsExport(data: Data, prefix: '' | 'request-' = ''): MetricsExport | undefined {
  const protocol = data[`${prefix}metrics-protocol`]?.trim()
  const endpoint = data[`${prefix}metrics-endpoint`]?.trim() ?? ''
  const intervalMs = parseGoDuration(data[`${prefix}metrics-export-interval`] ?? '') ?? 0
  if (protocol !== 'grpc' && protocol !== 'http/protobuf') return undefined
  return { protocol, endpoint, ...(intervalMs > 0 && { intervalMs }) }
}

/** Of a ConfigMap that was checked. @returns `undefined` when none are recorded */
export function readTracesExport(data: Data): TracesExport | undefined {
  const protocol = data['tracing-protocol']?.trim()
  const endpoint = data['tracing-endpoint']?.trim() ?? ''
  const samplingRate = Number(data['tracing-sampling-rate'] ?? 0)
  if (protocol === 'stdout') return { protocol, samplingRate }
  if (protocol !== 'grpc' && protocol !== 'http/protobuf') return undefined
  return { protocol, endpoint, samplingRate }
}
