// Makes a PodAutoscaler real: a scaler that sets its Deployment's replicas, and objects that show what it came to.
// Sources: knative/serving pkg/reconciler/autoscaling/kpa/kpa.go, hpa/hpa.go.
import type { Activity, ScaleSettings, ScaleState, Scaler, ScalerRules } from '../../../engine/autoscaler.ts'
import { scaleSettings } from '../../../engine/autoscaling/scale-settings.ts'
import { kindIdOf } from '../../../engine/children.ts'
import type { KindDeps, ReconcileContext, Reconciler } from '../../../engine/reconciler.ts'
import { followServingConfig } from '../../../engine/serving-settings.ts'
import { conditionOf } from '../../../model/duck/conditions.ts'
import { parseQuantity } from '../../../model/kubernetes/quantity.ts'
import { controllerOf } from '../../../model/kubernetes/resource.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { annotationKeys, findAnnotation } from '../../../model/serving/annotation-keys.ts'
import { configurationLabel, serviceLabel } from '../../../model/serving/metadata-keys.ts'
import { scalerClasses } from '../../../model/serving/scaler-class.ts'
import { autoscalerConfigMap, deploymentConfigMap } from '../../../model/serving/serving-config.ts'
import type { Deployment } from '../../apps/deployment/schema.ts'
import { serverlessServiceKind } from '../../networking/serverless-service/schema.ts'
import type { ServerlessService } from '../../networking/serverless-service/schema.ts'
import { metricKind } from '../metric/schema.ts'
import { makeMetric, makeServerlessService } from './children.ts'
import { scaleWordsAnnotation } from './schema.ts'
import type { PodAutoscaler } from './schema.ts'

export class PodAutoscalerReconciler implements Reconciler<PodAutoscaler> {
  readonly conditions = { dependents: ['Active', 'ScaleTargetInitialized', 'SKSReady'] }
  #autoscaler: KindDeps['autoscaler']
  /** By uid. */
  #scalers = new Map<string, Scaler>()

  constructor({ autoscaler }: Pick<KindDeps, 'autoscaler'>) {
    this.#autoscaler = autoscaler
  }

  isOurs({ metadata }: PodAutoscaler): boolean {
    const scalerClass = findAnnotation(metadata.annotations, annotationKeys.class)?.value
    return scalerClass === undefined || scalerClasses.has(scalerClass)
  }

  async reconcile(scaler: PodAutoscaler, context: ReconcileContext): Promise<void> {
    const { namespace = '' } = scaler.metadata
    const { apiVersion = '', kind = '', name = '' } = scaler.spec.scaleTargetRef
    const target = { kind: kindIdOf({ apiVersion, kind }), name }
    const deployment = context.get<Deployment>(target.kind, namespace, name)
    const settings = settingsOf(scaler, context)
    if (deployment === undefined) {
      await context.workers.stopAll()
      const message = `There is no ${kind} "${name}" to scale.`
      return context.conditions.markUnknown('Active', 'NoScaleTarget', message)
    }
    const rules = rulesOf(scaler, settings, deployment)
    const running = await this.#scalerOf(scaler, target, rules, context)
    if (running === undefined) return
    running.configure(rules)
    const { state } = running
    await this.#showNetwork(scaler, state, context)
    if (settings.class !== 'hpa' && scaler.status?.metricsServiceName !== undefined) {
      refuseForeign(metricKind, scaler, context)
      await context.apply(makeMetric(scaler, settings))
    }
    showScale(scaler, state, context)
  }

  async #scalerOf(
    scaler: PodAutoscaler,
    target: { kind: string; name: string },
    rules: ScalerRules,
    context: ReconcileContext,
  ): Promise<Scaler | undefined> {
    const { namespace = '', name, uid = '' } = scaler.metadata
    const activity = activityOf(conditionOf(scaler, 'Active')?.status)
    const isInitialized = conditionOf(scaler, 'ScaleTargetInitialized')?.status === 'True'
    const before = activity === undefined ? {} : { before: { activity, isInitialized } }
    const isByUsage = rules.settings.class === 'hpa'
    await context.workers.ensure('scaler', { target, uid, isByUsage }, () => {
      const options = { namespace, name, target, rules, ...before, onChange: () => context.requeue() }
      const running = this.#autoscaler.open(options)
      this.#scalers.set(uid, running)
      const stop = async (): Promise<void> => {
        if (this.#scalers.get(uid) === running) this.#scalers.delete(uid)
        await running[Symbol.asyncDispose]()
      }
      return Promise.resolve({ [Symbol.asyncDispose]: stop })
    })
    return this.#scalers.get(uid)
  }

  async #showNetwork(scaler: PodAutoscaler, state: ScaleState, context: ReconcileContext): Promise<void> {
    const { conditions } = context
    const status = (scaler.status ??= {})
    refuseForeign(serverlessServiceKind, scaler, context)
    const network = await context.apply<ServerlessService>(makeServerlessService(scaler, state))
    const { serviceName, privateServiceName, observedGeneration } = network.status ?? {}
    if (privateServiceName === undefined) {
      return conditions.markUnknown('SKSReady', 'NotReady', 'No Private Service Name')
    }
    status.metricsServiceName = privateServiceName
    if (serviceName !== undefined) status.serviceName = serviceName
    const ready = conditionOf(network, 'Ready')
    if (ready?.status === 'True' && observedGeneration === network.metadata.generation) {
      conditions.markTrue('SKSReady')
    } else conditions.markUnknown('SKSReady', 'NotReady', ready?.message ?? '')
  }
}

function settingsOf({ metadata, spec }: PodAutoscaler, context: ReconcileContext): ScaleSettings {
  return scaleSettings(
    {
      annotations: metadata.annotations,
      containerConcurrency: spec.containerConcurrency ?? 0,
      isReachable: spec.reachability !== 'Unreachable',
    },
    {
      autoscaler: followServingConfig(autoscalerConfigMap, context),
      deployment: followServingConfig(deploymentConfigMap, context),
    },
  )
}

function rulesOf({ metadata }: PodAutoscaler, settings: ScaleSettings, { spec }: Deployment): ScalerRules {
  const cpu = settings.class === 'hpa' ? cpuRequestMillis(spec.template) : undefined
  return {
    settings,
    selector: spec.selector?.matchLabels ?? {},
    service: metadata.labels?.[serviceLabel] ?? '',
    configuration: metadata.labels?.[configurationLabel] ?? '',
    ...(cpu === undefined ? {} : { cpuRequestMillis: cpu }),
  }
}

function showScale(scaler: PodAutoscaler, state: ScaleState, { conditions }: ReconcileContext): void {
  const status = (scaler.status ??= {})
  status.actualScale = state.ready
  // What was known before a restart is better than nothing.
  if (state.want >= 0 || (status.desiredScale ?? -1) < 0) status.desiredScale = state.want
  if (state.words !== '') status.annotations = { ...status.annotations, [scaleWordsAnnotation]: state.words }
  if (state.isInitialized && status.serviceName !== undefined) conditions.markTrue('ScaleTargetInitialized')
  switch (state.activity) {
    case 'active':
      return conditions.markTrue('Active')
    case 'activating':
      return conditions.markUnknown('Active', state.reason, state.message)
    case 'inactive':
      return conditions.markFalse('Active', state.reason, state.message)
    default:
      return state.activity satisfies never
  }
}

/** What all containers of an instance ask for of the processor, in thousandths; `undefined` when none asks. */
function cpuRequestMillis(template: Deployment['spec']['template']): number | undefined {
  const requests = (template?.spec?.containers ?? []).map(({ resources }) => resources?.requests?.['cpu'])
  const total = requests.reduce<number>((sum, request) => sum + (parseQuantity(request ?? 0) ?? 0), 0)
  return total === 0 ? undefined : total * 1_000
}

/** @throws when there is such an object of that name, and it is somebody else's. */
function refuseForeign(kind: string, scaler: PodAutoscaler, context: ReconcileContext): void {
  const { name, namespace = '', uid } = scaler.metadata
  const existing = context.get<Resource>(kind, namespace, name)
  if (existing === undefined || controllerOf(existing)?.uid === uid) return
  const message = `There is an existing ${existing.kind} ${JSON.stringify(name)} that we do not own.`
  context.conditions.markFalse('Active', 'NotOwned', message)
  throw new Error(`PA: ${name} does not own ${existing.kind}: ${name}`)
}

const activities: Readonly<Record<string, Activity>> = { True: 'active', False: 'inactive', Unknown: 'activating' }
const activityOf = (status: string | undefined): Activity | undefined =>
  status === undefined ? undefined : activities[status]
