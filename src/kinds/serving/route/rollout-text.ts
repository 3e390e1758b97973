// The state of a gradual rollout as the Ingress keeps it: upstream's JSON, times in nanoseconds.
// Source: knative/serving pkg/reconciler/route/traffic/rollout.go.
import type { ConfigurationRollout, RevisionShare, Rollout, RolloutSteps } from './rollout.ts'

interface StoredSteps {
  starttime?: number
  nextStepTime?: number
  stepDuration?: number
  stepSize?: number
}

interface StoredRollout {
  configurations?: {
    configurationName?: string
    tag?: string
    percent?: number
    revisions?: readonly Partial<RevisionShare>[]
    stepParams?: StoredSteps
  }[]
}

const nanosecondsPerMs = 1e6

export function writeRollout(rollout: Rollout): string {
  const configurations = rollout.map(({ configurationName, tag, percent, revisions, steps }) => ({
    configurationName,
    ...(tag === '' ? {} : { tag }),
    percent,
    revisions,
    stepParams: steps === undefined ? {} : storedSteps(steps),
  }))
  return JSON.stringify(configurations.length === 0 ? {} : ({ configurations } satisfies StoredRollout))
}

/** `undefined` when the text is no rollout, or its numbers do not add up: somebody edited it. */
export function readRollout(text: string | undefined): Rollout | undefined {
  try {
    const stored = JSON.parse(text ?? '') as StoredRollout
    if (typeof stored !== 'object') return undefined
    const { configurations = [] } = stored
    const rollout = configurations.map(({ configurationName = '', tag = '', percent = 0, revisions, stepParams }) => ({
      configurationName,
      tag,
      percent,
      revisions: (revisions ?? []).map(({ revisionName = '', percent: share = 0 }) => ({
        revisionName,
        percent: share,
      })),
      ...readSteps(stepParams),
    }))
    return rollout.every(addsUp) ? rollout : undefined
  } catch {
    // Whatever it is, it has not the form.
    return undefined
  }
}

const storedSteps = ({ startMs, pace }: RolloutSteps): StoredSteps => ({
  starttime: startMs * nanosecondsPerMs,
  ...(pace !== undefined && {
    nextStepTime: pace.nextMs * nanosecondsPerMs,
    stepDuration: pace.everyMs * nanosecondsPerMs,
    stepSize: pace.percent,
  }),
})

function readSteps(stored: StoredSteps = {}): Pick<ConfigurationRollout, 'steps'> {
  const { starttime, nextStepTime, stepDuration, stepSize = 0 } = stored
  if (starttime === undefined) return {}
  const steps: RolloutSteps = { startMs: milliseconds(starttime) }
  if (nextStepTime === undefined || stepDuration === undefined) return { steps }
  const pace = { nextMs: milliseconds(nextStepTime), everyMs: milliseconds(stepDuration), percent: stepSize }
  return { steps: { ...steps, pace } }
}

/** Numbers of this size have lost their last digits anyway. */
const milliseconds = (nanoseconds: number): number => Math.round(nanoseconds / nanosecondsPerMs)

function addsUp({ percent, revisions, steps }: ConfigurationRollout): boolean {
  const step = steps?.pace?.percent ?? 0
  const total = revisions.reduce((sum, share) => sum + share.percent, 0)
  return percent <= 100 && step >= 0 && step <= percent && total === percent
}
