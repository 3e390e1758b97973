// Puts together what sends, as one ConfigMap asks for it. Loaded when the first does.
import { readFile } from 'node:fs/promises'
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/log.ts'
import type { Metrics } from '../../base/metrics.ts'
import type { Random } from '../../base/random.ts'
import type {
  MetricsExport as MetricsSettings,
  TracesExport as TracesSettings,
} from '../../model/knative/observability-config.ts'
import type { Attributes } from '../../model/otlp/common.ts'
import type { OtlpProtocol, Signal } from '../../model/otlp/endpoint.ts'
import type { FinishedSpan } from '../../model/otlp/span.ts'
import type { Tracer } from '../tracing.ts'
import {
  certificateFileFor,
  endpointFor,
  headersFor,
  intervalMsIn,
  samplingRateIn,
  timeoutMsFor,
} from './environment.ts'
import type { Environment } from './environment.ts'
import { Exporter } from './exporter.ts'
import { MetricsExport } from './metrics-export.ts'
import { createGrpcClient } from './otlp-grpc.ts'
import { createHttpClient } from './otlp-http.ts'
import { SpanBatch } from './span-batch.ts'
import { createTracer } from './tracer.ts'

export interface PipelineDeps {
  metrics: Metrics
  clock: Clock
  random: Random
  log: Logger
  environment: Environment
  /** What everything that is sent belongs to. */
  resource: Attributes
  /** Knode's. */
  version: string
  /** Since when the metrics count, in milliseconds since 1970. */
  startedMs: number
}

/** OpenTelemetry's default, in milliseconds. */
const intervalMsDefault = 60_000
/** Nothing is gained by more. */
const intervalMsMin = 1_000

/** @throws {Error} when the endpoint is none, or a certificate cannot be read */
export async function openMetrics(
  settings: MetricsSettings,
  scopes: ReadonlySet<string>,
  deps: PipelineDeps,
): Promise<AsyncDisposable> {
  const exporter = await openExporter(settings, 'metrics', deps)
  const wantedMs = intervalMsIn(deps.environment) ?? settings.intervalMs ?? intervalMsDefault
  return new MetricsExport({ ...deps, scopes, intervalMs: Math.max(wantedMs, intervalMsMin), exporter })
}

export interface OpenTraces extends AsyncDisposable {
  tracer: Tracer
}

/** @throws {Error} see {@link openMetrics} */
export async function openTraces(settings: TracesSettings, scope: string, deps: PipelineDeps): Promise<OpenTraces> {
  const { clock, random, log, environment, metrics } = deps
  if (settings.protocol === 'stdout') {
    const tracer = createTracer({
      scope,
      samplingRate: 1,
      clock,
      random,
      onEnd: (span) => log.info('span', shown(span)),
    })
    return { tracer, [Symbol.asyncDispose]: () => Promise.resolve() }
  }
  const counter = metrics.counter('knode.telemetry.spans', 'Spans that were recorded, by what became of them')
  const exporter = await openExporter(settings, 'traces', deps)
  const batch = new SpanBatch({ ...deps, exporter, counter })
  const samplingRate = samplingRateIn(environment) ?? settings.samplingRate
  const tracer = createTracer({ scope, samplingRate, clock, random, onEnd: (span) => batch.add(span) })
  return { tracer, [Symbol.asyncDispose]: () => batch[Symbol.asyncDispose]() }
}

async function openExporter(
  settings: { protocol: OtlpProtocol; endpoint: string },
  signal: Signal,
  { clock, random, log, environment }: PipelineDeps,
): Promise<Exporter> {
  const { origin, path, protocol } = endpointFor(environment, settings, signal)
  const caFile = certificateFileFor(environment, signal)
  const ca = caFile === undefined ? undefined : await readFile(caFile, 'utf8')
  const headers = headersFor(environment, signal)
  const options = {
    origin,
    path,
    headers,
    timeoutMs: timeoutMsFor(environment, signal),
    ...(ca !== undefined && { ca }),
  }
  const client = protocol === 'grpc' ? createGrpcClient(options, clock) : createHttpClient(options, clock)
  const endpoint = protocol === 'grpc' ? origin : `${origin}${path}`
  return new Exporter({ signal, client, clock, random, log: log.child({ protocol, endpoint }) })
}

/** A span as a line of the log. */
const shown = ({ traceId, spanId, parentSpanId, name, kind, startMs, endMs, attributes, error }: FinishedSpan) => ({
  name,
  kind,
  traceId,
  spanId,
  ...(parentSpanId !== '' && { parentSpanId }),
  startTime: new Date(startMs).toISOString(),
  tookMs: Math.round((endMs - startMs) * 1e3) / 1e3,
  ...(error !== undefined && { error }),
  attributes,
})
