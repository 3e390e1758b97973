// What OpenTelemetry's own variables say, which count more than ConfigMaps. Source: OpenTelemetry specification,
// "Environment Variable Specification" and "OpenTelemetry Protocol Exporter"; knative/pkg observability/.
import { messageOf } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import { endpointBelow, parseEndpoint } from '../../model/otlp/endpoint.ts'
import type { OtlpEndpoint, OtlpProtocol, Signal } from '../../model/otlp/endpoint.ts'
import type { Attributes } from '../../model/otlp/common.ts'
import type { Compression } from './otlp-client.ts'
import type { BatchLimits } from './span-batch.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** How long one attempt may take, in milliseconds, unless a variable says otherwise. */
const timeoutMsDefault = 10_000
/** The largest number that OpenTelemetry asks to understand; as a time limit, in milliseconds, it stands for none. */
const numberMax = 2_147_483_647
/** The specification's, in the order of the variables' table. */
const batchDefaults: BatchLimits = { delayMs: 5_000, exportMs: 30_000, waitingMax: 2_048, batchMax: 512 }

/** What the protocols themselves say with each message. */
const takenHeaders: ReadonlySet<string> = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'grpc-accept-encoding',
  'grpc-encoding',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])
const token = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/

/** Whatever makes no sense is told once, and taken for what is not set. */
export class OtelVariables {
  #values: Environment
  #log: Logger
  #told = new Set<string>()

  constructor(values: Environment, log: Logger) {
    this.#values = values
    this.#log = log
  }

  /** @throws {RangeError} when what counts is no endpoint */
  endpoint(configured: { protocol: OtlpProtocol; endpoint: string }, signal: Signal): OtlpEndpoint {
    const { protocol, endpoint } = configured
    const [own, shared] = namesOf(signal, 'ENDPOINT')
    const given = [own, shared].find((name) => this.#text(name) !== '')
    if (given === undefined) return parseEndpoint(endpoint, protocol, signal)
    const parse = given === own ? parseEndpoint : endpointBelow
    try {
      return parse(this.#text(given), protocol, signal)
    } catch (thrown) {
      throw new RangeError(`${given}: ${messageOf(thrown)}`, { cause: thrown })
    }
  }

  /** Of one message; names in lower case. What cannot be sent is left out. */
  headers(signal: Signal): Record<string, string> {
    const given = namesOf(signal, 'HEADERS').find((name) => this.#text(name) !== '')
    if (given === undefined) return {}
    const headers: Record<string, string> = {}
    pairsOf(this.#text(given)).forEach((pair, at) => {
      const name = pair?.[0].toLowerCase() ?? ''
      // Values are secrets, and so may be what stands where a name should.
      if (pair === undefined || !token.test(name) || !fieldValue.test(pair[1])) {
        this.#object(given, `pair ${at + 1} is no header`)
      } else if (takenHeaders.has(name)) this.#object(given, `pair ${at + 1} is a header that the protocol has taken`)
      else headers[name] = pair[1]
    })
    return headers
  }

  /** A file with the certificates to trust. */
  certificateFile(signal: Signal): string | undefined {
    const [own, shared] = namesOf(signal, 'CERTIFICATE')
    return this.#text(own) || this.#text(shared) || undefined
  }

  compression(signal: Signal): Compression {
    for (const name of namesOf(signal, 'COMPRESSION')) {
      const text = this.#text(name).toLowerCase()
      if (text === 'gzip' || text === 'none') return text
      if (text !== '') this.#object(name, `${JSON.stringify(text)} is neither "gzip" nor "none"`)
    }
    return 'none'
  }

  /** Of one attempt, in milliseconds. */
  timeoutMs(signal: Signal): number {
    const [own, shared] = namesOf(signal, 'TIMEOUT')
    return this.#limitMs(own) ?? this.#limitMs(shared) ?? timeoutMsDefault
  }

  /** How often metrics are sent, in milliseconds. */
  metricsIntervalMs(): number | undefined {
    return this.#number('OTEL_METRIC_EXPORT_INTERVAL', { min: 1 })
  }

  /** How long a message of metrics is tried, in milliseconds. */
  metricsExportMs(): number | undefined {
    return this.#limitMs('OTEL_METRIC_EXPORT_TIMEOUT')
  }

  batchLimits(): BatchLimits {
    const waitingMax = this.#number('OTEL_BSP_MAX_QUEUE_SIZE', { min: 1 }) ?? batchDefaults.waitingMax
    const size = 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE'
    const batchMax = this.#number(size, { min: 1 }) ?? Math.min(batchDefaults.batchMax, waitingMax)
    const isTooMuch = batchMax > waitingMax
    if (isTooMuch) this.#object(size, `${batchMax} is more than ${waitingMax}, which is all that may wait`)
    return {
      delayMs: this.#number('OTEL_BSP_SCHEDULE_DELAY', { min: 0 }) ?? batchDefaults.delayMs,
      exportMs: this.#limitMs('OTEL_BSP_EXPORT_TIMEOUT') ?? batchDefaults.exportMs,
      waitingMax,
      batchMax: isTooMuch ? Math.min(batchDefaults.batchMax, waitingMax) : batchMax,
    }
  }

  /** As upstream, which takes it for all protocols but `stdout`. */
  samplingRate(): number | undefined {
    const name = 'OTEL_TRACES_SAMPLER_ARG'
    const text = this.#text(name)
    const rate = Number(text)
    if (text === '' || (rate >= 0 && rate <= 1)) return text === '' ? undefined : rate
    this.#object(name, `${JSON.stringify(text)} is no number from 0 to 1`)
    return undefined
  }

  /** A time limit in milliseconds: 0 is none. */
  #limitMs(name: string): number | undefined {
    const ms = this.#number(name, { min: 0 })
    return ms === 0 ? numberMax : ms
  }

  #number(name: string, { min }: { min: number }): number | undefined {
    const text = this.#text(name)
    if (text === '') return undefined
    const number = /^\d+$/.test(text) ? Number(text) : NaN
    if (number >= min && number <= numberMax) return number
    this.#object(name, `${JSON.stringify(text)} is no whole number from ${min} to ${numberMax}`)
    return undefined
  }

  /** Empty is as good as not set. */
  #text(name: string): string {
    return this.#values[name]?.trim() ?? ''
  }

  #object(variable: string, reason: string): void {
    if (this.#told.has(variable)) return
    this.#told.add(variable)
    this.#log.warn('a variable of OpenTelemetry makes no sense and is ignored', { variable, reason })
  }
}

/** What the process is. Only its name can be chosen; what else the variables say is added. */
export function resourceFor(environment: Environment, own: Attributes & { 'service.name': string }): Attributes {
  const pairs = pairsOf(environment['OTEL_RESOURCE_ATTRIBUTES'] ?? '').filter((pair) => pair !== undefined)
  const given = Object.fromEntries(pairs)
  const name = environment['OTEL_SERVICE_NAME'] || given['service.name'] || own['service.name']
  return { ...given, ...own, 'service.name': name }
}

/** The variable of one signal, which counts more, and that of all. */
const namesOf = (signal: Signal, what: string): [own: string, shared: string] => [
  `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_${what}`,
  `OTEL_EXPORTER_OTLP_${what}`,
]

/** `a=1,b=2`, percent-encoded as W3C Baggage; `undefined` for what is no pair. */
function pairsOf(text: string): ([string, string] | undefined)[] {
  const parts = text.split(',').filter((part) => part.trim() !== '')
  return parts.map((part) => {
    const at = part.indexOf('=')
    const name = part.slice(0, at).trim()
    return at < 1 || name === '' ? undefined : [name, decoded(part.slice(at + 1).trim())]
  })
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
