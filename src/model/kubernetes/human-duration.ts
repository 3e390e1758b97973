// Ages as kubectl shows them: `42s`, `5m12s`, `3d4h`. Source: kubernetes/apimachinery pkg/util/duration/duration.go.

const minute = 60
const hour = 60 * minute
const day = 24 * hour
const year = 365 * day

/** A duration in the two largest units that matter; `<invalid>` when it is more than a second negative. */
export function humanDuration(durationMs: number): string {
  const seconds = Math.trunc(durationMs / 1000)
  if (seconds < -1) return '<invalid>'
  if (seconds < 2 * minute) return `${Math.max(0, seconds)}s`
  if (seconds < 10 * minute) return pair(seconds, minute, 'm', 1, 's')
  if (seconds < 3 * hour) return `${Math.trunc(seconds / minute)}m`
  if (seconds < 8 * hour) return pair(seconds, hour, 'h', minute, 'm')
  if (seconds < 2 * day) return `${Math.trunc(seconds / hour)}h`
  if (seconds < 8 * day) return pair(seconds, day, 'd', hour, 'h')
  if (seconds < 2 * year) return `${Math.trunc(seconds / day)}d`
  if (seconds < 8 * year) return pair(seconds, year, 'y', day, 'd')
  return `${Math.trunc(seconds / year)}y`
}

/** How long ago an RFC 3339 time was; `<unknown>` without one, `<invalid>` when it is none. */
export function humanAge(time: unknown, nowMs: number): string {
  if (time === undefined || time === null || time === '') return '<unknown>'
  const ms = typeof time === 'string' ? Date.parse(time) : Number.NaN
  return Number.isNaN(ms) ? '<invalid>' : humanDuration(nowMs - ms)
}

function pair(seconds: number, large: number, largeUnit: string, small: number, smallUnit: string): string {
  const rest = Math.trunc((seconds % large) / small)
  const head = `${Math.trunc(seconds / large)}${largeUnit}`
  return rest === 0 ? head : `${head}${rest}${smallUnit}`
}
