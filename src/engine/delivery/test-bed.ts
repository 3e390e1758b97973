// A delivery engine for tests: memory transport, fake clock, real sockets, and everything it tells kept.
import { eventually } from '../../base/eventually.ts'
import { FakeClock } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/log.ts'
import { createMetrics } from '../../base/metrics.ts'
import type { Metrics } from '../../base/metrics.ts'
import { cloudEvent } from '../../model/cloudevents/event.ts'
import type { AttributeValue, CloudEvent } from '../../model/cloudevents/event.ts'
import { openEventTransport } from '../../ports/event-transport/open.ts'
import type { EventStream, EventTransport, StreamOptions } from '../../ports/event-transport/port.ts'
import { createFlowFeed } from '../flow.ts'
import type { FlowFact } from '../flow.ts'
import type { DispatchSpec, Endpoint } from '../reconciler.ts'
import { createDeliveryEngine } from './engine.ts'
import type { DeliveryEngineOptions, RunningDeliveryEngine } from './engine.ts'
import { startSubscriber } from './scripted-subscriber.ts'
import type { Script, ScriptedSubscriber } from './scripted-subscriber.ts'
import type { GiveUp, TroubleChange } from './telemetry.ts'

export interface TestBed extends AsyncDisposable {
  clock: FakeClock
  engine: RunningDeliveryEngine
  transport: EventTransport
  stream: EventStream
  metrics: Metrics
  facts: FlowFact[]
  giveUps: GiveUp[]
  troubles: TroubleChange[]
  /** In-process endpoints by `host path`. */
  endpoints: Map<string, Endpoint>
  subscriber(script: Script): Promise<ScriptedSubscriber>
  /** A Trigger on the stream, unless told otherwise; delivers from the earliest event. */
  dispatch(spec?: Partial<DispatchSpec>): Promise<AsyncDisposable>
  append(event?: CloudEvent, headers?: Record<string, string>): Promise<void>
  /** Resolves when there were `count` facts of this kind. */
  until(what: FlowFact['what'], count?: number): Promise<FlowFact>
  /** The value of a gauge for the only consumer, by its printed name. */
  gauge(name: string): number
  /** How many events ended this way. */
  outcome(name: string): number
}

export async function aTestBed(
  options: Partial<DeliveryEngineOptions> & { stream?: StreamOptions } = {},
): Promise<TestBed> {
  await using starting = new AsyncDisposableStack()
  const clock = new FakeClock()
  const metrics = createMetrics()
  const flow = createFlowFeed()
  const facts: FlowFact[] = []
  flow.subscribe((fact) => void facts.push(fact))
  const transport = starting.use(await openEventTransport({ driver: 'memory', clock, log: silentLogger }))
  const stream = await transport.ensureStream('shop', options.stream)
  const endpoints = new Map<string, Endpoint>()
  const giveUps: GiveUp[] = []
  const troubles: TroubleChange[] = []
  const engine = starting.use(
    createDeliveryEngine({
      transport,
      endpoints: {
        find: (host, path) => endpoints.get(`${host} ${path}`),
        add: () => ({ [Symbol.dispose]: () => {} }),
      },
      addresses: { gatewayUrl: 'http://127.0.0.1:1', apiUrl: 'http://127.0.0.1:2', serviceDomain: 'example.test:1' },
      clock,
      log: silentLogger,
      metrics,
      flow,
      onGiveUp: (notice) => void giveUps.push(notice),
      onTrouble: (change) => void troubles.push(change),
      ...options,
    }),
  )
  const resources = starting.move()
  return {
    clock,
    engine,
    transport,
    stream,
    metrics,
    facts,
    giveUps,
    troubles,
    endpoints,
    subscriber: async (script) => resources.use(await startSubscriber(script)),
    async dispatch(spec) {
      const owner = { kind: 'Trigger.eventing.knative.dev', namespace: 'default', name: 'orders', uid: 'uid-1' }
      return await engine.dispatch({ owner, stream: 'shop', consumer: 'uid-1', contract: 'trigger', ...spec })
    },
    append: async (event = anEvent(), headers = {}) => void (await stream.append({ event, headers })),
    async until(what, count = 1) {
      const found = (): FlowFact[] => facts.filter((fact) => fact.what === what)
      const saw = (): string => facts.map((fact) => [fact.what, fact.message].filter(Boolean).join(' ')).join(', ')
      await eventually(
        () => found().length >= count,
        () => `${count} × ${what}; there was: ${saw() || 'nothing'}`,
      )
      return found()[count - 1]!
    },
    gauge(name) {
      const line = metrics
        .prometheus()
        .split('\n')
        .find((text) => text.startsWith(`${name}{`))
      return Number(line?.split(' ').at(-1))
    },
    outcome(name) {
      const pattern = new RegExp(`knode_delivery_events_total\\{[^}]*outcome="${name}"\\} (\\d+)`)
      return Number(pattern.exec(metrics.prometheus())?.[1] ?? 0)
    },
    async [Symbol.asyncDispose]() {
      const closing = resources.disposeAsync()
      // Long enough for what hangs to be cut.
      await clock.advance(60_000)
      await closing
    },
  }
}

export const anEvent = (attributes: Record<string, AttributeValue> = {}, data = '{"cups":1}'): CloudEvent =>
  cloudEvent({ id: '1', source: '/shop', type: 'order', datacontenttype: 'application/json', ...attributes }, data)

/** An answer that waits until it is let go. */
export function aGate() {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => (open = resolve))
  return { open, answer: async () => (await opened, { status: 200 }) }
}

/** The ids of the events in requests, in order: `1 2 3`. */
export const eventIds = (requests: { headers: Record<string, string> }[]): string =>
  requests.map(({ headers }) => headers['ce-id']).join(' ')
