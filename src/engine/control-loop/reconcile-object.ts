// One reconcile of one object, from its stored state to the status to store. Source: knative/pkg
// reconciler/reconcile_common.go.
import type { Clock } from '../../base/clock.ts'
import { ConditionSet } from '../../model/duck/conditions.ts'
import type { KResourceStatus } from '../../model/duck/types.ts'
import { kubernetesTime } from '../../model/kubernetes/resource.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import type { ReconcileContext, Reconciler } from '../reconciler.ts'

export interface ReconcileOptions {
  reconciler: Reconciler
  /** As stored; it is not changed. */
  object: Resource
  /** Call `finalize` in place of `reconcile`. @default false */
  finalize?: boolean
  contextFor: (conditions: ConditionSet) => ReconcileContext
  clock: Clock
}

export interface ReconcileResult {
  /** The object with the status that it should have. */
  object: Resource
  /** What the reconciler threw; the status counts nevertheless. */
  thrown: unknown
  /** `finalize` has more to do. */
  isUnfinished: boolean
}

/** Never throws. */
export async function reconcileObject(options: ReconcileOptions): Promise<ReconcileResult> {
  const { reconciler, finalize = false, contextFor, clock } = options
  const object = structuredClone(options.object)
  const { generation } = object.metadata
  const stored = (object.status ?? {}) as KResourceStatus
  const conditions = new ConditionSet(reconciler.conditions ?? { dependents: [] }, stored.conditions)
  const keepsStatus = reconciler.conditions !== undefined && !finalize
  if (keepsStatus) {
    conditions.initialize()
    if (stored.observedGeneration !== generation) {
      conditions.markUnknown('Ready', 'NewObservedGenFailure', 'unsuccessfully observed a new generation')
    }
  }
  let thrown: unknown
  let isUnfinished = false
  try {
    const context = contextFor(conditions)
    if (finalize) isUnfinished = (await reconciler.finalize?.(object, context)) === 'later'
    else await reconciler.reconcile(object, context)
  } catch (error) {
    thrown = error
  }
  if (keepsStatus) {
    object.status = {
      ...object.status,
      ...(generation === undefined ? {} : { observedGeneration: generation }),
      conditions: conditions.list(kubernetesTime(clock.now())),
    } satisfies KResourceStatus
  }
  // Only the status is the reconciler's to change.
  const { status } = object
  return { object: { ...options.object, ...(status === undefined ? {} : { status }) }, thrown, isUnfinished }
}
