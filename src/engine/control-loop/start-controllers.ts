// Starts a controller for each kind that has a reconciler, and the garbage collector; the caches are open already.
import { controllersScope } from '../instrument-scopes.ts'
import type { KindDefinition, KindId } from '../kind.ts'
import { kindId } from '../kind.ts'
import type { KindDeps } from '../reconciler.ts'
import type { OpenCaches } from './caches.ts'
import { Controller } from './controller.ts'
import { startEventExpiry } from './event-expiry.ts'
import { EventRecorder } from './events.ts'
import { GarbageCollector } from './garbage-collector.ts'
import { kindOfIn } from './sink-resolver.ts'
import { Tracker } from './tracker.ts'
import { createTurns } from './turns.ts'

export interface ControllersOptions {
  kinds: readonly KindDefinition[]
  /** Must cover all kinds. Close them after the controllers. */
  caches: OpenCaches
  /** What reconcilers get; its client, clock, log and metrics serve the controllers, too. */
  deps: Omit<KindDeps, 'caches'>
  /** Objects of one kind reconciled at a time. @default 4 */
  reconcilesMax?: number
  /** How long closing waits for running reconciles, and then for workers to stop, in milliseconds. @default 10_000 */
  drainMs?: number
}

export interface RunningControllers extends AsyncDisposable {
  /**
   * Resolves when nothing is left to do now: no object waits or is reconciled, and the caches show all writes. What waits
   * for its time (back-off, `requeueAfter`) does not count. For tests.
   */
  settled(): Promise<void>
}

/** Resolves at once; the first reconciles are under way. Disposing finishes running reconciles and stops all workers. */
export async function startControllers(options: ControllersOptions): Promise<RunningControllers> {
  const { kinds, caches, reconcilesMax, drainMs } = options
  const deps: KindDeps = { ...options.deps, caches }
  const { client, clock, log, metrics } = deps
  await using starting = new AsyncDisposableStack()
  const recorder = starting.use(new EventRecorder({ client, clock, log }))
  starting.use(startEventExpiry({ caches, client, clock, log }))
  const tracker = new Tracker()
  const kindOf = kindOfIn(kinds)
  const turns = createTurns(clock)
  const meter = metrics.scope(controllersScope)
  const durations = meter.histogram('kn.workqueue.process.duration', 'Time a reconcile took', 'seconds')
  const controllers = new Map<KindId, Controller>()
  for (const kind of kinds) {
    const reconciler = kind.reconciler?.(deps)
    if (reconciler === undefined) continue
    const shared = { kindOf, caches, client, tracker, recorder, clock, log, durations, turns }
    const limits = { ...(reconcilesMax !== undefined && { reconcilesMax }), ...(drainMs !== undefined && { drainMs }) }
    controllers.set(kindId(kind), new Controller({ kind, reconciler, ...shared, ...limits }))
  }
  starting.defer(async () => {
    await Promise.all([...controllers.values()].map((controller) => controller[Symbol.asyncDispose]()))
  })
  meter.gauge('kn.workqueue.depth', 'Objects that wait to be reconciled', () =>
    [...controllers].map(([name, { depth }]) => [{ name }, depth]),
  )
  starting.use(
    caches.onChange((change) => {
      controllers.get(change.kind)?.onChange(change)
      for (const { kind, key } of tracker.readersOf(change)) controllers.get(kind)?.enqueue(key)
    }),
  )
  for (const controller of controllers.values()) controller.start()
  const collector = starting.use(new GarbageCollector({ kinds, caches, client, clock, log }))
  collector.start()

  const parts = [...controllers.values(), collector, recorder]
  const running = starting.move()
  return {
    async settled() {
      do {
        await Promise.all(parts.map((part) => part.whenIdle()))
        await caches.caughtUp()
      } while (!parts.every(({ isIdle }) => isIdle))
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}
