// Why the Pods of a Revision do not get ready, as far as they tell. Source: knative/serving
// pkg/reconciler/revision/reconcile_resources.go.
import type { ContainerStatus, Pod } from '../../../model/kubernetes/pod/pod.ts'

export interface PodTrouble {
  condition: 'ResourcesAvailable' | 'ContainerHealthy'
  reason: string
  message: string
}

/** States that waiting alone does not end: Knode tells them at once, upstream after the progress deadline. */
const stuckReasons = new Set([
  'CreateContainerConfigError',
  'CreateContainerError',
  'ErrImageNeverPull',
  'ErrImagePull',
  'ImageInspectError',
  'ImagePullBackOff',
  'InvalidImageName',
  'RunContainerError',
])

/** Starts in a row that may fail before nobody waits for the program any more. */
const failuresMax = 3

/** @param hasTimedOut whether the Deployment has exceeded its progress deadline */
export function podTrouble(pods: readonly Pod[], hasTimedOut: boolean): PodTrouble | undefined {
  // All of them have the same template, so one may speak for all.
  const pod = pods[0]
  if (pod === undefined) return undefined
  for (const { state, lastState } of unfinished(pod)) {
    const ended = lastState.terminated ?? state.terminated
    const { waiting } = state
    if (ended !== undefined) {
      const { exitCode, message = '' } = ended
      const words = exitCode === 0 && message === '' ? 'container exited with no error' : message
      return {
        condition: 'ContainerHealthy',
        reason: `ExitCode${exitCode}`,
        message: `Container failed with: ${words}`,
      }
    }
    if (waiting !== undefined && (hasTimedOut || stuckReasons.has(waiting.reason ?? ''))) {
      return { condition: 'ResourcesAvailable', reason: waiting.reason ?? '', message: waiting.message ?? '' }
    }
  }
  const unscheduled = pod.status?.conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False')
  if (unscheduled === undefined) return undefined
  const { reason = '', message = '' } = unscheduled
  return { condition: 'ResourcesAvailable', reason, message }
}

/** What is known of a program that runs and does not get ready, e.g. that it listens on another port. */
export function readinessHint([pod]: readonly Pod[]): string | undefined {
  const ready = pod?.status?.conditions?.find(({ type }) => type === 'Ready')
  // Kubernetes' own words end with the list of containers.
  return /\]: (.+)$/s.exec(ready?.message ?? '')?.[1]
}

/** Whether every Pod has failed so often, or so finally, that requests should not wait for it. */
export const isHopeless = (pods: readonly Pod[]): boolean => pods.length > 0 && pods.every(hasGivenUp)

const hasGivenUp = (pod: Pod): boolean =>
  unfinished(pod).some(({ state, restartCount }) => {
    const reason = state.waiting?.reason ?? ''
    // A first failed pull may be a hiccup, and so may a first failed start.
    if (reason === 'CrashLoopBackOff') return restartCount + 1 >= failuresMax
    return stuckReasons.has(reason) && reason !== 'ErrImagePull'
  })

/** Containers that are not where they should be. */
const unfinished = ({ status }: Pod): ContainerStatus[] => [
  ...(status?.initContainerStatuses ?? []).filter(({ state }) => state.terminated?.exitCode !== 0),
  ...(status?.containerStatuses ?? []).filter(({ ready }) => !ready),
]
