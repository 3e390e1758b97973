// From what the load asks for to what is done: bounds, the way to zero, who serves. Pure. Sources: knative/serving
// pkg/reconciler/autoscaling/kpa/scaler.go, kpa.go.
import type { Activity, BoundFact, ProxyMode, ScaleSettings } from '../autoscaler.ts'

export interface BoundInput {
  /** What was decided; -1 while nothing is known. */
  desired: number
  activity: Activity
  activityForMs: number
  /** Whether it was ever as large as it had to be at first. */
  isInitialized: boolean
  /** How long requests have passed the activator; undefined when they do not. */
  proxyForMs: number | undefined
}

export interface BoundScale {
  /** Instances there should be; -1 while that is not known. */
  want: number
  /** Whether the replicas are to be set to it now. */
  isApplied: boolean
  /** When time alone will change the answer. */
  lookAgainMs?: number
  facts: BoundFact[]
}

/** Until an idle Revision is looked at again that was just marked inactive: the next decision. */
const inactiveLookMs = 2_000

export function boundScale(input: BoundInput, settings: ScaleSettings): BoundScale {
  const { desired, activity, isInitialized } = input
  if (desired < 0 && activity !== 'activating') return unknown()
  const { minScale, maxScale, initialScale, isReachable } = settings
  const isStarting = initialScale > 1 && !isInitialized && isReachable
  const least = isStarting ? Math.max(initialScale, minScale) : minScale
  const facts: BoundFact[] = []
  let want = desired
  if (want < least) {
    want = least
    if (least > 0) facts.push({ rule: isStarting && initialScale > minScale ? 'initial-scale' : 'min-scale', to: want })
  } else if (maxScale !== 0 && want > maxScale) {
    want = maxScale
    facts.push({ rule: 'max-scale', to: want })
  }
  if (want > 0) return { want, isApplied: true, facts }
  const toZero = boundZero(input, settings)
  return { ...toZero, facts: [...facts, ...toZero.facts] }
}

const unknown = (): BoundScale => ({ want: -1, isApplied: false, facts: [{ rule: 'no-data', to: -1 }] })

/** Zero is reached in steps, so that no request is lost on the way. */
function boundZero(input: BoundInput, settings: ScaleSettings): BoundScale {
  const { activity, activityForMs } = input
  if (!settings.scaleToZero) return { want: 1, isApplied: true, facts: [{ rule: 'scale-to-zero-disabled', to: 1 }] }
  switch (activity) {
    case 'activating': {
      // Upstream: only a start that failed ends at zero.
      if (activityForMs > settings.activationTimeoutMs) {
        return { want: 0, isApplied: true, facts: [{ rule: 'activation-failed', to: 0 }] }
      }
      const leftMs = settings.activationTimeoutMs - activityForMs
      const facts: BoundFact[] = [{ rule: 'activating', to: -1, leftMs }]
      return { want: -1, isApplied: false, lookAgainMs: leftMs + 1, facts }
    }
    case 'active': {
      const leftMs = settings.stableWindowMs - activityForMs
      if (leftMs <= 0) return { want: 0, isApplied: false, lookAgainMs: inactiveLookMs, facts: [] }
      return { want: 1, isApplied: true, lookAgainMs: leftMs, facts: [{ rule: 'idle-window', to: 1, leftMs }] }
    }
    case 'inactive':
      return boundLast(input, settings)
    default:
      return activity satisfies never
  }
}

/** When the last instance of an inactive Revision may go. */
function boundLast({ activityForMs, proxyForMs = 0 }: BoundInput, settings: ScaleSettings): BoundScale {
  const { podRetentionMs, scaleToZeroGraceMs } = settings
  if (activityForMs >= Math.max(scaleToZeroGraceMs, podRetentionMs)) return { want: 0, isApplied: true, facts: [] }
  const wait = (rule: BoundFact['rule'], leftMs: number): BoundScale => ({
    want: 0,
    isApplied: false,
    lookAgainMs: leftMs,
    facts: [{ rule, to: 0, leftMs }],
  })
  if (activityForMs < podRetentionMs) return wait('pod-retention', podRetentionMs - activityForMs)
  const graceLeftMs = scaleToZeroGraceMs - proxyForMs
  return graceLeftMs > 0 ? wait('grace-period', graceLeftMs) : { want: 0, isApplied: true, facts: [] }
}

/** Ready instances from which on a Revision counts as active. */
export function activeThreshold({ minScale, initialScale }: ScaleSettings, isInitialized: boolean): number {
  return Math.max(minScale, isInitialized ? 1 : initialScale)
}

export interface ActivityState {
  activity: Activity
  reason: string
  message: string
}

export interface ActivityInput {
  want: number
  ready: number
  threshold: number
  before: ActivityState
}

export const activating: ActivityState = {
  activity: 'activating',
  reason: 'Queued',
  message: 'Requests to the target are being buffered as resources are provisioned.',
}
export const active: ActivityState = { activity: 'active', reason: '', message: '' }
export const inactive: ActivityState = {
  activity: 'inactive',
  reason: 'NoTraffic',
  message: 'The target is not receiving traffic.',
}
const timedOut: ActivityState = {
  activity: 'inactive',
  reason: 'TimedOut',
  message: 'The target could not be activated.',
}

/** The table of kpa.go computeActiveCondition. One that was given up keeps saying so until it is wanted again. */
export function nextActivity({ want, ready, threshold, before }: ActivityInput): ActivityState {
  const wasInactive = before.activity === 'inactive'
  if (want === 0 || threshold === 0) {
    if (wasInactive) return before
    return before.activity === 'activating' && threshold > 0 ? timedOut : inactive
  }
  if (want < 0 && wasInactive) return before
  return ready < threshold ? activating : active
}

/** Whether instances may be asked directly: there are some, and they could bear a burst. */
export const modeOf = (want: number, excessBurstCapacity: number): ProxyMode =>
  want > 0 && excessBurstCapacity >= 0 ? 'Serve' : 'Proxy'

/** What is assumed of a Revision that nothing is known of. */
export function initialExcessBurstCapacity({ targetBurstCapacity, initialScale, total }: ScaleSettings): number {
  return targetBurstCapacity > 0 ? initialScale * total - targetBurstCapacity : targetBurstCapacity
}

const activatorsMin = 2

export function activatorCount(ready: number, settings: ScaleSettings): number {
  const { total, targetBurstCapacity, activatorCapacity } = settings
  if (targetBurstCapacity === 0) return activatorsMin
  const capacity = ready * total + Math.max(0, targetBurstCapacity)
  return Math.max(activatorsMin, Math.ceil(capacity / activatorCapacity))
}
