// Where an OTLP receiver listens, as it is written in ConfigMaps and variables. Source: knative/pkg
// observability/metrics/provider.go; OpenTelemetry, "OpenTelemetry Protocol Exporter".

export type OtlpProtocol = 'grpc' | 'http/protobuf'
export type Signal = 'metrics' | 'traces'

export interface OtlpEndpoint {
  protocol: OtlpProtocol
  /** `http://collector:4318`: without path, with port where it is not the scheme's. */
  origin: string
  /** What is posted to. */
  path: string
}

/** Of gRPC without TLS, where the endpoint has none. */
const grpcPort = 4_317

const grpcPaths: Readonly<Record<Signal, string>> = {
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
}

/**
 * Takes URLs, and `host:port`, which means TLS as it does upstream. Without a path, HTTP's is `/v1/metrics` or
 * `/v1/traces`; a path that is there is taken as it is, also `/`. gRPC has a path of its own.
 * @throws {RangeError} when it is none of these
 */
export function parseEndpoint(text: string, protocol: OtlpProtocol, signal: Signal): OtlpEndpoint {
  const url = urlOf(text)
  const isSecure = url.protocol === 'https:'
  if (protocol === 'grpc') {
    const port = url.port === '' && !isSecure ? `:${grpcPort}` : ''
    return { protocol, origin: `${url.protocol}//${url.host}${port}`, path: grpcPaths[signal] }
  }
  const path = hasPath(text) ? url.pathname : `/v1/${signal}`
  return { protocol, origin: url.origin, path }
}

/** The endpoint of all signals, below whose path each has its own. */
export const endpointBelow = (text: string, protocol: OtlpProtocol, signal: Signal): OtlpEndpoint =>
  protocol === 'grpc'
    ? parseEndpoint(text, protocol, signal)
    : { protocol, origin: urlOf(text).origin, path: `${urlOf(text).pathname.replace(/\/+$/, '')}/v1/${signal}` }

function urlOf(text: string): URL {
  const isHostAndPort = !text.includes('//') && /:\d+(?:\/|$)/.test(text)
  const url = URL.parse(isHostAndPort ? `https://${text}` : text)
  if (url === null || url.host === '' || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new RangeError(`${JSON.stringify(text)} is no URL of http or https, and no host:port`)
  }
  return url
}

const hasPath = (text: string): boolean => /^[^/?#]*\//.test(text.replace(/^[a-z]+:\/\//i, ''))
