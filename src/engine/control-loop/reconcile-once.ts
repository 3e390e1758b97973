// For tests of kinds: one reconcile of one object in a small world of stored objects, and all that came of it.
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FakeClock } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/log.ts'
import { createMetrics } from '../../base/metrics.ts'
import { seededRandom } from '../../base/random.ts'
import { conditionOf } from '../../model/duck/conditions.ts'
import type { Condition } from '../../model/duck/types.ts'
import { controllerOf, namespacedName, parseApiVersion } from '../../model/kubernetes/resource.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { openResourceStore } from '../../ports/resource-store/open.ts'
import { kindIdOf } from '../children.ts'
import { createFlowFeed } from '../flow.ts'
import { createPodTable } from '../pod-table.ts'
import type { ConfigReader, KindDefinition, KindId } from '../kind.ts'
import type { Caches, EndpointProvider, KindDeps, ResourceClient, Workers } from '../reconciler.ts'
import type { RevisionDoors } from '../serving.ts'
import type { OpenCaches } from './caches.ts'
import { FakeClient } from './fake-client.ts'
import { createContext } from './reconcile-context.ts'
import { reconcileObject } from './reconcile-object.ts'
import type { KindOf } from './sink-resolver.ts'

export interface ReconcileOnceOptions {
  /** The kind under test; it must have a reconciler. */
  kind: KindDefinition
  /** Other objects that are stored: what it refers to, its children, ConfigMaps. @default none */
  stored?: Resource[]
  /** Kinds that destinations may name, where the guess `<kind in lower case>s`, namespaced, would be wrong. */
  kinds?: KindDefinition[]
  /** Replaces parts of the fake world. `transport`, `delivery`, `runtime`, `autoscaler` and `revisions.open` are absent unless
   * given; no door of a Revision is open. */
  deps?: Partial<KindDeps>
  /** Call `finalize` in place of `reconcile`. @default false */
  finalize?: boolean
  /** Workers that are there already, by name. @default none */
  workers?: Map<string, unknown>
  /** Also start and, when the run is over, stop what `workers.ensure` is given. @default false */
  startWorkers?: boolean
}

export interface ReconcileRun<Object extends Resource> {
  /** The object with its new status. */
  object: Object
  status: NonNullable<Object['status']>
  /** Status, reason and message of a condition; absent ones are left out. */
  condition: (type: string) => Pick<Condition, 'status' | 'reason' | 'message'> | undefined
  /** Children as stored by `apply`, in order. */
  applied: Resource[]
  /** Children deleted by `remove`, as `Kind.group namespace/name`. */
  removed: string[]
  events: { type: 'Normal' | 'Warning'; reason: string; message: string }[]
  /** Specs of the workers that would run now, by name. */
  workers: Map<string, unknown>
  /** The shortest wait that was asked for. */
  requeueAfterMs: number | undefined
  /** What the reconciler threw. */
  thrown: unknown
  /** All objects that are stored now, the one under test included. */
  stored: () => Promise<Resource[]>
  /** What the kind registered at the gateway. */
  endpoints: EndpointProvider[]
}

export async function reconcileOnce<Object extends Resource>(
  object: Object,
  options: ReconcileOnceOptions,
): Promise<ReconcileRun<Object>> {
  const { kind, stored = [], finalize = false, startWorkers = false } = options
  const clock = (options.deps?.clock as FakeClock | undefined) ?? new FakeClock()
  const store = await openResourceStore({ driver: 'memory' })
  const client = options.deps?.client ?? new FakeClient({ store, clock })
  const inTheWorld = await Promise.all([object, ...stored].map((each) => asStored(each, client)))
  const caches = cachesOver(inTheWorld)
  const endpoints: EndpointProvider[] = []
  const reconciler = kind.reconciler?.({ ...fakeDeps({ clock, client, caches, endpoints }), ...options.deps })
  if (reconciler === undefined) throw new Error(`${kind.kind} has no reconciler`)

  const applied: Resource[] = []
  const removed: string[] = []
  const events: ReconcileRun<Object>['events'] = []
  const started = new AsyncDisposableStack()
  const workers = new Map(options.workers)
  const waits: number[] = []
  const { object: after, thrown } = await reconcileObject({
    reconciler,
    object: inTheWorld[0]!,
    finalize,
    clock,
    contextFor(conditions) {
      const context = createContext({
        object: inTheWorld[0]!,
        kindOf: anyKind(options.kinds ?? [kind]),
        caches,
        client,
        conditions,
        workers: workersIn(workers, startWorkers ? started : undefined),
        reads: { object: () => undefined, list: () => undefined, children: () => undefined },
        event: (type, reason, message) => void events.push({ type, reason, message }),
        requeueAfter: (delayMs) => void waits.push(delayMs),
        requeue: () => void waits.push(0),
      })
      return {
        ...context,
        async apply(child) {
          const result = await context.apply(child)
          applied.push(result)
          return result
        },
        async remove(childKind, namespace, name) {
          removed.push(`${childKind} ${namespacedName({ namespace, name })}`)
          await context.remove(childKind, namespace, name)
        },
      }
    },
  })
  await started.disposeAsync()
  return {
    object: after as Object,
    status: (after as Object).status ?? {},
    condition: (type) => conditionIn(after, type),
    applied,
    removed,
    events,
    workers,
    requeueAfterMs: waits.length === 0 ? undefined : Math.min(...waits),
    thrown,
    stored: async () => (await store.list({})).items,
    endpoints,
  }
}

/** Objects of tests may leave out what the API fills in; the status they give counts as stored. */
async function asStored(object: Resource, client: ResourceClient): Promise<Resource> {
  const uid = `uid-of-${object.kind.toLowerCase()}-${object.metadata.name}`
  return await client.create({ ...object, metadata: { uid, generation: 1, ...object.metadata } })
}

function cachesOver(objects: readonly Resource[]): Caches & Pick<OpenCaches, 'controlledBy'> {
  const all = <Object extends Resource>(kind: KindId, namespace?: string): Object[] =>
    objects
      .filter(
        (object) => kindIdOf(object) === kind && (namespace ?? object.metadata.namespace) === object.metadata.namespace,
      )
      .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1)) as Object[]
  return {
    get: (kind, namespace, name) =>
      all<never>(kind).find(
        ({ metadata }: Resource) => (metadata.namespace ?? '') === namespace && metadata.name === name,
      ),
    list: all,
    controlledBy: <Child extends Resource>(kind: KindId, uid: string) =>
      all<Child>(kind).filter((object) => controllerOf(object)?.uid === uid),
  }
}

/** Every kind is known: tests name what they refer to, and need not have the kinds at hand. */
const anyKind =
  (kinds: readonly KindDefinition[]): KindOf =>
  (ref) => {
    const { group, version } = parseApiVersion(ref.apiVersion ?? `${ref.group ?? ''}/`)
    const known = kinds.find((kind) => kind.kind === ref.kind && kind.group === group)
    const made = { group, kind: ref.kind, plural: `${ref.kind.toLowerCase()}s` }
    return known ?? { ...made, versions: [{ name: version, schema: {}, columns: [] }] }
  }

function workersIn(workers: Map<string, unknown>, started: AsyncDisposableStack | undefined): Workers {
  return {
    async ensure(name, spec, start) {
      if (started !== undefined) started.use(await start(spec))
      workers.set(name, spec)
    },
    stop: (name) => Promise.resolve(void workers.delete(name)),
    stopAll: () => Promise.resolve(workers.clear()),
  }
}

function conditionIn(object: Resource, type: string): ReturnType<ReconcileRun<Resource>['condition']> {
  const found = conditionOf(object, type)
  if (found === undefined) return undefined
  const { status, reason, message } = found
  return { status, ...(reason === undefined ? {} : { reason }), ...(message === undefined ? {} : { message }) }
}

export interface FakeWorld {
  clock: FakeClock
  client: ResourceClient
  caches: Caches
  endpoints: EndpointProvider[]
}

export function fakeDeps({ clock, client, caches, endpoints }: FakeWorld): KindDeps {
  const config: ConfigReader = {
    data: (namespace, name) =>
      caches.get<Resource & { data?: Record<string, string> }>('ConfigMap', namespace, name)?.data ?? {},
  }
  return {
    client,
    config,
    caches,
    transport: absent('transport'),
    delivery: absent('delivery'),
    runtime: absent('runtime'),
    endpoints: {
      find: () => undefined,
      add(provider) {
        endpoints.push(provider)
        return { [Symbol.dispose]: () => undefined }
      },
    },
    certificates: { program: () => undefined, withdraw: () => undefined, find: () => undefined },
    addresses: {
      gatewayUrl: 'http://127.0.0.1:7481',
      apiUrl: 'http://127.0.0.1:7480',
      serviceDomain: '127.0.0.1.sslip.io:7481',
    },
    podDirectory: join(tmpdir(), `knode-pods-of-tests-${process.pid}`),
    clock,
    pods: createPodTable({ clock }),
    revisions: {
      open: (spec) => absent<RevisionDoors>('revisions').open(spec),
      find: () => undefined,
      watch: () => ({ [Symbol.dispose]: () => undefined }),
    },
    autoscaler: absent('autoscaler'),
    random: seededRandom(1),
    log: silentLogger,
    metrics: createMetrics(),
    flow: createFlowFeed(),
  }
}

/** Fails with a clear word once a kind calls what its test did not give. */
function absent<Part extends object>(name: string): Part {
  return new Proxy({} as Part, {
    get: (_, property) => () => {
      throw new Error(`reconcileOnce: the test gave no deps.${name}, but ${String(property)} was called`)
    },
  })
}
