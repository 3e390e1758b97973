// How many instances their use of processor or memory asks for. Pure. Source: kubernetes/kubernetes
// pkg/controller/podautoscaler/horizontal.go, replica_calculator.go.
import type { ScaleSettings } from '../autoscaler.ts'

export interface UsageInput {
  /** On a steady clock. */
  nowMs: number
  /** Instances that are asked for now. */
  replicas: number
  /** What each instance uses, in the target's unit; those that cannot tell are left out. */
  usages: readonly number[]
}

interface Wish {
  atMs: number
  pods: number
}

export interface UsageDecision {
  average: number
  /** What the average asks for by itself. */
  wanted: number
  desired: number
  /** For the next decision. */
  wishes: readonly Wish[]
}

/** Differences from the target that are not worth a change, as a share of it. */
const tolerance = 0.1
/** One decision at most doubles, or adds this many if that is more. */
const addedMax = 4

/** `undefined` when nobody tells what it uses: nothing is decided. */
export function decideUsage(
  { nowMs, replicas, usages }: UsageInput,
  { target, stabilization }: ScaleSettings,
  wishes: readonly Wish[],
): UsageDecision | undefined {
  if (usages.length === 0) return undefined
  const average = usages.reduce((sum, usage) => sum + usage, 0) / usages.length
  const ratio = average / target
  const wanted = Math.max(1, Math.abs(ratio - 1) <= tolerance ? replicas : Math.ceil(ratio * usages.length))
  const { upMs, downMs } = stabilization
  const kept = wishes.filter(({ atMs }) => nowMs - atMs < Math.max(upMs, downMs))
  const recent = [...kept, { atMs: nowMs, pods: wanted }]
  const within = (ms: number): number[] =>
    recent.filter(({ atMs }) => atMs === nowMs || nowMs - atMs < ms).map(({ pods }) => pods)
  // Growing needs all wishes of its time to be greater, shrinking all to be smaller.
  const desired =
    wanted > replicas
      ? Math.max(replicas, Math.min(...within(upMs), Math.max(replicas * 2, replicas + addedMax)))
      : Math.min(replicas, Math.max(...within(downMs)))
  return { average, wanted, desired, wishes: recent }
}
