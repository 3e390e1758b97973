// Holds a process group to its memory limit by looking, which needs no rights: a group found above it is killed.
import type { Clock } from '../../../base/clock.ts'
import { groupUsage } from './group-usage.ts'

/** Time between two looks, in milliseconds: what a group may take in between is not held back. */
const lookMs = 500

/** Calls `exceeded` once, when the group uses more than `memoryBytes`. Returns what stops looking. */
export function watchMemory(group: number, memoryBytes: number, clock: Clock, exceeded: () => void): () => void {
  let hasStopped = false
  let cancel = (): void => undefined
  const look = async (): Promise<void> => {
    const usage = await groupUsage(group).catch(() => undefined)
    if (hasStopped) return
    if (usage !== undefined && usage.memoryBytes > memoryBytes) return exceeded()
    next()
  }
  const next = (): void => {
    cancel = clock.setTimer(lookMs, () => void look())
  }
  next()
  return () => {
    hasStopped = true
    cancel()
  }
}
