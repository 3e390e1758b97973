// How a new latest Revision takes over step by step. Pure. Source: knative/serving
// pkg/reconciler/route/traffic/rollout.go.
import type { Traffic } from './traffic.ts'

export interface RevisionShare {
  revisionName: string
  /** Of all requests to the host. */
  percent: number
}

/** Times in milliseconds since 1970. */
export interface RolloutSteps {
  startMs: number
  /** Absent until the first step is known to be in force; then all are there. */
  pace?: { nextMs: number; everyMs: number; percent: number }
}

/** The share of one Configuration in the requests of one host. */
export interface ConfigurationRollout {
  configurationName: string
  /** `''` is the Route itself. */
  tag: string
  percent: number
  /** Oldest first; a single one means that nothing is under way. */
  revisions: readonly RevisionShare[]
  steps?: RolloutSteps
}

/** By tag, then by Configuration. */
export type Rollout = readonly ConfigurationRollout[]

/** Where the traffic is to end up: each Configuration at its latest Revision. */
export function rolloutGoal({ byTag }: Traffic): Rollout {
  const goal = [...byTag].flatMap(([tag, targets]) =>
    targets
      .filter(({ latestRevision, percent }) => latestRevision && percent > 0)
      .map(({ configurationName = '', revisionName, percent }) => ({
        configurationName,
        tag,
        percent,
        revisions: [{ revisionName, percent }],
      })),
  )
  return goal.sort((a, b) => compare(a.tag, b.tag) || compare(a.configurationName, b.configurationName))
}

export const isRolledOut = (rollout: Rollout): boolean => rollout.every(({ revisions }) => revisions.length < 2)

/** Sets the pace of what has started: call it when the gateway is known to follow. */
export function paceRollout(rollout: Rollout, nowMs: number, durationMs: number): Rollout {
  return rollout.map((entry) => {
    const { steps, percent } = entry
    if (steps === undefined || steps.pace !== undefined) return entry
    // What the first percent took is what each step takes at least.
    const stepSecondsMin = Math.max(1, Math.ceil((nowMs - steps.startMs) / 1_000))
    const seconds = Math.max(1, durationMs / 1_000 - stepSecondsMin)
    const count = Math.min(Math.max(1, seconds / stepSecondsMin), percent - 1)
    const everyMs = Math.round((seconds * 1_000) / count)
    const pace = { nextMs: nowMs + everyMs, everyMs, percent: Math.round((percent - 1) / count) }
    return { ...entry, steps: { ...steps, pace } }
  })
}

/** The traffic as it should be now, and when it is to be looked at again. */
export function stepRollout(
  goal: Rollout,
  before: Rollout | undefined,
  nowMs: number,
): { rollout: Rollout; nextMs: number | undefined } {
  const rollout = goal.map((wanted) => {
    const former = before?.find(
      ({ tag, configurationName }) => tag === wanted.tag && configurationName === wanted.configurationName,
    )
    // One percent cannot be divided.
    return former === undefined || former.revisions.length === 0 || wanted.percent <= 1
      ? wanted
      : stepConfiguration(wanted, former, nowMs)
  })
  const times = rollout.flatMap(({ steps }) => steps?.pace?.nextMs ?? [])
  return { rollout, nextMs: times.length === 0 ? undefined : Math.min(...times) }
}

function stepConfiguration(
  goal: ConfigurationRollout,
  before: ConfigurationRollout,
  nowMs: number,
): ConfigurationRollout {
  const shares = resized(before.revisions, goal.percent - before.percent)
  const newest = goal.revisions[0]!.revisionName
  if (before.revisions.at(-1)!.revisionName !== newest) {
    const others = shares.filter(({ revisionName }) => revisionName !== newest)
    if (others.length === 0) return goal
    // Who goes back on the way finds the share that is left: a Revision has one.
    const left = shares.find(({ revisionName }) => revisionName === newest)
    const revisions =
      left === undefined ? [...withoutOne(shares), { revisionName: newest, percent: 1 }] : [...others, left]
    return { ...goal, revisions, steps: { startMs: nowMs } }
  }
  if (shares.length < 2 || before.steps === undefined) return goal
  const steps = fitted(before.steps, goal.percent)
  const { pace } = steps
  if (pace === undefined || isEarly(pace, nowMs)) return { ...goal, revisions: shares, steps }
  const revisions = moved(shares, pace.percent)
  if (revisions.length < 2) return goal
  return { ...goal, revisions, steps: { ...steps, pace: { ...pace, nextMs: nowMs + pace.everyMs } } }
}

/** No step is greater than what there is to move. */
function fitted({ startMs, pace }: RolloutSteps, percent: number): RolloutSteps {
  return pace === undefined ? { startMs } : { startMs, pace: { ...pace, percent: Math.min(pace.percent, percent) } }
}

/** A step that seems to be further away than steps are is due: the clock was set back. */
const isEarly = ({ nextMs, everyMs }: NonNullable<RolloutSteps['pace']>, nowMs: number): boolean =>
  nowMs < nextMs && nextMs - nowMs <= everyMs

/** More goes to the newest, less is taken from the oldest. */
function resized(shares: readonly RevisionShare[], byPercent: number): RevisionShare[] {
  const result = [...shares]
  if (byPercent > 0) return changed(result, result.length - 1, byPercent)
  let left = -byPercent
  while (left > 0 && result.length > 0) {
    if (result[0]!.percent > left) return changed(result, 0, -left)
    left -= result.shift()!.percent
  }
  return result
}

/** One percent less for the newest that has any. */
function withoutOne(shares: readonly RevisionShare[]): RevisionShare[] {
  const newest = shares.findLastIndex(({ percent }) => percent > 0)
  return changed(shares, newest, -1).filter(({ percent }) => percent > 0)
}

/** Gives the newest `percent` more: the second newest loses first. */
function moved(shares: readonly RevisionShare[], percent: number): RevisionShare[] {
  const newest = shares.at(-1)!
  const others = shares.slice(0, -1)
  let left = percent
  while (left > 0 && others.length > 0) {
    const last = others.at(-1)!
    if (last.percent > left) {
      others[others.length - 1] = { ...last, percent: last.percent - left }
      left = 0
    } else {
      left -= last.percent
      others.pop()
    }
  }
  return [...others, { ...newest, percent: newest.percent + percent - left }]
}

const changed = (shares: readonly RevisionShare[], at: number, byPercent: number): RevisionShare[] =>
  shares.map((share, index) => (index === at ? { ...share, percent: share.percent + byPercent } : share))

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
