// Runs Pods, and tells in their status what became of them.
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { KindDeps, ReconcileContext, Reconciler } from '../../../engine/reconciler.ts'
import { PodRunner } from '../../../engine/pods/pod-runner.ts'
import { sourcesOf } from '../../../engine/pods/pod-sources.ts'
import { podKind } from '../../../model/kubernetes/pod/pod.ts'
import type { Pod } from '../../../model/kubernetes/pod/pod.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { revisionLabel } from '../../../model/serving/metadata-keys.ts'
import { featureFlag, featuresConfigMap, servingConfigMap } from '../../../model/serving/serving-config.ts'

/** What containers get to end when Knode itself does, in milliseconds. */
const shutdownGraceMs = 5_000
/** When a new Pod tells at the latest what it is doing, in milliseconds. */
const firstStatusMs = 100
/** How long after a change its status says so, in milliseconds. */
const statusDelayMs = 10

export class PodReconciler implements Reconciler<Pod> {
  /** A Pod may take minutes to finish its requests: nobody waits for it. */
  readonly finalizesWithWorkers = true
  #deps: KindDeps
  /** By uid. */
  #runners = new Map<string, PodRunner>()
  #tokenKey: string
  #hasSwept = false

  constructor(deps: KindDeps) {
    this.#deps = deps
    this.#tokenKey = deps.random.uuid()
  }

  async reconcile(pod: Pod, context: ReconcileContext): Promise<void> {
    this.#sweepOnce()
    const { namespace = '', uid = '' } = pod.metadata
    // A ConfigMap or Secret that comes, or changes, is news for whoever waits for it.
    for (const { kind, name } of sourcesOf(pod.spec)) context.get(kind, namespace, name)
    const known = this.#runners.get(uid)
    if (known === undefined && isOver(pod)) return
    await context.workers.ensure('pod', { uid }, () => Promise.resolve(this.#start(pod, context)))
    // What is stored says Pending, which is true; a Pod that starts quickly has better things to do than to write that.
    if (known === undefined) return context.requeueAfter(firstStatusMs)
    await known.refresh(pod)
    pod.status = known.status
  }

  /** Requests are finished first, then the containers end. */
  async finalize(pod: Pod): Promise<void | 'later'> {
    const { uid = '', deletionGracePeriodSeconds = 0 } = pod.metadata
    const runner = this.#runners.get(uid)
    if (runner === undefined || runner.hasStopped) return
    void runner.stop({ graceMs: deletionGracePeriodSeconds * 1_000 })
    pod.status = runner.status
    return 'later'
  }

  #start(pod: Pod, context: ReconcileContext): AsyncDisposable {
    const { runtime, pods, clock, random, log, caches, podDirectory } = this.#deps
    const { namespace = '', name, uid = '' } = pod.metadata
    const runner = new PodRunner({
      pod,
      runtime,
      pods,
      clock,
      random,
      find: (kind, source) => caches.get<Resource>(kind, namespace, source),
      directory: join(podDirectory, uid),
      tokenKey: this.#tokenKey,
      onChange: this.#soon(context),
      detectsHttp2: () => this.#detectsHttp2(pod),
      event: (type, reason, message) => context.event(type, reason, message),
      log: log.child({ kind: podKind, namespace, name }),
    })
    this.#runners.set(uid, runner)
    runner.start()
    return { [Symbol.asyncDispose]: () => this.#close(pod, runner) }
  }

  /**
   * Tells of changes a little later, and of several at once: senders know already, and whoever waits for the answer of a
   * Pod that has just become ready shall not wait for objects that are written about it.
   */
  #soon(context: ReconcileContext): () => void {
    const { clock } = this.#deps
    let isWaiting = false
    return () => {
      if (isWaiting) return
      isWaiting = true
      clock.setTimer(statusDelayMs, () => {
        isWaiting = false
        context.requeue()
      })
    }
  }

  /** Serving's flag is about its Revisions' Pods alone, and counts from the next probe on. */
  #detectsHttp2({ metadata }: Pod): boolean {
    if (metadata.labels?.[revisionLabel] === undefined) return false
    return featureFlag(servingConfigMap(this.#deps.config, featuresConfigMap), 'autodetect-http2') === 'enabled'
  }

  /** Its Pod is gone, or Knode ends: then the next one starts it again. */
  async #close({ metadata }: Pod, runner: PodRunner): Promise<void> {
    const { namespace = '', name, uid = '' } = metadata
    const stored = this.#deps.caches.get<Pod>(podKind, namespace, name)
    const isGone = stored?.metadata.uid !== uid || stored.metadata.deletionTimestamp !== undefined
    await runner.stop({ graceMs: shutdownGraceMs, keepsData: !isGone })
    this.#runners.delete(uid)
  }

  /** Removes what Pods that went while no Knode ran have left on disk. */
  #sweepOnce(): void {
    if (this.#hasSwept) return
    this.#hasSwept = true
    const { podDirectory, caches, log } = this.#deps
    const sweep = async (): Promise<void> => {
      const left = await readdir(podDirectory).catch(() => [])
      const present = new Set(caches.list<Pod>(podKind).map(({ metadata }) => metadata.uid))
      const gone = left.filter((uid) => !present.has(uid))
      await Promise.all(gone.map((uid) => rm(join(podDirectory, uid), { recursive: true, force: true })))
    }
    sweep().catch((err: unknown) => log.warn('what old Pods left could not be removed', { err }))
  }
}

const isOver = ({ status }: Pod): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed'
