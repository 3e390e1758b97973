// For tests of Revisions: a Revision, its children as their controllers leave them, and one reconcile.
import { reconcileOnce } from '../../../engine/control-loop/reconcile-once.ts'
import type { ReconcileOnceOptions, ReconcileRun } from '../../../engine/control-loop/reconcile-once.ts'
import type { RequestLogSpec, RevisionDoor } from '../../../engine/serving.ts'
import type { Condition } from '../../../model/duck/types.ts'
import type { ContainerState, Pod } from '../../../model/kubernetes/pod/pod.ts'
import { controllerRef } from '../../../model/kubernetes/resource.ts'
import type { ObjectMeta, Resource } from '../../../model/kubernetes/resource.ts'
import type { RevisionSpec } from '../../../model/serving/revision-template.ts'
import type { Deployment, DeploymentCondition, DeploymentStatus } from '../../apps/deployment/schema.ts'
import type { PodAutoscaler, PodAutoscalerStatus } from '../../autoscaling/pod-autoscaler/schema.ts'
import { makeDeployment } from './deployment.ts'
import { revision as revisionKindDefinition } from './kind.ts'
import { makePodAutoscaler } from './pod-autoscaler.ts'
import type { Revision, RevisionStatus } from './schema.ts'

const image = 'example.com/hello'
const shipped = { autoscaler: {}, deployment: {}, features: {} }
export const resolved = { containerStatuses: [{ name: 'user-container', imageDigest: '' }] }

export function aRevision(
  spec: Partial<RevisionSpec> = {},
  metadata: Partial<ObjectMeta> = {},
  status: RevisionStatus = resolved,
): Revision {
  return {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Revision',
    metadata: { name: 'hello-00001', namespace: 'shop', uid: 'uid-of-hello', generation: 1, ...metadata },
    spec: { timeoutSeconds: 300, containers: [{ name: 'user-container', image }], ...spec },
    status,
  }
}

export const available: DeploymentCondition[] = [{ type: 'Progressing', status: 'True' }]
const up: DeploymentStatus = { replicas: 1, readyReplicas: 1, availableReplicas: 1, conditions: available }

export function aDeployment(of: Revision, status: DeploymentStatus = up, replicas = 1): Deployment {
  const made = makeDeployment(of, shipped)
  const metadata = { ...made.metadata, uid: 'uid-of-deployment', generation: 1 }
  return { ...made, metadata, spec: { ...made.spec, replicas }, status }
}

export const condition = (type: string, status: Condition['status'], reason?: string, message?: string): Condition => ({
  type,
  status,
  ...(reason === undefined ? {} : { reason }),
  ...(message === undefined ? {} : { message }),
})
export const active = [condition('Ready', 'True'), condition('ScaleTargetInitialized', 'True')]

export function aScaler(of: Revision, status: PodAutoscalerStatus = {}): PodAutoscaler {
  const made = makePodAutoscaler(of, '', 'kpa.autoscaling.knative.dev')
  return { ...made, status: { serviceName: 'hello-00001', conditions: active, ...status } }
}

export function aPod(
  of: Deployment,
  state: ContainerState,
  more: { lastState?: ContainerState; restartCount?: number } = {},
): Pod {
  const { lastState = {}, restartCount = 0 } = more
  const base = { name: 'user-container', ready: false, image, imageID: '', restartCount }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'hello-00001-deployment-1', namespace: 'shop', ownerReferences: [controllerRef(of)] },
    spec: { containers: [{ name: 'user-container', image }] },
    status: { phase: 'Pending', containerStatuses: [{ ...base, state, lastState }] },
  }
}

interface Outcome extends ReconcileRun<Revision> {
  /** What the door was told last; `null` when it was told that all is well. */
  trouble: string | null | undefined
  /** What it was told last to write of requests. */
  requestLog: RequestLogSpec | undefined
}

export async function run(
  object: Revision,
  stored: Resource[] = [],
  options: Partial<ReconcileOnceOptions> = {},
): Promise<Outcome> {
  let trouble: string | null | undefined
  let requestLog: RequestLogSpec | undefined
  const door = {
    setTrouble: (message?: string) => (trouble = message ?? null),
    setRequestLog: (spec?: RequestLogSpec) => (requestLog = spec),
  } as unknown as RevisionDoor
  const revisions = { find: () => door } as never
  const deps = { revisions, ...options.deps }
  const outcome = await reconcileOnce(object, { kind: revisionKindDefinition, stored, ...options, deps })
  return Object.assign(outcome, { trouble, requestLog })
}

export async function find<Child extends Resource>(outcome: ReconcileRun<Revision>, kind: string): Promise<Child> {
  return (await outcome.stored()).find((each) => each.kind === kind) as Child
}
