// How many Pods there may be while a template is replaced. Source: kubernetes/kubernetes
// pkg/controller/deployment/util ResolveFenceposts.
import type { DeploymentSpec } from './schema.ts'

/** A number of Pods, or percent of the wanted number. */
interface Share {
  value: number
  isPercent: boolean
}

/** `undefined` when it is neither a whole number from 0 nor a percentage. */
export function parseShare(share: number | string): Share | undefined {
  if (typeof share === 'number') return share >= 0 ? { value: share, isPercent: false } : undefined
  return /^\d{1,9}%$/.test(share) ? { value: Number(share.slice(0, -1)), isPercent: true } : undefined
}

export interface RolloutBounds {
  /** The most Pods there may be, those on their way out not counted. */
  totalMax: number
  /** The fewest Pods that stay available. */
  availableMin: number
}

export function rolloutBounds({ replicas = 1, strategy = {} }: DeploymentSpec): RolloutBounds {
  if (strategy.type === 'Recreate') return { totalMax: replicas, availableMin: 0 }
  const { maxSurge = '25%', maxUnavailable = '25%' } = strategy.rollingUpdate ?? {}
  const surge = resolve(maxSurge, replicas, Math.ceil)
  const unavailable = resolve(maxUnavailable, replicas, Math.floor)
  // Without any leeway nothing would ever move.
  const leeway = surge === 0 && unavailable === 0 ? 1 : unavailable
  return { totalMax: replicas + surge, availableMin: Math.max(0, replicas - leeway) }
}

function resolve(share: number | string, replicas: number, round: (value: number) => number): number {
  const { value, isPercent } = parseShare(share) ?? { value: 0, isPercent: false }
  return isPercent ? round((value * replicas) / 100) : value
}
