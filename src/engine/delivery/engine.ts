// The delivery engine: what app/ starts and kinds use. Contract: DeliveryEngine of engine/reconciler.ts.
import { sleep } from '../../base/clock.ts'
import type { Clock } from '../../base/clock.ts'
import { KnodeError } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import type { Labels, Metrics } from '../../base/metrics.ts'
import type { EventStream, EventTransport } from '../../ports/event-transport/port.ts'
import type { FlowFeed } from '../flow.ts'
import { eventingScope } from '../instrument-scopes.ts'
import type {
  Addresses,
  DeliveryEngine,
  DispatchSpec,
  EndpointOptions,
  EndpointTable,
  EventEndpoint,
} from '../reconciler.ts'
import { noTracing } from '../tracing.ts'
import type { Tracing } from '../tracing.ts'
import { Dispatcher } from './dispatcher.ts'
import { createHttpClient } from './http-client.ts'
import type { HttpClient } from './http-client.ts'
import { brokerEndpoint, channelEndpoint } from './ingress.ts'
import { resolveLimits } from './limits.ts'
import type { DeliveryLimits } from './limits.ts'
import type { Replay, ReplayOptions } from './replay.ts'
import { Replays } from './replays.ts'
import { createConsentAsker, createSender } from './send.ts'
import { createSourceSender } from './source-sender.ts'
import { StreamHub } from './stream-hub.ts'
import { DispatchTelemetry } from './telemetry.ts'
import type { GiveUp, TroubleChange } from './telemetry.ts'

export interface DeliveryEngineOptions {
  transport: EventTransport
  endpoints: EndpointTable
  /** Read when needed: a gateway on a free port knows its address late. */
  addresses: Addresses
  clock: Clock
  log: Logger
  metrics: Metrics
  /** @default nothing is recorded */
  tracing?: Tracing
  flow: FlowFeed
  limits?: Partial<DeliveryLimits>
  /** Told of each event that did not reach its subscriber. Must not throw. */
  onGiveUp?: (notice: GiveUp) => void
  /** Told when events begin or cease to wait for a subscriber. Must not throw. */
  onTrouble?: (change: TroubleChange) => void
  /** @default one of its own, over undici */
  http?: HttpClient
}

export interface RunningDeliveryEngine extends DeliveryEngine, AsyncDisposable {
  /**
   * Begins to send stored events once more to a consumer that is delivered to now, and only to it; live delivery and its
   * position stay as they are. It stops when the dispatch does.
   * @throws {KnodeError} NOT_FOUND when nothing is delivered to the consumer, CONFLICT when it is paused or has a replay
   */
  replay(consumer: string, options: ReplayOptions): Replay
}

interface Running {
  dispatcher: Dispatcher
  telemetry: DispatchTelemetry
  spec: DispatchSpec
  hub: StreamHub
  stream: EventStream
  /** Events there were, and events still to be seen to, when it started. */
  startNext: number
  startLag: number
}

/** A door, and what it was made with that may change. */
interface Door {
  endpoint: EventEndpoint
  dedupMs: number | undefined
}

export function createDeliveryEngine(options: DeliveryEngineOptions): RunningDeliveryEngine {
  const { transport, endpoints, addresses, clock, metrics, tracing = noTracing } = options
  const limits = resolveLimits(options.limits)
  const http = options.http ?? createHttpClient({ clock, limits })
  const send = createSender({ http, endpoints, clock, tracing })
  const askConsent = createConsentAsker({ http, endpoints })
  /** Of a stream that was deleted nothing is kept. */
  const hubs = new WeakMap<EventStream, StreamHub>()
  const replays = new Replays({ ...options, send, askConsent, limits })
  const running = new Map<string, Running>()
  const doors = {
    broker: new WeakMap<EventStream, Door>(),
    channel: new WeakMap<EventStream, Door>(),
  }
  const doorDeps = { ...options, tracing, limits }
  const listeners = new Map<string, Set<() => void>>()

  /** The stream's hub, with the consumer in it: were it empty for a moment, it might be given up in that moment. */
  const hubWith = async (spec: DispatchSpec): Promise<StreamHub> => {
    const stream = transport.stream(spec.stream) ?? (await transport.ensureStream(spec.stream))
    const hub = hubs.get(stream) ?? new StreamHub(stream, options)
    hub.add(spec)
    hubs.set(stream, hub)
    return hub
  }
  const door = (kind: keyof typeof doors, { stream, dedupMs }: EndpointOptions, make: () => EventEndpoint) => {
    let made = doors[kind].get(stream)
    if (made === undefined || made.dedupMs !== dedupMs) {
      doors[kind].set(stream, (made = { endpoint: make(), dedupMs }))
    }
    return made.endpoint
  }
  gauges(metrics, running)

  return {
    async dispatch(spec) {
      const hub = await hubWith(spec)
      const telemetry = new DispatchTelemetry(spec, {
        ...options,
        onTrouble(change) {
          options.onTrouble?.(change)
          for (const listener of listeners.get(spec.consumer) ?? []) listener()
        },
      })
      const dispatcher = new Dispatcher(spec, {
        stream: hub.stream,
        send,
        askConsent,
        addresses,
        clock,
        limits,
        telemetry,
      })
      const key = keyOf(spec.stream, spec.consumer)
      const before = hub.stream.info()
      await dispatcher.start(spec.consumer)
      const startLag = before.consumers.find(({ name }) => name === spec.consumer)?.lag ?? 0
      const entry = { dispatcher, telemetry, spec, hub, stream: hub.stream, startNext: before.nextOffset, startLag }
      running.set(key, entry)
      return {
        async [Symbol.asyncDispose]() {
          if (running.get(key) === entry) running.delete(key)
          const stopped = replays.stop(spec.consumer, 'the subscriber, its filters or its delivery changed')
          await Promise.all([stopped, dispatcher[Symbol.asyncDispose]()])
        },
      }
    },
    async forget(streamName, consumer) {
      const stream = transport.stream(streamName)
      if (stream === undefined) return
      await stream.deleteConsumer(consumer)
      const hub = hubs.get(stream)
      hub?.remove(consumer)
      if (hub?.isEmpty === true) hubs.delete(stream)
    },
    send: createSourceSender({ send, addresses, limits, wait: (ms, signal) => sleep(clock, ms, signal) }),
    brokerEndpoint: (endpoint) => door('broker', endpoint, () => brokerEndpoint(endpoint, doorDeps)),
    channelEndpoint: (endpoint) => door('channel', endpoint, () => channelEndpoint(endpoint, doorDeps)),
    trouble(consumer) {
      for (const { spec, dispatcher } of running.values()) if (spec.consumer === consumer) return dispatcher.trouble
      return undefined
    },
    onTrouble(consumer, listener) {
      const those = listeners.get(consumer) ?? new Set()
      listeners.set(consumer, those.add(listener))
      return {
        [Symbol.dispose]() {
          those.delete(listener)
          if (those.size === 0 && listeners.get(consumer) === those) listeners.delete(consumer)
        },
      }
    },
    replay(consumer, wanted) {
      const entry = [...running.values()].find(({ spec }) => spec.consumer === consumer)
      if (entry === undefined) throw new KnodeError('NOT_FOUND', `nothing is delivered to consumer ${consumer} now`)
      return replays.start(entry.spec, entry.hub, wanted)
    },
    async [Symbol.asyncDispose]() {
      const ending = [...running.values()].flatMap(({ dispatcher, spec }) => [
        replays.stop(spec.consumer, 'Knode stops'),
        dispatcher[Symbol.asyncDispose](),
      ])
      await Promise.all(ending)
      running.clear()
      await http[Symbol.asyncDispose]()
    },
  }
}

const keyOf = (stream: string, consumer: string): string => `${stream}\n${consumer}`

/** Events are conserved: those accepted are delivered, dead-lettered, dropped, expired, filtered out or pending. */
function gauges(metrics: Metrics, running: ReadonlyMap<string, Running>): void {
  const meter = metrics.scope(eventingScope)
  function* each(read: (entry: Running, lag: number, accepted: number) => number): Iterable<[Labels, number]> {
    for (const entry of running.values()) {
      const { kind, namespace, name } = entry.spec.owner
      const { consumers, nextOffset } = entry.stream.info()
      const lag = consumers.find((consumer) => consumer.name === entry.spec.consumer)?.lag ?? 0
      const labels = { kind: kind.split('.')[0]!.toLowerCase(), namespace, name }
      yield [labels, read(entry, lag, nextOffset - entry.startNext + entry.startLag)]
    }
  }
  const ended = ({ telemetry }: Running): number =>
    Object.values(telemetry.outcomes).reduce((sum, count) => sum + count, 0)
  meter.gauge('knode.delivery.accepted', 'Events for a consumer to see to, since it started', () =>
    each((_entry, _lag, accepted) => accepted),
  )
  meter.gauge('knode.delivery.pending', 'Events a consumer has still to see to', () => each((_entry, lag) => lag))
  meter.gauge('knode.delivery.filtered', 'Events a consumer did not want, since it started', () =>
    each((entry, lag, accepted) => Math.max(0, accepted - lag - ended(entry))),
  )
}
