// Sends metrics and traces as the ConfigMaps `config-observability` of Serving and of Eventing say, from one moment to
// the next. While they ask for nothing there is nothing: no timer, and no tracer.
import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import type { Metrics } from '../../base/metrics.ts'
import type { Random } from '../../base/random.ts'
import { eventingSystemNamespace, servingSystemNamespace } from '../../model/knative/feature-flags.ts'
import { readMetricsExport, readTracesExport } from '../../model/knative/observability-config.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { checkEventingObservabilityConfig, checkObservabilityConfig } from '../../model/serving/config-check/others.ts'
import { observabilityConfigMap } from '../../model/serving/serving-config.ts'
import type { ConfigData } from '../../model/serving/serving-config.ts'
import { activatorScope, autoscalerScope, controllersScope, eventingScope, queueScope } from '../instrument-scopes.ts'
import type { ConfigReader } from '../kind.ts'
import type { Tracer, Tracing } from '../tracing.ts'
import { OtelVariables, resourceFor } from './environment.ts'
import type { Environment } from './environment.ts'
import { LivePart } from './live-part.ts'
import type { OpenTraces, PipelineDeps } from './pipelines.ts'

export interface TelemetryOptions {
  config: ConfigReader
  /** Calls `listener` after each change of an object, until disposed. */
  onChange: (listener: (change: { kind: string; resource: Resource }) => void) => Disposable
  metrics: Metrics
  clock: Clock
  random: Random
  log: Logger
  /** OpenTelemetry's variables are read of it. */
  environment: Environment
  /** Knode's. */
  version: string
}

export interface RunningTelemetry extends AsyncDisposable {
  readonly tracing: Tracing
}

/** Resolves when all is open that the ConfigMaps ask for already. Disposing sends what there is, in bounded time. */
export async function startTelemetry(options: TelemetryOptions): Promise<RunningTelemetry> {
  const { config, onChange, clock, random } = options
  const tracing: Tracers = { serving: undefined, eventing: undefined }
  const variables = new OtelVariables(options.environment, options.log)
  const process = { startedMs: clock.now(), instance: random.uuid() }
  const depsOf = (namespace: string): PipelineDeps => ({
    ...options,
    variables,
    startedMs: process.startedMs,
    log: options.log.child({ configMap: `${namespace}/${observabilityConfigMap}` }),
    resource: resourceFor(options.environment, {
      'service.name': 'knode',
      'service.version': options.version,
      'service.instance.id': process.instance,
      'k8s.namespace.name': namespace,
      'telemetry.sdk.name': 'knode',
      'telemetry.sdk.language': 'nodejs',
      'telemetry.sdk.version': options.version,
    }),
  })
  const serving = depsOf(servingSystemNamespace)
  const eventing = depsOf(eventingSystemNamespace)
  const maps = [
    new FollowedMap(servingSystemNamespace, checkObservabilityConfig, serving.log, [
      metricsPart(readMetricsExport, [activatorScope, autoscalerScope, controllersScope], serving),
      metricsPart((data) => readMetricsExport(data, 'request-'), [queueScope], serving),
      tracesPart(activatorScope, serving, tracing, 'serving'),
    ]),
    new FollowedMap(eventingSystemNamespace, checkEventingObservabilityConfig, eventing.log, [
      metricsPart(readMetricsExport, [eventingScope], eventing),
      tracesPart(eventingScope, eventing, tracing, 'eventing'),
    ]),
  ]
  const following = onChange(({ kind, resource: { metadata } }) => {
    if (kind !== 'ConfigMap' || metadata.name !== observabilityConfigMap) return
    maps.find(({ namespace }) => namespace === metadata.namespace)?.follow(config)
  })
  for (const map of maps) map.follow(config)
  await Promise.all(maps.map((map) => map.settled()))
  return {
    tracing,
    async [Symbol.asyncDispose]() {
      following[Symbol.dispose]()
      await Promise.all(maps.map((map) => map[Symbol.asyncDispose]()))
    },
  }
}

type Tracers = Record<keyof Tracing, Tracer | undefined>
interface Part extends AsyncDisposable {
  follow(data: ConfigData): void
  settled(): Promise<void>
}

/** One of the two ConfigMaps, and all that depends on it. */
class FollowedMap implements AsyncDisposable {
  readonly namespace: string
  #check: (data: ConfigData) => void
  #log: Logger
  #parts: readonly Part[]

  constructor(namespace: string, check: (data: ConfigData) => void, log: Logger, parts: readonly Part[]) {
    this.namespace = namespace
    this.#check = check
    this.#log = log
    this.#parts = parts
  }

  follow(config: ConfigReader): void {
    const data = config.data(this.namespace, observabilityConfigMap)
    try {
      this.#check(data)
    } catch (thrown) {
      return this.#log.warn('the ConfigMap makes no sense, the last good one stays', { reason: messageOf(thrown) })
    }
    for (const part of this.#parts) part.follow(data)
  }

  async settled(): Promise<void> {
    await Promise.all(this.#parts.map((part) => part.settled()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#parts.map((part) => part[Symbol.asyncDispose]()))
  }
}

function metricsPart(
  read: (data: ConfigData) => ReturnType<typeof readMetricsExport>,
  scopes: readonly string[],
  deps: PipelineDeps,
): Part {
  return part(read, 'metrics', deps, async (settings) => {
    const { openMetrics } = await import('./pipelines.ts')
    return openMetrics(settings, new Set(scopes), deps)
  })
}

function tracesPart(scope: string, deps: PipelineDeps, tracing: Tracers, of: keyof Tracing): Part {
  let latest: OpenTraces | undefined
  return part(readTracesExport, 'traces', deps, async (settings) => {
    const { openTraces } = await import('./pipelines.ts')
    // What is under way when this changes goes the new way; what has ended goes the old one.
    const open = await openTraces(settings, scope, (span) => latest?.add(span), deps)
    latest = open
    tracing[of] = open.tracer
    return {
      async [Symbol.asyncDispose]() {
        if (tracing[of] === open.tracer) tracing[of] = undefined
        await open[Symbol.asyncDispose]()
      },
    }
  })
}

function part<Settings>(
  read: (data: ConfigData) => Settings | undefined,
  signal: string,
  { log }: PipelineDeps,
  open: (settings: Settings) => Promise<AsyncDisposable>,
): Part {
  const live = new LivePart<Settings>({
    open,
    onObjection: (reason) => log.warn(`${signal} are not sent as configured, the last good way stays`, { reason }),
    isEqual: isDeepStrictEqual,
  })
  return {
    follow: (data) => live.set(read(data)),
    settled: () => live.settled(),
    [Symbol.asyncDispose]: () => live[Symbol.asyncDispose](),
  }
}
