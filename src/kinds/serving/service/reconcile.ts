// Makes a Service real: a backend for its newest Revision, its addresses, and what its status says of both.
import { messageOf } from '../../../base/errors.ts'
import type { KindDeps, ReconcileContext, Reconciler } from '../../../engine/reconciler.ts'
import { RevisionBackend } from '../../../engine/request-path/revision-backend.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { commandAnnotation, workdirAnnotation } from '../../../model/serving/revision-template.ts'
import type { RevisionTemplate } from '../../../model/serving/revision-template.ts'
import type { TrafficTarget } from '../../../model/serving/traffic.ts'
import type { WorkloadSpec } from '../../../ports/workload-runtime/port.ts'
import { makeEnvironment, sourcesOf } from './environment.ts'
import { failureText } from './failure.ts'
import type { FailureText } from './failure.ts'
import { nameRevision, revisionSettings, servingContainer } from './revision.ts'
import { ServiceRoutes } from './routes.ts'
import type { Share } from './routes.ts'
import type { Service, ServiceStatus } from './schema.ts'

/** Plain data: a change of it would be another Revision. */
interface RevisionWorker {
  revision: string
  template: RevisionTemplate
}

/** What is made of the newest template. */
type Newest = { phase: 'deploying' } | { phase: 'proven' } | { phase: 'failed'; text: FailureText }

const visibilityLabel = 'networking.knative.dev/visibility'

/**
 * Until Configurations, Routes and Revisions are objects of their own, the Service stands for all of them.
 * Source: knative/serving pkg/reconciler/service, pkg/reconciler/configuration, pkg/reconciler/route.
 */
export class ServiceReconciler implements Reconciler<Service> {
  readonly conditions = { dependents: ['ConfigurationsReady', 'RoutesReady'] }
  #deps: KindDeps
  #routes: ServiceRoutes
  /** By uid of the Service, then by name of the Revision. */
  #backends = new Map<string, Map<string, RevisionBackend>>()

  constructor(deps: KindDeps) {
    this.#deps = deps
    this.#routes = new ServiceRoutes(deps)
    deps.endpoints.add(this.#routes)
  }

  async reconcile(service: Service, context: ReconcileContext): Promise<void> {
    const { name, namespace = '', labels } = service.metadata
    const status = (service.status ??= {})
    const template = service.spec.template ?? {}
    const isLocal = labels?.[visibilityLabel] === 'cluster-local'
    const localUrl = `http://${name}.${namespace}.svc.cluster.local`
    status.address = { url: localUrl }
    status.url = isLocal ? localUrl : `http://${name}.${namespace}.${this.#deps.addresses.serviceDomain}`
    const revision = nameRevision(name, template, status)
    status.latestCreatedRevisionName = revision

    await this.#ensureBackend(service, { revision, template }, context)
    const newest = this.#newest(service, revision, context)
    if (newest.phase === 'proven') status.latestReadyRevisionName = revision
    markConfiguration(service, revision, newest, context)
    const shares = this.#shares(service, revision)
    markRoute(service, newest, shares, context)
    this.#routes.set(namespace, name, shares, { isLocal })
    this.#stopOthers(service, shares, context)
  }

  async #ensureBackend(service: Service, worker: RevisionWorker, context: ReconcileContext): Promise<void> {
    const { metadata, status } = service
    await context.workers.ensure(workerName(worker.revision), worker, async (spec) => {
      const { config, runtime, clock, random, log } = this.#deps
      const settings = revisionSettings(spec.template, config)
      // What was ready before a restart of Knode does not have to prove itself again.
      const isProven = status?.latestReadyRevisionName === spec.revision
      const backend = new RevisionBackend({
        ...settings,
        instancesInitial: isProven ? 0 : settings.instancesInitial,
        workload: () => this.#workload(metadata, spec),
        onChange: () => context.requeue(),
        runtime,
        clock,
        random,
        log: log.child({
          kind: 'Service',
          namespace: metadata.namespace,
          name: metadata.name,
          revision: spec.revision,
        }),
      })
      const ofService = this.#backends.get(metadata.uid ?? '') ?? new Map<string, RevisionBackend>()
      this.#backends.set(metadata.uid ?? '', ofService.set(spec.revision, backend))
      backend.start()
      return { [Symbol.asyncDispose]: () => this.#closeBackend(metadata, spec.revision, backend) }
    })
  }

  async #closeBackend(metadata: Service['metadata'], revision: string, backend: RevisionBackend): Promise<void> {
    const ofService = this.#backends.get(metadata.uid ?? '')
    if (ofService?.get(revision) === backend) ofService.delete(revision)
    if (ofService?.size === 0) {
      this.#backends.delete(metadata.uid ?? '')
      this.#routes.delete(metadata.namespace ?? '', metadata.name)
    }
    await backend[Symbol.asyncDispose]()
  }

  /** What to start, with variables as the ConfigMaps and Secrets are now. @throws when one of them is missing. */
  #workload({ name, namespace = '' }: Service['metadata'], { revision, template }: RevisionWorker): WorkloadSpec {
    const container = servingContainer(template)
    const { [commandAnnotation]: processCommand, [workdirAnnotation]: workdir } = template.metadata?.annotations ?? {}
    const env = makeEnvironment(container, { service: name, revision }, (kind, source) =>
      this.#deps.caches.get<Resource>(kind, namespace, source),
    )
    return {
      name: `${revision}-deployment`,
      namespace,
      group: name,
      image: container.image ?? '',
      env,
      containerPort: container.ports?.[0]?.containerPort ?? 8080,
      ...(processCommand === undefined ? {} : { processCommand }),
      ...(workdir === undefined ? {} : { workdir }),
      ...(container.command === undefined ? {} : { command: container.command }),
      ...(container.args === undefined ? {} : { args: container.args }),
    }
  }

  #newest(service: Service, revision: string, context: ReconcileContext): Newest {
    const backend = this.#backendOf(service, revision)
    const container = servingContainer(service.spec.template ?? {})
    const namespace = service.metadata.namespace ?? ''
    // Whoever waits for a ConfigMap or Secret hears of it when it comes, and tries again at once.
    for (const source of sourcesOf(container)) context.get(source.kind, namespace, source.name)
    if (backend === undefined) return { phase: 'deploying' }
    if (backend.state.phase === 'failed' && backend.state.failure.kind === 'not-started') {
      try {
        this.#workload(service.metadata, { revision, template: service.spec.template ?? {} })
        backend.retry()
      } catch (thrown) {
        return { phase: 'failed', text: { reason: 'CreateContainerConfigError', message: messageOf(thrown) } }
      }
    }
    const { state } = backend
    return state.phase === 'failed'
      ? { phase: 'failed', text: failureText(state.failure, container.image ?? '') }
      : state
  }

  #backendOf({ metadata }: Service, revision: string): RevisionBackend | undefined {
    return this.#backends.get(metadata.uid ?? '')?.get(revision)
  }

  /** Where requests go: the latest ready Revision, before there is one the latest created, which lets them wait. */
  #shares(service: Service, created: string): Share[] {
    const latest = service.status?.latestReadyRevisionName ?? created
    const target = this.#backendOf(service, latest) === undefined ? created : latest
    return (service.spec.traffic ?? []).flatMap(({ revisionName = '', latestRevision, percent = 0, tag }) => {
      const revision = latestRevision === true ? target : revisionName
      const backend = this.#backendOf(service, revision)
      return backend === undefined ? [] : [{ revision, backend, percent, ...(tag === undefined ? {} : { tag }) }]
    })
  }

  /** Revisions that nothing leads to any more finish their requests, apart from this reconcile. */
  #stopOthers(service: Service, shares: readonly Share[], { workers }: ReconcileContext): void {
    const { latestCreatedRevisionName, latestReadyRevisionName } = service.status ?? {}
    const needed = new Set([latestCreatedRevisionName, latestReadyRevisionName, ...shares.map((each) => each.revision)])
    for (const revision of this.#backends.get(service.metadata.uid ?? '')?.keys() ?? []) {
      if (needed.has(revision)) continue
      const fail = (err: unknown): void => this.#deps.log.error('a Revision could not be stopped', { revision, err })
      workers.stop(workerName(revision)).catch(fail)
    }
  }
}

const workerName = (revision: string): string => `revision/${revision}`

function markConfiguration(service: Service, revision: string, newest: Newest, context: ReconcileContext): void {
  const { conditions } = context
  switch (newest.phase) {
    case 'proven':
      return conditions.markTrue('ConfigurationsReady')
    case 'deploying':
      return conditions.markUnknown('ConfigurationsReady', '', '')
    case 'failed': {
      const { reason, message } = newest.text
      const text = `Revision "${revision}" failed with message: ${message}.`
      const known = service.status?.conditions?.find(({ type }) => type === 'ConfigurationsReady')?.message
      if (known !== text) context.event('Warning', reason, text)
      return conditions.markFalse('ConfigurationsReady', 'RevisionFailed', text)
    }
    default:
      return newest satisfies never
  }
}

/** Also writes `status.traffic`; what was there stays while a target is missing. */
function markRoute(service: Service, newest: Newest, shares: readonly Share[], { conditions }: ReconcileContext): void {
  const status = service.status!
  const known = new Set(shares.map(({ revision }) => revision))
  const targets = service.spec.traffic ?? []
  const missing = targets.find(({ revisionName = '' }) => revisionName !== '' && !known.has(revisionName))
  if (missing !== undefined) {
    const text = `Revision "${missing.revisionName}" referenced in traffic not found.`
    return conditions.markFalse('RoutesReady', 'RevisionMissing', text)
  }
  const { name } = service.metadata
  const latest = status.latestReadyRevisionName
  const servesLatest = latest !== undefined && known.has(latest)
  const isDown = newest.phase === 'failed' && status.latestCreatedRevisionName === latest
  if (targets.some(({ latestRevision }) => latestRevision === true) && (!servesLatest || isDown)) {
    if (newest.phase === 'failed') {
      const text = `Configuration "${name}" does not have any ready Revision.`
      return conditions.markFalse('RoutesReady', 'RevisionMissing', text)
    }
    const text = `Configuration "${name}" is waiting for a Revision to become ready.`
    return conditions.markUnknown('RoutesReady', 'RevisionMissing', text)
  }
  status.traffic = targets.map((target) => trafficStatus(target, service, status))
  conditions.markTrue('RoutesReady')
}

function trafficStatus(target: TrafficTarget, service: Service, status: ServiceStatus): TrafficTarget {
  const { revisionName = '', latestRevision = false, percent = 0, tag } = target
  const revision = latestRevision ? status.latestReadyRevisionName : revisionName
  const shared = { latestRevision, percent, ...(revision === undefined ? {} : { revisionName: revision }) }
  if (tag === undefined) return shared
  const { name } = service.metadata
  return { ...shared, tag, url: (status.url ?? '').replace(`//${name}.`, `//${tag}-${name}.`) }
}
