// Makes a Route real: an Ingress that leads its hosts to Revisions, and what its status says of it.
// Source: knative/serving pkg/reconciler/route/route.go, reconcile_resources.go.
import { TerminalError } from '../../../base/errors.ts'
import { applyTold, removeOthers } from '../../../engine/children.ts'
import { mirrorCondition } from '../../../engine/mirror-condition.ts'
import type { KindDeps, ReconcileContext, Reconciler } from '../../../engine/reconciler.ts'
import { followServingConfig, httpOptionFor } from '../../../engine/serving-settings.ts'
import { conditionOf } from '../../../model/duck/conditions.ts'
import { parseGoDuration } from '../../../model/kubernetes/go-duration.ts'
import { annotationKeys, findAnnotation } from '../../../model/serving/annotation-keys.ts'
import { domainConfigMap } from '../../../model/serving/domain-config.ts'
import { networkConfig, networkConfigMap } from '../../../model/serving/network-config.ts'
import type { NetworkConfig } from '../../../model/serving/network-config.ts'
import { clusterServiceDomain, networkAnnotation, networkAnnotations } from '../../../model/serving/network-keys.ts'
import { rolloutAnnotation } from '../../../model/serving/network-keys.ts'
import { featureFlag, featuresConfigMap } from '../../../model/serving/serving-config.ts'
import type { TrafficTarget } from '../../../model/serving/traffic.ts'
import { certificateKind } from '../../networking/certificate/schema.ts'
import { ingressKind } from '../../networking/ingress/schema.ts'
import type { Ingress } from '../../networking/ingress/schema.ts'
import { configurationKind } from '../configuration/schema.ts'
import { revisionKind } from '../revision/schema.ts'
import { keepCertificates } from './certificates.ts'
import { ingressFor, ingressName } from './ingress-object.ts'
import { labelTargets, unlabelAll, unlabelOthers } from './labeler.ts'
import { DomainNameError, RouteNaming } from './naming.ts'
import { isPlaceholderLocal, keepPlaceholders } from './placeholder.ts'
import { isRolledOut, paceRollout, rolloutGoal, stepRollout } from './rollout.ts'
import type { Rollout } from './rollout.ts'
import { readRollout } from './rollout-text.ts'
import type { Route } from './schema.ts'
import { isProblem, isReadyNow, resolveTraffic } from './traffic.ts'
import type { Traffic } from './traffic.ts'

/** What one reconcile of a Route works with. */
interface Scene {
  route: Route
  context: ReconcileContext
  network: NetworkConfig
  naming: RouteNaming
  /** Tags that only the cluster reaches, `''` for the Route itself. */
  localTags: ReadonlySet<string>
}

const noIngressYet = { reason: 'IngressNotConfigured', message: 'Ingress has not yet been reconciled.' }

export class RouteReconciler implements Reconciler<Route> {
  readonly conditions = { dependents: ['AllTrafficAssigned', 'IngressReady', 'CertificateProvisioned'] }
  #deps: KindDeps

  constructor(deps: KindDeps) {
    this.#deps = deps
  }

  async reconcile(route: Route, context: ReconcileContext): Promise<void> {
    const { conditions } = context
    // What an error below leaves must not pass for Ready.
    if (route.metadata.generation !== route.status?.observedGeneration) {
      conditions.markUnknown('IngressReady', noIngressYet.reason, noIngressYet.message)
    }
    await this.#steer(route, context)
    // Where the gateway does not follow, what it led to before is still at work.
    const isDecided = conditions.status('Ready') !== 'Unknown' && conditions.status('IngressReady') !== 'False'
    if (isDecided) await unlabelOthers(route, context, this.#deps)
  }

  async finalize(route: Route): Promise<void> {
    await unlabelAll(route, this.#deps)
  }

  /** Whatever is wrong with the traffic, what was programmed before goes on. */
  async #steer(route: Route, context: ReconcileContext): Promise<void> {
    const { conditions } = context
    const { namespace = '' } = route.metadata
    const status = (route.status ??= {})
    const traffic = resolveTraffic(route, {
      configuration: (name) => context.get(configurationKind, namespace, name),
      revision: (name) => context.get(revisionKind, namespace, name),
    })
    let scene: Scene
    try {
      scene = this.#scene(route, context)
      status.url = scene.naming.url('', scene.localTags.has(''))
      if (!isProblem(traffic)) status.traffic = trafficStatus(traffic, [], scene)
    } catch (thrown) {
      if (!(thrown instanceof DomainNameError)) throw thrown
      conditions.markFalse('AllTrafficAssigned', 'ErrorConfig', thrown.message)
      throw new TerminalError(thrown.message, { cause: thrown })
    }
    await labelTargets(route, context, this.#deps)
    if (isProblem(traffic)) {
      const mark = traffic.status === 'False' ? 'markFalse' : 'markUnknown'
      return conditions[mark]('AllTrafficAssigned', traffic.reason, traffic.message)
    }
    conditions.markTrue('AllTrafficAssigned')
    status.address = { url: `http://${route.metadata.name}.${namespace}.${clusterServiceDomain}` }
    await this.#program(traffic, scene)
  }

  #scene(route: Route, context: ReconcileContext): Scene {
    const network = networkConfig(followServingConfig(networkConfigMap, context))
    const naming = new RouteNaming(route, {
      network,
      domains: followServingConfig(domainConfigMap, context),
      serviceDomain: this.#deps.addresses.serviceDomain,
    })
    const tags = new Set(['', ...(route.spec.traffic ?? []).map(({ tag = '' }) => tag)])
    const isLocal = (tag: string): boolean => naming.isLocal || isPlaceholderLocal(route, naming.hostname(tag), context)
    return { route, context, network, naming, localTags: new Set([...tags].filter(isLocal)) }
  }

  async #program(traffic: Traffic, scene: Scene): Promise<void> {
    const { route, context, network, naming, localTags } = scene
    const { conditions } = context
    const status = route.status!
    const tags = [...traffic.byTag.keys()]
    await keepPlaceholders(route, { naming, tags }, context)
    const secured = await keepCertificates(route, { network, naming, tags, localTags }, context)
    secureUrls(status, secured.hosts)

    const rollout = this.#rollOut(traffic, scene)
    const features = followServingConfig(featuresConfigMap, context)
    const wanted = ingressFor(route, {
      traffic,
      rollout,
      naming,
      localTags,
      ingressClass:
        networkAnnotation(route.metadata.annotations, networkAnnotations.ingressClass) ?? network.ingressClass,
      httpOption: httpOptionFor(route, network),
      tls: secured.tls,
      routesByTagHeader: featureFlag(features, 'tag-header-based-routing') === 'enabled',
      isInternalTls: network.systemInternalTls,
    })
    const ingress = await applyTold(context, wanted, {
      created: `Created Ingress "${wanted.metadata.name}"`,
      failed: 'Failed to create Ingress',
    })
    await removeOthers(context, certificateKind, secured.certificates)
    if (!isRolledOut(rollout)) {
      const message = 'A gradual rollout of the latest revision(s) is in progress.'
      conditions.markUnknown('IngressReady', 'RolloutInProgress', message)
      status.traffic = trafficStatus(traffic, rollout, scene)
      secureUrls(status, secured.hosts)
    } else if (ingress.metadata.generation !== ingress.status?.observedGeneration) {
      conditions.markUnknown('IngressReady', noIngressYet.reason, noIngressYet.message)
    } else mirrorCondition(conditions, 'IngressReady', conditionOf(ingress, 'Ready'), noIngressYet)
  }

  /** At once, or step by step where the Route or config-network gives it time. */
  #rollOut(traffic: Traffic, { route, context, network }: Scene): Rollout {
    const goal = rolloutGoal(traffic)
    const durationMs = rolloutDurationMs(route) || network.rolloutDurationMs
    const ingress = context.get<Ingress>(ingressKind, route.metadata.namespace ?? '', ingressName(route))
    if (durationMs === 0 || ingress === undefined) return goal
    const nowMs = this.#deps.clock.now()
    let before = readRollout(ingress.metadata.annotations?.[rolloutAnnotation])
    const isNewlyReady = isReadyNow(ingress) && context.conditions.status('IngressReady') !== 'True'
    if (before !== undefined && isNewlyReady) before = paceRollout(before, nowMs, durationMs)
    const { rollout, nextMs } = stepRollout(goal, before, nowMs)
    if (nextMs !== undefined) context.requeueAfter(Math.max(0, nextMs - nowMs))
    return rollout
  }
}

/** One entry for each target and Revision; while a rollout is under way, for each Revision that has a share. */
function trafficStatus({ flattened }: Traffic, rollout: Rollout, { naming, localTags }: Scene): TrafficTarget[] {
  return flattened.flatMap((target) => {
    const { tag, latestRevision } = target
    const entry = latestRevision
      ? rollout.find((each) => each.tag === tag && each.configurationName === target.configurationName)
      : undefined
    const shares = entry === undefined || entry.revisions.length < 2 ? [target] : entry.revisions
    return shares.map(({ revisionName, percent }) => ({
      ...(tag === '' ? {} : { tag }),
      revisionName,
      latestRevision,
      percent,
      ...(tag === '' ? {} : { url: naming.url(tag, localTags.has(tag)) }),
    }))
  })
}

/** Hosts that have a certificate, or will not be had without, are shown with https. */
function secureUrls(status: NonNullable<Route['status']>, hosts: ReadonlySet<string>): void {
  const secure = (url: string): string => (hosts.has(new URL(url).hostname) ? url.replace(/^http:/, 'https:') : url)
  if (status.url !== undefined) status.url = secure(status.url)
  if (status.address?.url !== undefined) status.address = { ...status.address, url: secure(status.address.url) }
  status.traffic = (status.traffic ?? []).map((target) =>
    target.url === undefined ? target : { ...target, url: secure(target.url) },
  )
}

function rolloutDurationMs({ metadata }: Route): number {
  const text = findAnnotation(metadata.annotations, annotationKeys.rolloutDuration)?.value ?? ''
  return Math.floor((parseGoDuration(text) ?? 0) / 1_000) * 1_000
}
