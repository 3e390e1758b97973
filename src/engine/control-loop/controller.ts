// Reconciles the objects of one kind. Semantics of knative/pkg's generated reconcilers.
import { isDoneWithin } from '../../base/clock.ts'
import type { Clock } from '../../base/clock.ts'
import { messageOf, TerminalError } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import type { Histogram } from '../../base/metrics.ts'
import { isReady } from '../../model/duck/conditions.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { semanticallyEqual } from '../../model/kubernetes/semantic.ts'
import { hasStatus, kindId, resourceName } from '../kind.ts'
import type { KindDefinition } from '../kind.ts'
import type { ReconcileContext, Reconciler, ResourceClient } from '../reconciler.ts'
import { isConflict, isNotFound } from './api-failure.ts'
import type { CacheChange, OpenCaches } from './caches.ts'
import type { EventRecorder } from './events.ts'
import { ObjectState } from './object-state.ts'
import { createContext } from './reconcile-context.ts'
import { reconcileObject } from './reconcile-object.ts'
import type { KindOf } from './sink-resolver.ts'
import type { Reader, Tracker } from './tracker.ts'
import type { Turns } from './turns.ts'
import { WorkQueue } from './work-queue.ts'

export interface ControllerOptions {
  kind: KindDefinition
  reconciler: Reconciler
  kindOf: KindOf
  caches: OpenCaches
  client: ResourceClient
  tracker: Tracker
  recorder: EventRecorder
  clock: Clock
  log: Logger
  /** Takes how long each reconcile took, in seconds. */
  durations: Histogram
  /** Objects reconciled at a time. @default 4 */
  reconcilesMax?: number
  /** Whom it takes turns with. @default nobody */
  turns?: Turns
  /** How long closing waits for running reconciles, and then for workers to stop, in milliseconds. @default 10_000 */
  drainMs?: number
}

/** Lost races in a row that nobody hears of: somebody else was faster, the next look will show what came of it. */
const quietConflictsMax = 5
/** A reconcile that takes longer is worth a word in the log, in milliseconds. */
const reconcileSlowMs = 30_000
const drainMsDefault = 10_000

export class Controller implements AsyncDisposable {
  #options: ControllerOptions
  #states = new Map<string, ObjectState>()
  #queue: WorkQueue
  #finalizer: string
  #drainMs: number

  constructor(options: ControllerOptions) {
    const { kind, clock, log, reconcilesMax, drainMs, turns } = options
    this.#options = options
    this.#drainMs = drainMs ?? drainMsDefault
    // Finalizers need a domain; Kubernetes' own kinds have none.
    this.#finalizer = kind.group === '' ? `${kind.plural}.knode.dev` : resourceName(kind)
    const process = (key: string): Promise<void> => this.#process(key)
    const onAbandoned = (keys: string[]): void =>
      log.warn('reconciles that do not end are left behind', { kind: kind.kind, keys: keys.join(' ') })
    this.#queue = new WorkQueue({
      clock,
      process,
      onAbandoned,
      drainMs: this.#drainMs,
      ...(reconcilesMax === undefined ? {} : { reconcilesMax }),
      ...(turns === undefined ? {} : { turns }),
    })
  }

  /** Reconciles all objects that are there. */
  start(): void {
    for (const object of this.#options.caches.list(kindId(this.#options.kind))) this.enqueue(keyOf(object))
  }

  /** @param key `namespace/name` */
  enqueue(key: string): void {
    this.#queue.add(key)
  }

  /** Tells it of a change of an object of its kind. */
  onChange({ type, resource }: CacheChange): void {
    const key = keyOf(resource)
    const state = this.#states.get(key)
    if (type === 'added' && state === undefined) {
      this.#states.set(key, new ObjectState(resource, this.#options.clock.monotonicMs()))
    }
    if (type === 'modified' && state?.isOwnWrite(resource) === true) return
    this.enqueue(key)
  }

  get depth(): number {
    return this.#queue.depth
  }

  get isIdle(): boolean {
    return this.#queue.isIdle
  }

  whenIdle(): Promise<void> {
    return this.#queue.whenIdle()
  }

  /** Lets running reconciles finish, then stops all workers. What takes too long is left behind, and told. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { kind, clock, log } = this.#options
    await this.#queue[Symbol.asyncDispose]()
    const stopping = new Set(this.#states.keys())
    const stops = [...stopping].map((key) => this.#forget(key).then(() => stopping.delete(key)))
    if (await isDoneWithin(clock, this.#drainMs, Promise.all(stops))) return
    log.warn('workers that do not stop are left behind', { kind: kind.kind, keys: [...stopping].join(' ') })
  }

  async #process(key: string): Promise<void> {
    const { kind, clock, log, durations } = this.#options
    const startedMs = clock.monotonicMs()
    const cancelWord = clock.setTimer(reconcileSlowMs, () => {
      log.warn('a reconcile takes long', { kind: kind.kind, key, tookMs: clock.monotonicMs() - startedMs })
    })
    let object: Resource | undefined
    try {
      object = await this.#present(key)
      if (object !== undefined) await this.#reconcile(key, object)
    } catch (thrown) {
      this.#failed(key, object, thrown)
    }
    cancelWord()
    const tookMs = clock.monotonicMs() - startedMs
    durations.record(tookMs / 1000, { name: kindId(kind) })
    log.debug('reconciled', { kind: kind.kind, key, tookMs })
  }

  /** The object as it is now, if it is there and ours; what ran for another object of its name is stopped. */
  async #present(key: string): Promise<Resource | undefined> {
    const { kind, caches, reconciler, clock } = this.#options
    const [namespace = '', name = ''] = key.split('/')
    const cached = caches.get(kindId(kind), namespace, name)
    const state = this.#states.get(key)
    if (cached === undefined || (state !== undefined && state.uid !== cached.metadata.uid)) await this.#forget(key)
    if (cached === undefined) return undefined
    // A namesake of one that was there before is new.
    const addedMs = state === undefined ? undefined : clock.monotonicMs()
    if (!this.#states.has(key)) this.#states.set(key, new ObjectState(cached, addedMs))
    const object = this.#states.get(key)!.newest(cached)
    if (reconciler.isOurs?.(object) !== false) return object
    await this.#forget(key)
    return undefined
  }

  async #reconcile(key: string, object: Resource): Promise<void> {
    const { reconciler } = this.#options
    const state = this.#states.get(key)!
    if (object.metadata.deletionTimestamp !== undefined) {
      const hasToFinalize = reconciler.finalize !== undefined && this.#hasFinalizer(object)
      if (!hasToFinalize || reconciler.finalizesWithWorkers !== true) await state.workers.stopAll()
      if (hasToFinalize) await this.#finalize(key, state, object)
      return this.#queue.forget(key)
    }
    const current = reconciler.finalize === undefined ? object : await this.#withFinalizer(key, state, object)
    if (current === undefined) return
    const { after, thrown } = await this.#run(key, state, current, false)
    if (thrown === undefined && this.#isTooEarly(key, state, current, after)) return
    await this.#storeStatus(key, state, current, after)
    if (thrown !== undefined) throw thrown
    this.#queue.forget(key)
  }

  async #finalize(key: string, state: ObjectState, object: Resource): Promise<void> {
    const { after, thrown, isUnfinished } = await this.#run(key, state, object, true)
    if (thrown !== undefined || isUnfinished) {
      await this.#storeStatus(key, state, object, after)
      if (thrown !== undefined) throw thrown
      return
    }
    // Whatever cleaning up may have started must not outlive the object.
    await state.workers.stopAll()
    const others = object.metadata.finalizers?.filter((finalizer) => finalizer !== this.#finalizer) ?? []
    await this.#setFinalizers(key, state, object, others)
  }

  /** @throws what the reconciler threw if that was a lost race: its status does not count. */
  async #run(
    key: string,
    state: ObjectState,
    object: Resource,
    finalize: boolean,
  ): Promise<{ after: Resource; thrown: unknown; isUnfinished: boolean }> {
    const { reconciler, tracker, clock, kindOf, caches, client } = this.#options
    const { reads, done } = tracker.record(this.#reader(key))
    const {
      object: after,
      thrown,
      isUnfinished,
    } = await reconcileObject({
      reconciler,
      object,
      finalize,
      clock,
      contextFor: (conditions) =>
        createContext({
          object,
          kindOf,
          caches,
          client,
          conditions,
          workers: state.workers,
          reads,
          event: (type, reason, message) => this.#event(object, type, reason, message),
          requeueAfter: (delayMs) => this.#queue.addAfter(key, delayMs),
          requeue: () => this.enqueue(key),
        }),
    })
    if (thrown === undefined) done()
    else if (isConflict(thrown)) throw thrown
    return { after, thrown, isUnfinished }
  }

  /** Whether the first `Ready: True` has to wait; then the object is reconciled again when it may be told. */
  #isTooEarly(key: string, state: ObjectState, before: Resource, after: Resource): boolean {
    const { clock, reconciler } = this.#options
    const { firstReadyAfterMs = 0 } = reconciler
    const leftMs = firstReadyAfterMs - (clock.monotonicMs() - state.addedMs)
    if (leftMs <= 0 || isReady(before) || !isReady(after)) return false
    this.#queue.addAfter(key, leftMs)
    return true
  }

  async #storeStatus(key: string, state: ObjectState, before: Resource, after: Resource): Promise<void> {
    const { kind, client } = this.#options
    if (!hasStatus(kind) || semanticallyEqual(before.status, after.status)) return
    try {
      await this.#write(key, state, before, () => client.updateStatus(after))
    } catch (thrown) {
      if (!isConflict(thrown)) {
        const message = `Failed to update status for ${JSON.stringify(before.metadata.name)}: ${messageOf(thrown)}`
        this.#event(before, 'Warning', 'UpdateFailed', message)
      }
      throw thrown
    }
  }

  #hasFinalizer(object: Resource): boolean {
    return object.metadata.finalizers?.includes(this.#finalizer) ?? false
  }

  async #withFinalizer(key: string, state: ObjectState, object: Resource): Promise<Resource | undefined> {
    if (this.#hasFinalizer(object)) return object
    return await this.#setFinalizers(key, state, object, [...(object.metadata.finalizers ?? []), this.#finalizer])
  }

  async #setFinalizers(
    key: string,
    state: ObjectState,
    object: Resource,
    finalizers: string[],
  ): Promise<Resource | undefined> {
    const { kind, client } = this.#options
    const { namespace = '', name, resourceVersion } = object.metadata
    const patch = { metadata: { finalizers, resourceVersion } }
    const written = await this.#write(key, state, object, () => client.patch(kindId(kind), namespace, name, patch))
    // Upstream's controllers of its own kinds tell it; Kubernetes says nothing of its own.
    if (written !== undefined && kind.builtIn !== true) {
      this.#event(object, 'Normal', 'FinalizerUpdate', `Updated ${JSON.stringify(name)} finalizers`)
    }
    return written
  }

  /**
   * A write of our own needs no reconcile; one that somebody else made meanwhile does. `undefined`: the object is gone,
   * and its deletion is on its way through the cache.
   */
  async #write(
    key: string,
    state: ObjectState,
    base: Resource,
    write: () => Promise<Resource>,
  ): Promise<Resource | undefined> {
    try {
      const { written, missedOther } = await state.write(base, write)
      if (missedOther) this.enqueue(key)
      return written
    } catch (thrown) {
      if (isNotFound(thrown)) return undefined
      throw thrown
    }
  }

  #failed(key: string, object: Resource | undefined, thrown: unknown): void {
    const { kind, log } = this.#options
    const isTerminal = thrown instanceof TerminalError
    if (isTerminal) this.#queue.forget(key)
    const attempt = isTerminal ? 0 : this.#queue.retry(key)
    if (isConflict(thrown) && attempt <= quietConflictsMax) return
    const [namespace, name] = key.split('/')
    log.warn('reconcile failed', { kind: kind.kind, namespace, name, attempt, err: thrown })
    if (object !== undefined) this.#event(object, 'Warning', 'InternalError', messageOf(thrown))
  }

  #event(object: Resource, ...[type, reason, message]: Parameters<ReconcileContext['event']>): void {
    const component = `${this.#options.kind.kind.toLowerCase()}-controller`
    this.#options.recorder.record(object, { type, reason, message, component })
  }

  #reader(key: string): Reader {
    return { kind: kindId(this.#options.kind), key }
  }

  async #forget(key: string): Promise<void> {
    const { tracker, log, kind } = this.#options
    const state = this.#states.get(key)
    this.#states.delete(key)
    this.#queue.forget(key)
    tracker.forget(this.#reader(key))
    try {
      await state?.workers.stopAll()
    } catch (thrown) {
      log.warn('a worker did not stop well', { kind: kind.kind, key, err: thrown })
    }
  }
}

const keyOf = ({ metadata }: Resource): string => `${metadata.namespace ?? ''}/${metadata.name}`
