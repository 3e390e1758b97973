// Which Pods a Deployment makes and removes now: a pure decision. Source: kubernetes/kubernetes pkg/controller/deployment
// (rolling.go, recreate.go) and pkg/controller/controller_utils.go ActivePodsWithRanks.
import { rolloutBounds } from './rollout-bounds.ts'
import type { DeploymentSpec } from './schema.ts'

/** What counts of a Pod. */
export interface PodFacts {
  name: string
  /** Of the template that made it. */
  hash: string
  isReady: boolean
  /** Ready for `minReadySeconds`. */
  isAvailable: boolean
  /** On its way out. */
  isLeaving: boolean
  /** Requests it works on. */
  inFlight: number
  createdMs: number
}

export interface RolloutStep {
  /** Pods of the template as it is. */
  create: number
  remove: string[]
}

/** @param hash of the template as it is */
export function nextStep(spec: DeploymentSpec, hash: string, pods: readonly PodFacts[]): RolloutStep {
  const { replicas = 1, strategy = {}, paused = false } = spec
  const present = pods.filter(({ isLeaving }) => !isLeaving)
  const updated = present.filter((pod) => pod.hash === hash)
  const old = present.filter((pod) => pod.hash !== hash)
  if (paused && old.length > 0) return { create: 0, remove: surplus(present, replicas) }
  if (paused && present.length === 0) return { create: 0, remove: [] }
  const remove = surplus(updated, replicas)
  if (strategy.type === 'Recreate') {
    if (old.length > 0) return { create: 0, remove: [...remove, ...old.map(({ name }) => name)] }
    const isClear = pods.every((pod) => !pod.isLeaving || pod.hash === hash)
    return { create: isClear ? Math.max(0, replicas - updated.length) : 0, remove }
  }
  const { totalMax, availableMin } = rolloutBounds(spec)
  const create = Math.max(0, Math.min(replicas - updated.length, totalMax - present.length + remove.length))
  return { create, remove: [...remove, ...replaced(old, updated, { replicas, availableMin })] }
}

/** Old Pods that may go: those that do nothing for anybody first, then as many as the new ones make up for. */
function replaced(
  old: readonly PodFacts[],
  updated: readonly PodFacts[],
  { replicas, availableMin }: { replicas: number; availableMin: number },
): string[] {
  const unavailable = old.filter(({ isAvailable }) => !isAvailable)
  const available = old.filter(({ isAvailable }) => isAvailable).sort(byUse)
  const newAvailable = Math.min(updated.filter(({ isAvailable }) => isAvailable).length, replicas)
  const spare = Math.max(0, available.length + newAvailable - availableMin)
  return [...unavailable, ...available.slice(0, spare)].map(({ name }) => name)
}

/** Those above `count`, the least useful ones. */
const surplus = (pods: readonly PodFacts[], count: number): string[] =>
  [...pods]
    .sort(byUse)
    .slice(0, Math.max(0, pods.length - count))
    .map(({ name }) => name)

/** Not ready before ready, idle before busy, young before old. */
const byUse = (a: PodFacts, b: PodFacts): number =>
  Number(a.isReady) - Number(b.isReady) || a.inFlight - b.inFlight || b.createdMs - a.createdMs
