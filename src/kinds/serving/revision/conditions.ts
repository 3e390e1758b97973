// What a Revision's conditions take from its Deployment and its PodAutoscaler. Source: knative/serving
// pkg/apis/serving/v1/revision_lifecycle.go, pkg/apis/serving/k8s_lifecycle.go.
import type { Conditions } from '../../../engine/reconciler.ts'
import { conditionOf } from '../../../model/duck/conditions.ts'
import type { Deployment, DeploymentCondition } from '../../apps/deployment/schema.ts'
import type { PodAutoscaler } from '../../autoscaling/pod-autoscaler/schema.ts'

/** Starting over: nothing is known of the program yet. */
export function markDeploying(conditions: Conditions): void {
  conditions.markUnknown('ResourcesAvailable', 'Deploying', '')
  conditions.markUnknown('ContainerHealthy', 'Deploying', '')
}

export function mirrorDeployment(conditions: Conditions, deployment: Deployment): void {
  const { status, reason = '', message = '' } = readinessOf(deployment)
  if (status === 'True') conditions.markTrue('ResourcesAvailable')
  else if (status === 'False') conditions.markFalse('ResourcesAvailable', reason, message)
  else conditions.markUnknown('ResourcesAvailable', reason, message)
}

/** One word for both of its conditions: a failure to make Pods weighs more than a lack of progress. */
function readinessOf({ status: { conditions = [] } = {} }: Deployment): Omit<DeploymentCondition, 'type'> {
  const progressing = conditions.find(({ type }) => type === 'Progressing')
  const failure = conditions.find(({ type }) => type === 'ReplicaFailure')
  if (failure?.status === 'True') return { ...failure, status: 'False' }
  if (progressing?.status === 'False' || failure?.status !== 'Unknown') {
    return progressing ?? { status: 'Unknown', reason: 'Deploying' }
  }
  return failure
}

/** Whether the Deployment has waited for its Pods as long as it may. */
export const hasTimedOut = ({ status = {} }: Deployment): boolean =>
  (status.conditions ?? []).some(
    ({ type, status: is, reason }) => type === 'Progressing' && is === 'False' && reason === 'ProgressDeadlineExceeded',
  )

export function mirrorScaler(conditions: Conditions, scaler: PodAutoscaler): void {
  const isBad = ['ResourcesAvailable', 'ContainerHealthy'].some((type) => conditions.status(type) === 'False')
  const ready = conditionOf(scaler, 'Ready')
  if (ready === undefined) {
    conditions.markUnknown('Active', 'Deploying', '')
    if (!isBad) conditions.markUnknown('ResourcesAvailable', 'Deploying', '')
    return
  }
  const isInitialized = conditionOf(scaler, 'ScaleTargetInitialized')?.status === 'True'
  const hasService = (scaler.status?.serviceName ?? '') !== ''
  if (isInitialized && !isBad) {
    conditions.markTrue('ResourcesAvailable')
    conditions.markTrue('ContainerHealthy')
  }
  if (conditions.status('ResourcesAvailable') === 'True' && (!hasService || !isInitialized)) {
    conditions.markUnknown('ResourcesAvailable', 'Deploying', '')
  }
  const { status, reason = '', message = '' } = ready
  if (status === 'True') return conditions.markTrue('Active')
  if (status === 'Unknown') return conditions.markUnknown('Active', reason, message)
  // Scaled to zero before it ever reached its initial scale.
  if (!isInitialized && !isBad && hasService) {
    conditions.markFalse('ResourcesAvailable', 'ProgressDeadlineExceeded', 'Initial scale was never achieved')
  }
  conditions.markFalse('Active', reason, message)
}
