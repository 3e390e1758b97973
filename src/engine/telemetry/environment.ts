// What OpenTelemetry's own variables say, which count more than ConfigMaps. Source: OpenTelemetry specification,
// "Environment Variable Specification" and "OpenTelemetry Protocol Exporter"; knative/pkg observability/.
import { endpointBelow, parseEndpoint } from '../../model/otlp/endpoint.ts'
import type { OtlpEndpoint, OtlpProtocol, Signal } from '../../model/otlp/endpoint.ts'
import type { Attributes } from '../../model/otlp/common.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** How long one attempt may take, in milliseconds, unless a variable says otherwise. */
const timeoutMsDefault = 10_000

/** @throws {RangeError} when what counts is no endpoint */
export function endpointFor(
  environment: Environment,
  configured: { protocol: OtlpProtocol; endpoint: string },
  signal: Signal,
): OtlpEndpoint {
  const { protocol, endpoint } = configured
  const own = environment[`OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_ENDPOINT`] ?? ''
  if (own !== '') return parseEndpoint(own, protocol, signal)
  const shared = environment['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? ''
  return shared === '' ? parseEndpoint(endpoint, protocol, signal) : endpointBelow(shared, protocol, signal)
}

/** Of one message; names in lower case. */
export function headersFor(environment: Environment, signal: Signal): Record<string, string> {
  const pairs = pairsOf(variable(environment, signal, 'HEADERS'))
  return Object.fromEntries(pairs.map(([name, value]) => [name.toLowerCase(), value]))
}

/** A file with the certificates to trust. */
export const certificateFileFor = (environment: Environment, signal: Signal): string | undefined =>
  variable(environment, signal, 'CERTIFICATE') || undefined

export function timeoutMsFor(environment: Environment, signal: Signal): number {
  const ms = Number(variable(environment, signal, 'TIMEOUT'))
  return ms > 0 ? ms : timeoutMsDefault
}

/** How often metrics are sent, in milliseconds. */
export function intervalMsIn(environment: Environment): number | undefined {
  const ms = Number(environment['OTEL_METRIC_EXPORT_INTERVAL'] ?? '')
  return ms > 0 ? ms : undefined
}

/** As upstream, which takes it for all protocols but `stdout`. */
export function samplingRateIn(environment: Environment): number | undefined {
  const text = environment['OTEL_TRACES_SAMPLER_ARG'] ?? ''
  const rate = Number(text)
  return text === '' || Number.isNaN(rate) ? undefined : rate
}

/** What the process is. Only its name can be chosen; what else the variables say is added. */
export function resourceFor(environment: Environment, own: Attributes & { 'service.name': string }): Attributes {
  const name = environment['OTEL_SERVICE_NAME'] || own['service.name']
  const given = Object.fromEntries(pairsOf(environment['OTEL_RESOURCE_ATTRIBUTES'] ?? ''))
  return { ...given, ...own, 'service.name': name }
}

const variable = (environment: Environment, signal: Signal, name: string): string =>
  environment[`OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_${name}`] || environment[`OTEL_EXPORTER_OTLP_${name}`] || ''

/** `a=1,b=2`, percent-encoded as W3C Baggage. */
function pairsOf(text: string): [string, string][] {
  return text.split(',').flatMap((pair): [string, string][] => {
    const at = pair.indexOf('=')
    const name = pair.slice(0, at).trim()
    return at < 1 || name === '' ? [] : [[name, decoded(pair.slice(at + 1).trim())]]
  })
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
