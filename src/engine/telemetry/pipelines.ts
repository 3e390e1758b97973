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
import type { OtelVariables } from './environment.ts'
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
  variables: OtelVariables
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
/** How long a message of metrics is tried, in milliseconds, and never after the next is due: OpenTelemetry's default. */
const exportMsDefault = 30_000

/** @throws {Error} when the endpoint is none, or a certificate cannot be read */
export async function openMetrics(
  settings: MetricsSettings,
  scopes: ReadonlySet<string>,
  deps: PipelineDeps,
): Promise<AsyncDisposable> {
  const exporter = await openExporter(settings, 'metrics', deps)
  const wantedMs = deps.variables.metricsIntervalMs() ?? settings.intervalMs ?? intervalMsDefault
  const intervalMs = Math.max(wantedMs, intervalMsMin)
  const exportMs = deps.variables.metricsExportMs() ?? Math.min(exportMsDefault, intervalMs)
  return new MetricsExport({ ...deps, scopes, intervalMs, exportMs, exporter })
}

export interface OpenTraces extends AsyncDisposable {
  tracer: Tracer
  /** Takes each span that has ended, also those of an earlier tracer. */
  add: (span: FinishedSpan) => void
}

/**
 * @param onEnd takes what the tracer has recorded: its spans may end when something else is open than now
 * @throws {Error} see {@link openMetrics}
 */
export async function openTraces(
  settings: TracesSettings,
  scope: string,
  onEnd: (span: FinishedSpan) => void,
  deps: PipelineDeps,
): Promise<OpenTraces> {
  const { clock, random, log, variables, metrics } = deps
  if (settings.protocol === 'stdout') {
    const tracer = createTracer({ scope, samplingRate: 1, clock, random, onEnd })
    const add = (span: FinishedSpan): void => log.info('span', shown(span))
    return { tracer, add, [Symbol.asyncDispose]: () => Promise.resolve() }
  }
  const counter = metrics.counter('knode.telemetry.spans', 'Spans that were recorded, by what became of them')
  const exporter = await openExporter(settings, 'traces', deps)
  const batch = new SpanBatch({ ...deps, exporter, limits: variables.batchLimits(), counter })
  const samplingRate = variables.samplingRate() ?? settings.samplingRate
  const tracer = createTracer({ scope, samplingRate, clock, random, onEnd })
  return { tracer, add: (span) => batch.add(span), [Symbol.asyncDispose]: () => batch[Symbol.asyncDispose]() }
}

async function openExporter(
  settings: { protocol: OtlpProtocol; endpoint: string },
  signal: Signal,
  { clock, random, log, variables }: PipelineDeps,
): Promise<Exporter> {
  const { origin, path, protocol } = variables.endpoint(settings, signal)
  const caFile = variables.certificateFile(signal)
  const ca = caFile === undefined ? undefined : await readFile(caFile, 'utf8')
  const options = {
    origin,
    path,
    headers: variables.headers(signal),
    timeoutMs: variables.timeoutMs(signal),
    compression: variables.compression(signal),
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
