// Makes and removes Pods until they are as many, and as new, as the Deployment wants. Upstream puts ReplicaSets between;
// here the label of the template's hash tells new from old.
import { messageOf } from '../../../base/errors.ts'
import type { KindDeps, ReconcileContext, Reconciler } from '../../../engine/reconciler.ts'
import type { Pod } from '../../../model/kubernetes/pod/pod.ts'
import { podKind } from '../../../model/kubernetes/pod/pod.ts'
import { StatusError } from '../../../model/kubernetes/status-error.ts'
import { nextConditions, progressDeadline } from './conditions.ts'
import { aPodOf, templateHash } from './pods.ts'
import { nextStep } from './rollout.ts'
import type { PodFacts } from './rollout.ts'
import { templateHashLabel } from './schema.ts'
import type { Deployment, DeploymentStatus } from './schema.ts'

/** Wait before Pods are made again after the API has refused them, in milliseconds. */
const refusedRetryMs = 5_000
/** How long the status of a Deployment that has just made Pods keeps still, in milliseconds. */
const quietMs = 20

/** What is remembered of a Deployment from one look to the next. */
interface Memory {
  /** Our own writes that the cache may have yet to show, by name of the Pod. */
  made: Map<string, Pod>
  removed: Set<string>
  /** Until when its status keeps still, on the steady clock. */
  quietUntilMs: number
}

export class DeploymentReconciler implements Reconciler<Deployment> {
  #deps: KindDeps
  /** By uid. */
  #memories = new Map<string, Memory>()

  constructor(deps: KindDeps) {
    this.#deps = deps
  }

  async reconcile(deployment: Deployment, context: ReconcileContext): Promise<void> {
    const { clock } = this.#deps
    const { metadata, spec } = deployment
    await this.#remember(deployment, context)
    const hash = templateHash(spec.template ?? {})
    const pods = await this.#pods(deployment, context)
    const facts = this.#factsOf(deployment, pods)
    const { create, remove } = nextStep(spec, hash, facts)
    // Whoever waits for a Pod waits for this and nothing else: what is written about it can wait until it starts.
    const createFailure = await this.#make(deployment, hash, create, context)
    if (this.#isQuiet(deployment, create > 0 && createFailure === undefined, context)) {
      await Promise.all(remove.map((name) => this.#remove(deployment, name)))
      return
    }
    await Promise.all(remove.map((name) => this.#remove(deployment, name)))
    const gone = new Set(remove)
    const counts = countsOf(
      facts.filter(({ name, isLeaving }) => !isLeaving && !gone.has(name)),
      hash,
      createFailure === undefined ? create : 0,
    )
    const nowMs = clock.now()
    const template = `${metadata.name}-${hash}`
    const conditions = nextConditions(deployment, {
      counts,
      template,
      nowMs,
      ...(createFailure === undefined ? {} : { createFailure }),
    })
    const terminating = facts.filter(({ name, isLeaving }) => isLeaving || gone.has(name)).length
    deployment.status = statusOf(deployment, counts, terminating, conditions)
    this.#wakeUpLater(deployment, pods, context)
  }

  /** Begins to remember, until the Deployment is gone. */
  async #remember({ metadata: { uid = '' } }: Deployment, { workers }: ReconcileContext): Promise<void> {
    await workers.ensure('memory', { uid }, () => {
      this.#memories.set(uid, { made: new Map(), removed: new Set(), quietUntilMs: 0 })
      return Promise.resolve({ [Symbol.asyncDispose]: () => Promise.resolve(void this.#memories.delete(uid)) })
    })
  }

  #memoryOf({ metadata: { uid = '' } }: Deployment): Memory {
    return this.#memories.get(uid)!
  }

  /** Those that are there as far as we know, which may be more than the cache does. */
  async #pods(deployment: Deployment, context: ReconcileContext): Promise<Pod[]> {
    const { namespace = '' } = deployment.metadata
    const { made, removed } = this.#memoryOf(deployment)
    const byName = new Map(context.children<Pod>(podKind).map((pod) => [pod.metadata.name, pod]))
    for (const [name, pod] of made) {
      const isGone = !byName.has(name) && (await this.#deps.client.get<Pod>(podKind, namespace, name)) === undefined
      if (byName.has(name) || isGone) made.delete(name)
      else byName.set(name, pod)
    }
    for (const name of removed) {
      const pod = byName.get(name)
      if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) removed.delete(name)
    }
    return [...byName.values()].filter(isActive)
  }

  #factsOf(deployment: Deployment, pods: readonly Pod[]): PodFacts[] {
    const { namespace = '' } = deployment.metadata
    const { selector, minReadySeconds = 0 } = deployment.spec
    const { removed } = this.#memoryOf(deployment)
    const nowMs = this.#deps.clock.now()
    const running = this.#deps.pods.select(namespace, selector?.matchLabels ?? {})
    const inFlight = new Map(running.map((pod) => [pod.uid, pod.inFlight]))
    return pods.map((pod) => {
      const { name, labels = {}, uid = '', creationTimestamp, deletionTimestamp } = pod.metadata
      const readySinceMs = readySince(pod)
      return {
        name,
        hash: labels[templateHashLabel] ?? '',
        isReady: readySinceMs !== undefined,
        isAvailable: readySinceMs !== undefined && nowMs - readySinceMs >= minReadySeconds * 1_000,
        isLeaving: deletionTimestamp !== undefined || removed.has(name),
        inFlight: inFlight.get(uid) ?? 0,
        createdMs: Date.parse(creationTimestamp ?? '') || 0,
      }
    })
  }

  /** Says why the API would not have them, if so. */
  async #make(
    deployment: Deployment,
    hash: string,
    count: number,
    context: ReconcileContext,
  ): Promise<string | undefined> {
    if (count === 0) return undefined
    const { client, random } = this.#deps
    const { made } = this.#memoryOf(deployment)
    const wanted = Array.from({ length: count }, () => aPodOf(deployment, hash, random))
    const results = await Promise.allSettled(
      wanted.map(async (pod) => {
        const stored = await client.create(pod)
        made.set(stored.metadata.name, stored)
      }),
    )
    const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
    if (failures.length === 0) return undefined
    const [failure] = failures
    if (!(failure instanceof StatusError)) throw failure
    const message = messageOf(failure)
    context.event('Warning', 'FailedCreate', `Error creating: ${message}`)
    context.requeueAfter(refusedRetryMs)
    return message
  }

  /** Whether the status keeps still for now. A new Deployment tells its status at once. */
  #isQuiet(deployment: Deployment, hasMade: boolean, context: ReconcileContext): boolean {
    const memory = this.#memoryOf(deployment)
    const nowMs = this.#deps.clock.monotonicMs()
    if (hasMade && deployment.status !== undefined) memory.quietUntilMs = nowMs + quietMs
    const leftMs = memory.quietUntilMs - nowMs
    if (leftMs > 0) context.requeueAfter(leftMs)
    return leftMs > 0
  }

  async #remove(deployment: Deployment, name: string): Promise<void> {
    const { removed } = this.#memoryOf(deployment)
    removed.add(name)
    try {
      await this.#deps.client.delete(podKind, deployment.metadata.namespace ?? '', name)
    } catch (thrown) {
      removed.delete(name)
      throw thrown
    }
  }

  /** Time alone makes Pods available, and rollouts fail. */
  #wakeUpLater(deployment: Deployment, pods: readonly Pod[], context: ReconcileContext): void {
    const nowMs = this.#deps.clock.now()
    const deadlineMs = progressDeadline(deployment)
    if (deadlineMs !== undefined) context.requeueAfter(Math.max(0, deadlineMs - nowMs))
    const minReadyMs = (deployment.spec.minReadySeconds ?? 0) * 1_000
    if (minReadyMs === 0) return
    const waits = pods.map((pod) => (readySince(pod) ?? -Infinity) + minReadyMs - nowMs).filter((waitMs) => waitMs > 0)
    if (waits.length > 0) context.requeueAfter(Math.min(...waits))
  }
}

/** Pods that have ended for good are no longer a Deployment's. */
const isActive = ({ status }: Pod): boolean => status?.phase !== 'Succeeded' && status?.phase !== 'Failed'

/** Milliseconds since 1970; `undefined` when it is not ready. */
function readySince({ status }: Pod): number | undefined {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  return ready?.status === 'True' ? Date.parse(ready.lastTransitionTime ?? '') || 0 : undefined
}

type Counts = Required<Pick<DeploymentStatus, 'replicas' | 'updatedReplicas' | 'readyReplicas' | 'availableReplicas'>>

const countsOf = (pods: readonly PodFacts[], hash: string, created: number): Counts => ({
  replicas: pods.length + created,
  updatedReplicas: pods.filter((pod) => pod.hash === hash).length + created,
  readyReplicas: pods.filter(({ isReady }) => isReady).length,
  availableReplicas: pods.filter(({ isAvailable }) => isAvailable).length,
})

/** Counts of zero are left out, as upstream. */
function statusOf(
  { metadata, spec, status = {} }: Deployment,
  counts: Counts,
  terminating: number,
  conditions: NonNullable<DeploymentStatus['conditions']>,
): DeploymentStatus {
  const missing = Math.max(counts.replicas, spec.replicas ?? 1) - counts.availableReplicas
  const shown = { ...counts, unavailableReplicas: Math.max(0, missing), terminatingReplicas: terminating }
  return {
    observedGeneration: metadata.generation ?? status.observedGeneration ?? 0,
    ...Object.fromEntries(Object.entries(shown).filter(([, count]) => count > 0)),
    conditions,
  }
}
