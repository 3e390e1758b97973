// Makes a Service's Configuration and Route, and says what both of them say.
// Source: knative/serving pkg/reconciler/service/service.go, pkg/apis/serving/v1/service_lifecycle.go.
import { messageOf } from '../../../base/errors.ts'
import { kindIdOf } from '../../../engine/children.ts'
import { mirrorCondition } from '../../../engine/mirror-condition.ts'
import type { KindDeps, ReconcileContext, Reconciler } from '../../../engine/reconciler.ts'
import { conditionOf } from '../../../model/duck/conditions.ts'
import { controllerOf } from '../../../model/kubernetes/resource.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { semanticallyEqual } from '../../../model/kubernetes/semantic.ts'
import { conflictsWith } from '../../../model/serving/name-conflict.ts'
import { readServingConfig } from '../../../model/serving/serving-config.ts'
import { setNewTemplateDefaults } from '../../../model/serving/template-defaults.ts'
import { defaultTraffic } from '../../../model/serving/traffic.ts'
import type { TrafficTarget } from '../../../model/serving/traffic.ts'
import { podAutoscalerKind, scaleWordsAnnotation } from '../../autoscaling/pod-autoscaler/schema.ts'
import type { PodAutoscaler } from '../../autoscaling/pod-autoscaler/schema.ts'
import { configurationKind } from '../configuration/schema.ts'
import type { Configuration } from '../configuration/schema.ts'
import { revisionKind } from '../revision/schema.ts'
import type { Revision } from '../revision/schema.ts'
import { routeKind } from '../route/schema.ts'
import type { Route } from '../route/schema.ts'
import { makeConfiguration, makeRoute } from './children.ts'
import type { Service, ServiceStatus } from './schema.ts'

const outOfDate = (kind: string): [reason: string, message: string] => [
  'OutOfDate',
  `The ${kind} is still working to reflect the latest desired specification.`,
]

/** Left in the status by Knode 0.1, where a Service had no children. */
const formerAnnotations = ['knode.dev/template', 'knode.dev/configuration-generation']

export class ServiceReconciler implements Reconciler<Service> {
  readonly conditions = { dependents: ['ConfigurationsReady', 'RoutesReady'] }
  #deps: KindDeps

  constructor(deps: KindDeps) {
    this.#deps = deps
  }

  async reconcile(service: Service, context: ReconcileContext): Promise<void> {
    const { conditions } = context
    const { name, namespace = '' } = service.metadata
    const status = (service.status ??= {})
    const configuration = await this.#configuration(service, context)
    const template = configuration.spec.template ?? {}
    const revisionName = template.metadata?.name ?? ''
    const isUpToDate = isObserved(configuration)
    if (isUpToDate) mirrorConfiguration(configuration, status, context)
    annotate(status, namespace, context)
    if (!isUpToDate) {
      conditions.markUnknown('ConfigurationsReady', ...outOfDate('Configuration'))
      // Whether the Revision's name is free is known only then.
      if (revisionName !== '') return
    }
    if (revisionName !== '') {
      const revision = context.get<Revision>(revisionKind, namespace, revisionName)
      const serving = readServingConfig(this.#deps.config)
      if (revision !== undefined && conflictsWith(revision, configuration, serving)) {
        const text = `The revision name "${revisionName}" is taken by a conflicting Revision`
        return conditions.markFalse('RoutesReady', 'RevisionNameTaken', `${text}, so traffic will not be migrated`)
      }
    }

    const route = await this.#route(service, context)
    if (!isObserved(route)) return conditions.markUnknown('RoutesReady', ...outOfDate('Route'))
    mirrorRoute(route, status, context)
    if (conditions.status('RoutesReady') === 'True' && !isMigrated(route, name, status)) {
      const text = 'Traffic is not yet migrated to the latest revision.'
      conditions.markUnknown('RoutesReady', 'TrafficNotMigrated', text)
    }
  }

  async #configuration(service: Service, context: ReconcileContext): Promise<Configuration> {
    const { name, namespace = '' } = service.metadata
    const existing = context.get<Configuration>(configurationKind, namespace, name)
    if (existing === undefined) return await this.#create(makeConfiguration(service), context)
    checkOwner(service, existing, 'ConfigurationsReady', context)
    const config = readServingConfig(this.#deps.config)
    return await this.#update(existing, makeConfiguration(service, existing), ({ template }) => ({
      template: setNewTemplateDefaults(structuredClone(template), undefined, {
        config,
        operation: 'update',
        parent: service.metadata,
      }),
    }))
  }

  async #route(service: Service, context: ReconcileContext): Promise<Route> {
    const { name, namespace = '' } = service.metadata
    const existing = context.get<Route>(routeKind, namespace, name)
    if (existing === undefined) return await this.#create(makeRoute(service), context)
    checkOwner(service, existing, 'RoutesReady', context)
    return await this.#update(existing, makeRoute(service), ({ traffic }) => ({
      traffic: defaultTraffic(structuredClone(traffic), false),
    }))
  }

  async #create<Child extends Resource>(wanted: Child, context: ReconcileContext): Promise<Child> {
    const { kind, metadata } = wanted
    try {
      const created = await this.#deps.client.create(wanted)
      context.event('Normal', 'Created', `Created ${kind} "${metadata.name}"`)
      return created
    } catch (thrown) {
      // The cache has not seen yet what was made a moment ago.
      const found = await this.#deps.client.get<Child>(kindIdOf(wanted), metadata.namespace ?? '', metadata.name)
      if (found !== undefined && controllerOf(found)?.uid === controllerOf(wanted)?.uid) return found
      const text = `Failed to create ${kind} "${metadata.name}": ${messageOf(thrown)}`
      context.event('Warning', 'CreationFailed', text)
      throw thrown
    }
  }

  /**
   * Puts back whatever somebody changed: spec, labels and annotations, surplus ones too.
   * @param defaulted a copy of a spec with the defaults of today: where only they differ, nothing is written
   */
  async #update<Child extends Configuration | Route>(
    existing: Child,
    wanted: Child,
    defaulted: (spec: Child['spec']) => object,
  ): Promise<Child> {
    const { labels = {}, annotations = {} } = wanted.metadata
    const isSame =
      semanticallyEqual(labels, existing.metadata.labels) &&
      semanticallyEqual(annotations, existing.metadata.annotations) &&
      semanticallyEqual(defaulted(wanted.spec), defaulted(existing.spec))
    if (isSame) return existing
    return await this.#deps.client.update<Child>({ ...wanted, metadata: { ...existing.metadata, labels, annotations } })
  }
}

/** Says in words why the latest Revision has as many instances as it has, for `kubectl describe`. */
function annotate(status: ServiceStatus, namespace: string, context: ReconcileContext): void {
  const { latestReadyRevisionName: name } = status
  const scaler = name === undefined ? undefined : context.get<PodAutoscaler>(podAutoscalerKind, namespace, name)
  const words = scaler?.status?.annotations?.[scaleWordsAnnotation]
  const kept = Object.entries(status.annotations ?? {}).filter(([name]) => !formerAnnotations.includes(name))
  const annotations = { ...Object.fromEntries(kept), ...(words === undefined ? {} : { [scaleWordsAnnotation]: words }) }
  if (Object.keys(annotations).length === 0) delete status.annotations
  else status.annotations = annotations
}

/** @throws where the child belongs to somebody else */
function checkOwner(service: Service, child: Resource, condition: string, { conditions }: ReconcileContext): void {
  if (controllerOf(child)?.uid === service.metadata.uid) return
  const { kind, metadata } = child
  conditions.markFalse(condition, 'NotOwned', `There is an existing ${kind} "${metadata.name}" that we do not own.`)
  throw new Error(`service: "${service.metadata.name}" does not own ${kind.toLowerCase()}: "${metadata.name}"`)
}

const isObserved = ({ metadata, status }: Configuration | Route): boolean =>
  status?.observedGeneration === metadata.generation

const unsaid = { reason: '', message: '' }

function mirrorConfiguration(child: Configuration, status: ServiceStatus, context: ReconcileContext): void {
  const { latestCreatedRevisionName: created, latestReadyRevisionName: ready } = child.status ?? {}
  assignOrDelete(status, 'latestCreatedRevisionName', created)
  assignOrDelete(status, 'latestReadyRevisionName', ready)
  mirrorCondition(context.conditions, 'ConfigurationsReady', conditionOf(child, 'Ready'), unsaid)
}

function mirrorRoute(child: Route, status: ServiceStatus, context: ReconcileContext): void {
  const { url, address, traffic } = child.status ?? {}
  assignOrDelete(status, 'url', url)
  assignOrDelete(status, 'address', address)
  assignOrDelete(status, 'traffic', traffic)
  mirrorCondition(context.conditions, 'RoutesReady', conditionOf(child, 'Ready'), unsaid)
}

function assignOrDelete<Field extends keyof ServiceStatus>(
  status: ServiceStatus,
  field: Field,
  value: ServiceStatus[Field] | undefined,
): void {
  if (value === undefined) delete status[field]
  else status[field] = value
}

/** Whether the Route sends requests where its spec says, the latest Revision being the one its status names. */
function isMigrated(route: Route, configuration: string, { latestReadyRevisionName }: ServiceStatus): boolean {
  const wanted = route.spec.traffic ?? []
  const actual = route.status?.traffic ?? []
  const meaning = ({ revisionName, percent = 0, tag = '' }: TrafficTarget): object => ({ revisionName, percent, tag })
  return (
    wanted.length === actual.length &&
    wanted.every((target, index) => {
      const isLatest = target.configurationName === configuration
      const revisionName = isLatest ? latestReadyRevisionName : target.revisionName
      const resolved = { ...target, ...(revisionName === undefined ? {} : { revisionName }) }
      return semanticallyEqual(meaning(resolved), meaning(actual[index]!))
    })
  )
}
