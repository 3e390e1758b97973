// Makes a Revision run: its door, the images its tags mean, its Deployment, its PodAutoscaler; and says how they fare.
// Source: knative/serving pkg/reconciler/revision/revision.go, reconcile_resources.go.
import type { KindDeps, ReconcileContext, Reconciler } from '../../../engine/reconciler.ts'
import { followServingConfig } from '../../../engine/serving-settings.ts'
import { conditionOf } from '../../../model/duck/conditions.ts'
import { podAnnotations, podKind } from '../../../model/kubernetes/pod/pod.ts'
import type { Pod } from '../../../model/kubernetes/pod/pod.ts'
import { controllerOf } from '../../../model/kubernetes/resource.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { StatusError } from '../../../model/kubernetes/status-error.ts'
import { readAutoscalerConfig } from '../../../model/serving/autoscaler-config.ts'
import { configurationLabel, serviceLabel } from '../../../model/serving/metadata-keys.ts'
import { readRequestLogFormat } from '../../../model/serving/request-log.ts'
import {
  autoscalerConfigMap,
  deploymentConfigMap,
  featuresConfigMap,
  observabilityConfigMap,
} from '../../../model/serving/serving-config.ts'
import type { ConfigData } from '../../../model/serving/serving-config.ts'
import { deploymentKind } from '../../apps/deployment/schema.ts'
import type { Deployment } from '../../apps/deployment/schema.ts'
import { podAutoscalerKind } from '../../autoscaling/pod-autoscaler/schema.ts'
import type { PodAutoscaler } from '../../autoscaling/pod-autoscaler/schema.ts'
import { hasTimedOut, markDeploying, mirrorDeployment, mirrorScaler } from './conditions.ts'
import { deploymentName, makeDeployment, updatedDeployment } from './deployment.ts'
import type { DeploymentConfig } from './deployment.ts'
import { doorSpec } from './door.ts'
import { ImageDigests } from './image-digests.ts'
import { makePodAutoscaler, reachabilityOf } from './pod-autoscaler.ts'
import { isHopeless, podTrouble, readinessHint } from './pod-trouble.ts'
import type { Revision, RevisionStatus } from './schema.ts'

export class RevisionReconciler implements Reconciler<Revision> {
  readonly conditions = { dependents: ['ResourcesAvailable', 'ContainerHealthy'], info: ['Active'] }
  #deps: KindDeps
  #digests: ImageDigests

  constructor(deps: KindDeps) {
    this.#deps = deps
    this.#digests = new ImageDigests(deps)
  }

  async reconcile(revision: Revision, context: ReconcileContext): Promise<void> {
    const { conditions, workers } = context
    const status = (revision.status ??= {})
    const wasReady = conditionOf(revision, 'Ready')?.status === 'True'
    setLogUrl(revision, status, followServingConfig(observabilityConfigMap, context))
    // First of all: requests may come as soon as a Route knows the name.
    await workers.ensure('door', doorSpec(revision), (spec) => Promise.resolve(this.#deps.revisions.open(spec)))
    this.#logRequests(revision, context)
    this.#prewarm(revision)

    const lookup = await this.#digests.lookUp(revision, followServingConfig(deploymentConfigMap, context), context)
    if (lookup.phase === 'asking') return conditions.markUnknown('ResourcesAvailable', 'ResolvingDigests', '')
    if (lookup.phase === 'failed') {
      conditions.markFalse('ContainerHealthy', 'ContainerMissing', lookup.message)
      return this.#tellDoor(revision, lookup.message)
    }

    const { deployment, trouble } = await this.#deployment(revision, context)
    await this.#scaler(revision, deployment, context)
    this.#tellDoor(revision, trouble)
    if (!wasReady && conditions.status('Ready') === 'True') {
      context.event('Normal', 'RevisionReady', 'Revision becomes ready upon all resources being ready')
    }
  }

  /** A function that is asked at zero finds a warm process, also after a restart of Knode. */
  #prewarm({ metadata: { namespace = '', name, annotations } }: Revision): void {
    const functionFile = annotations?.[podAnnotations.functionFile]
    if (functionFile !== undefined) this.#deps.runtime.prewarm?.({ name, namespace, image: '', env: {}, functionFile })
  }

  /** @returns also why nobody should wait for an instance */
  async #deployment(
    revision: Revision,
    context: ReconcileContext,
  ): Promise<{ deployment: Deployment; trouble: string | undefined }> {
    const { conditions } = context
    const { namespace = '' } = revision.metadata
    const wanted = makeDeployment(revision, deploymentConfig(context))
    const existing = context.get<Deployment>(deploymentKind, namespace, deploymentName(revision))
    if (existing === undefined) {
      markDeploying(conditions)
      return { deployment: await this.#create(wanted, context), trouble: undefined }
    }
    checkOwner(revision, existing, context)
    const update = updatedDeployment(existing, wanted)
    const deployment = update === undefined ? existing : await this.#deps.client.update(update)
    mirrorDeployment(conditions, deployment)
    const { readyReplicas = 0, availableReplicas = 0 } = deployment.status ?? {}
    const isDown = (deployment.spec.replicas ?? 1) > 0 && availableReplicas === 0
    const trouble = isDown ? this.#podTrouble(deployment, context) : undefined
    if (readyReplicas > 0) conditions.markTrue('ContainerHealthy')
    return { deployment, trouble }
  }

  #podTrouble(deployment: Deployment, context: ReconcileContext): string | undefined {
    const pods = context
      .children<Pod>(podKind, deployment)
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    const timedOut = hasTimedOut(deployment)
    const found = podTrouble(pods, timedOut)
    if (found !== undefined) context.conditions.markFalse(found.condition, found.reason, found.message)
    const hint = readinessHint(pods)
    if (hint !== undefined && context.conditions.status('ContainerHealthy') === 'Unknown') {
      context.conditions.markUnknown('ContainerHealthy', 'Deploying', hint)
    }
    if (found !== undefined && isHopeless(pods)) return found.message
    const failure = deployment.status?.conditions?.find(
      ({ type, status }) => type === 'ReplicaFailure' && status === 'True',
    )
    if (failure !== undefined && pods.length === 0) return failure.message ?? failure.reason
    return timedOut ? (found?.message ?? hint ?? 'Initial scale was never achieved') : undefined
  }

  async #scaler(revision: Revision, deployment: Deployment, context: ReconcileContext): Promise<void> {
    const { conditions } = context
    const { namespace = '', name } = revision.metadata
    const existing = context.get<PodAutoscaler>(podAutoscalerKind, namespace, name)
    if (existing !== undefined) checkOwner(revision, existing, context)
    const { podAutoscalerClass } = readAutoscalerConfig(followServingConfig(autoscalerConfigMap, context))
    if (existing !== undefined) mirrorScaler(conditions, existing)
    const reachability = reachabilityOf(revision, deployment, conditions)
    const scaler = await context.apply(makePodAutoscaler(revision, reachability, podAutoscalerClass))
    if (existing === undefined) mirrorScaler(conditions, scaler)
    mirrorReplicas(revision.status!, scaler)
  }

  async #create(wanted: Deployment, { conditions }: ReconcileContext): Promise<Deployment> {
    const { namespace = '', name } = wanted.metadata
    try {
      return await this.#deps.client.create(wanted)
    } catch (thrown) {
      // The cache has not seen yet what was made a moment ago.
      const found = await this.#deps.client.get<Deployment>(deploymentKind, namespace, name)
      if (found !== undefined && controllerOf(found)?.uid === controllerOf(wanted)?.uid) return found
      if (thrown instanceof StatusError) conditions.markFalse('ResourcesAvailable', 'FailedCreate', thrown.message)
      throw thrown
    }
  }

  /** A door that is open learns of it without closing. */
  #logRequests({ metadata: { namespace = '', name, labels = {} } }: Revision, context: ReconcileContext): void {
    const format = readRequestLogFormat(followServingConfig(observabilityConfigMap, context))
    const names = { service: labels[serviceLabel] ?? '', configuration: labels[configurationLabel] ?? '' }
    this.#deps.revisions.find(namespace, name)?.setRequestLog(format && { ...format, ...names })
  }

  #tellDoor({ metadata: { namespace = '', name } }: Revision, trouble: string | undefined): void {
    this.#deps.revisions.find(namespace, name)?.setTrouble(trouble)
  }
}

const deploymentConfig = (context: ReconcileContext): DeploymentConfig => ({
  autoscaler: followServingConfig(autoscalerConfigMap, context),
  deployment: followServingConfig(deploymentConfigMap, context),
  features: followServingConfig(featuresConfigMap, context),
})

function setLogUrl({ metadata }: Revision, status: RevisionStatus, observability: ConfigData): void {
  const template = observability['logging.revision-url-template'] ?? ''
  if (template === '') delete status.logUrl
  else status.logUrl = template.replaceAll('${REVISION_UID}', metadata.uid ?? '')
}

/** @throws where the child belongs to somebody else */
function checkOwner(revision: Revision, { kind, metadata }: Resource, { conditions }: ReconcileContext): void {
  if (metadata.ownerReferences?.some(({ uid, controller }) => controller === true && uid === revision.metadata.uid))
    return
  const text = `There is an existing ${kind} "${metadata.name}" that we do not own.`
  conditions.markFalse('ResourcesAvailable', 'NotOwned', text)
  throw new Error(`revision: "${revision.metadata.name}" does not own ${kind}: "${metadata.name}"`)
}

function mirrorReplicas(status: RevisionStatus, { status: { actualScale, desiredScale } = {} }: PodAutoscaler): void {
  if (actualScale === undefined || actualScale < 0) delete status.actualReplicas
  else status.actualReplicas = actualScale
  if (desiredScale === undefined || desiredScale < 0) delete status.desiredReplicas
  else status.desiredReplicas = desiredScale
}
