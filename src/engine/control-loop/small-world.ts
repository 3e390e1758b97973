// For tests: a store, caches over it, a client and running controllers, all on a fake clock.
import { FakeClock } from '../../base/fake-clock.ts'
import { createLogger } from '../../base/log.ts'
import { createMetrics } from '../../base/metrics.ts'
import type { Metrics } from '../../base/metrics.ts'
import { conditionOf } from '../../model/duck/conditions.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { openResourceStore } from '../../ports/resource-store/open.ts'
import type { ResourceStore } from '../../ports/resource-store/port.ts'
import { kindId } from '../kind.ts'
import type { KindDefinition } from '../kind.ts'
import type { Reconciler } from '../reconciler.ts'
import { openCaches } from './caches.ts'
import type { OpenCaches } from './caches.ts'
import { FakeClient } from './fake-client.ts'
import { fakeDeps } from './reconcile-once.ts'
import { startControllers } from './start-controllers.ts'

export interface SmallWorld extends AsyncDisposable {
  store: ResourceStore
  caches: OpenCaches
  client: FakeClient
  clock: FakeClock
  metrics: Metrics
  /** Messages of log lines at `warn` and above. */
  warnings: string[]
  /** All that can happen now has happened. */
  settled(): Promise<void>
  /** Moves time on, letting everything settle. */
  advance(byMs: number): Promise<void>
  /** `status reason: message` of a condition as stored. */
  condition(kind: string, name: string, type?: string): Promise<string | undefined>
  /** `reason: message xcount` of all Events, in order of their first appearance. */
  events(): Promise<string[]>
}

export interface SmallWorldOptions {
  kinds: KindDefinition[]
  /** Objects that are there before the controllers start. */
  stored?: Resource[]
  store?: ResourceStore
  clock?: FakeClock
  /** @default a FakeClient */
  clientOver?(client: FakeClient): FakeClient
}

export const eventKind: KindDefinition = {
  group: '',
  kind: 'Event',
  plural: 'events',
  builtIn: true,
  versions: [{ name: 'v1', schema: {}, columns: [] }],
}

export async function startSmallWorld(options: SmallWorldOptions): Promise<SmallWorld> {
  const clock = options.clock ?? new FakeClock()
  const kinds = [...options.kinds, eventKind]
  const store = options.store ?? (await openResourceStore({ driver: 'memory' }))
  const fake = new FakeClient({ store, clock, kinds })
  const client = options.clientOver?.(fake) ?? fake
  for (const object of options.stored ?? []) await fake.create(object)
  const warnings: string[] = []
  const log = createLogger({ level: 'warn', clock, write: (line) => void warnings.push(line) })
  const metrics = createMetrics()
  const caches = await openCaches({ store, kinds, clock, log })
  const deps = { ...fakeDeps({ clock, client, caches, endpoints: [] }), log, metrics }
  const controllers = await startControllers({ kinds, caches, deps })
  const condition: SmallWorld['condition'] = async (kind, name, type = 'Ready') => {
    const definition = kinds.find((known) => known.kind === kind)!
    const object = await client.get(kindId(definition), 'shop', name)
    const found = object && conditionOf(object, type)
    return found && [found.status, found.reason, found.message && `: ${found.message}`].filter(Boolean).join(' ')
  }
  return {
    store,
    caches,
    client,
    clock,
    metrics,
    warnings,
    settled: () => controllers.settled(),
    async advance(byMs) {
      await controllers.settled()
      await clock.advance(byMs)
      await controllers.settled()
    },
    condition,
    async events() {
      const items = await client.list<Resource & { reason: string; message: string; count: number }>('Event')
      return items.map(({ reason, message, count }) => `${reason}: ${message} x${count}`)
    },
    async [Symbol.asyncDispose]() {
      await controllers[Symbol.asyncDispose]()
      await caches[Symbol.asyncDispose]()
    },
  }
}

/** A custom kind of group `test.knode.dev`. */
export function aKind(kind: string, reconciler?: Reconciler, more: Partial<KindDefinition> = {}): KindDefinition {
  return {
    group: 'test.knode.dev',
    kind,
    plural: `${kind.toLowerCase()}s`,
    versions: [{ name: 'v1', schema: {}, columns: [] }],
    ...(reconciler === undefined ? {} : { reconciler: () => reconciler }),
    ...more,
  }
}

/** An object of such a kind in namespace `shop`. */
export function anObject(
  kind: string,
  name: string,
  more: Partial<Omit<Resource, 'metadata'>> & { metadata?: object } = {},
): Resource {
  const { metadata, ...rest } = more
  return { apiVersion: 'test.knode.dev/v1', kind, ...rest, metadata: { name, namespace: 'shop', ...metadata } }
}
