// One line of the picture: load, instances and latency of the last second.

export interface Second {
  /** Requests under way. */
  load: number
  instances: number
  instancesMax: number
  /** Of the requests that ended in this second, in milliseconds; empty when none did. */
  latenciesMs: readonly number[]
}

/** Requests that one block of the bar stands for. */
const requestsPerBlock = 5
const blocksMax = 14

/** `load ████   20 │ instances ●●○○ 2 │ p50 104 ms  p95 131 ms` */
export function pictureOf({ load, instances, instancesMax, latenciesMs }: Second): string {
  const bar = '█'.repeat(Math.min(blocksMax, Math.ceil(load / requestsPerBlock))).padEnd(blocksMax)
  const dots = '●'.repeat(instances).padEnd(instancesMax, '○')
  const sorted = latenciesMs.toSorted((one, other) => one - other)
  const latency =
    sorted.length === 0 ? 'no answer yet' : `p50 ${quantile(sorted, 0.5)} ms  p95 ${quantile(sorted, 0.95)} ms`
  return `load ${bar} ${String(load).padStart(3)} │ instances ${dots} ${instances} │ ${latency}`
}

const quantile = (sorted: readonly number[], share: number): number =>
  Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!)
