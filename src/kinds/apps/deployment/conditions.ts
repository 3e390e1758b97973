// Conditions of a Deployment. Source: kubernetes/kubernetes pkg/controller/deployment (progress.go, sync.go).
import { kubernetesTime } from '../../../model/kubernetes/resource.ts'
import { rolloutBounds } from './rollout-bounds.ts'
import type { Deployment, DeploymentCondition, DeploymentStatus } from './schema.ts'

export interface ConditionFacts {
  /** The counts as they are now. */
  counts: Required<Pick<DeploymentStatus, 'replicas' | 'updatedReplicas' | 'readyReplicas' | 'availableReplicas'>>
  /** Name of the template as it is: `DEPLOYMENT-HASH`, a ReplicaSet's upstream. */
  template: string
  /** Why Pods could not be made. */
  createFailure?: string
  nowMs: number
}

/** @param deployment with the status it had */
export function nextConditions(deployment: Deployment, facts: ConditionFacts): DeploymentCondition[] {
  const before = deployment.status?.conditions ?? []
  const found = (type: DeploymentCondition['type']): DeploymentCondition | undefined =>
    before.find((condition) => condition.type === type)
  const progress = progressing(deployment, found('Progressing'), facts)
  const failure: Observation[] =
    facts.createFailure === undefined
      ? []
      : [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: facts.createFailure }]
  return [available(deployment, facts), ...(progress === undefined ? [] : [progress]), ...failure].map((observed) =>
    dated(observed, found(observed.type), facts.nowMs),
  )
}

/** When a rollout without progress will have failed; `undefined` when that cannot happen any more. */
export function progressDeadline({ spec, status }: Deployment): number | undefined {
  const known = status?.conditions?.find(({ type }) => type === 'Progressing')
  if (known === undefined || isSettled(known) || spec.paused === true) return undefined
  return Date.parse(known.lastUpdateTime ?? '') + (spec.progressDeadlineSeconds ?? 600) * 1_000
}

interface Observation extends Pick<DeploymentCondition, 'type' | 'status' | 'reason' | 'message'> {
  /** There is news, even if the words are the same. */
  isNews?: boolean
}

function available({ spec }: Deployment, { counts }: ConditionFacts): Observation {
  const isEnough = counts.availableReplicas >= rolloutBounds(spec).availableMin
  return isEnough
    ? {
        type: 'Available',
        status: 'True',
        reason: 'MinimumReplicasAvailable',
        message: 'Deployment has minimum availability.',
      }
    : {
        type: 'Available',
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      }
}

function progressing(
  deployment: Deployment,
  known: DeploymentCondition | undefined,
  { counts, template, nowMs }: ConditionFacts,
): Observation | undefined {
  const { spec, status = {} } = deployment
  const { replicas = 1, paused = false } = spec
  const name = JSON.stringify(template)
  const observe = (is: 'True' | 'False', reason: string, message: string, isNews = false): Observation => ({
    type: 'Progressing',
    status: is,
    reason,
    message,
    isNews,
  })
  const isOfThis = known?.message?.includes(name) === true
  if (paused && !isOfThis)
    return { type: 'Progressing', status: 'Unknown', reason: 'DeploymentPaused', message: 'Deployment is paused' }
  const isComplete =
    counts.updatedReplicas === replicas && counts.replicas === replicas && counts.availableReplicas >= replicas
  // Once a template has been rolled out, what happens to its Pods is no matter of progress.
  if (isOfThis && known.reason === rolledOut) return observe('True', rolledOut, known.message!)
  if (isComplete) return observe('True', rolledOut, `ReplicaSet ${name} has successfully progressed.`)
  if (!isOfThis) return observe('True', 'NewReplicaSetCreated', `Created new replica set ${name}`, true)
  const oldReplicas = (each: { replicas?: number; updatedReplicas?: number }): number =>
    (each.replicas ?? 0) - (each.updatedReplicas ?? 0)
  const moves =
    counts.updatedReplicas > (status.updatedReplicas ?? 0) ||
    counts.readyReplicas > (status.readyReplicas ?? 0) ||
    counts.availableReplicas > (status.availableReplicas ?? 0) ||
    oldReplicas(counts) < oldReplicas(status)
  if (moves) return observe('True', 'ReplicaSetUpdated', `ReplicaSet ${name} is progressing.`, true)
  const deadlineMs = progressDeadline(deployment)
  if (deadlineMs === undefined || nowMs < deadlineMs) return known
  return observe('False', 'ProgressDeadlineExceeded', `ReplicaSet ${name} has timed out progressing.`)
}

const rolledOut = 'NewReplicaSetAvailable'
const isSettled = ({ reason }: DeploymentCondition): boolean =>
  reason === rolledOut || reason === 'ProgressDeadlineExceeded' || reason === 'DeploymentPaused'

function dated(
  { isNews = false, type, status, reason, message }: Observation,
  known: DeploymentCondition | undefined,
  nowMs: number,
): DeploymentCondition {
  const isSame = known?.status === status && known.reason === reason && known.message === message && !isNews
  if (isSame) return known
  const now = kubernetesTime(nowMs)
  const lastTransitionTime = known?.status === status ? (known.lastTransitionTime ?? now) : now
  return {
    type,
    status,
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
    lastUpdateTime: now,
    lastTransitionTime,
  }
}
