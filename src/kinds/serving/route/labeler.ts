// Notes on Revisions and Configurations which Routes lead to them. Source: knative/serving pkg/reconciler/labeler.
import type { KindDeps, ReconcileContext } from '../../../engine/reconciler.ts'
import { controllerOf, kubernetesTime } from '../../../model/kubernetes/resource.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { routesAnnotation, routingStateLabel } from '../../../model/serving/metadata-keys.ts'
import { routingStateModifiedAnnotation } from '../../../model/serving/metadata-keys.ts'
import type { RoutingState } from '../../../model/serving/metadata-keys.ts'
import type { TrafficTarget } from '../../../model/serving/traffic.ts'
import { configurationKind } from '../configuration/schema.ts'
import type { Configuration } from '../configuration/schema.ts'
import { revisionKind } from '../revision/schema.ts'
import type { Revision } from '../revision/schema.ts'
import type { Route } from './schema.ts'

export type LabelerDeps = Pick<KindDeps, 'client' | 'caches' | 'clock'>

/** What a Route leads to, or may soon lead to. */
interface Referred {
  revisions: Set<string>
  configurations: Set<string>
}

/** Notes the Route on all that it leads to now. */
export async function labelTargets(route: Route, context: ReconcileContext, deps: LabelerDeps): Promise<void> {
  const { revisions, configurations } = referredBy(route, context)
  const { namespace = '' } = route.metadata
  for (const name of revisions) {
    const revision = context.get<Revision>(revisionKind, namespace, name)
    if (revision !== undefined) await note(revision, route, true, deps)
  }
  for (const name of configurations) {
    const configuration = context.get<Configuration>(configurationKind, namespace, name)
    if (configuration !== undefined) await note(configuration, route, true, deps)
  }
}

/** Takes the Route off all that it no longer leads to: call it when requests are known to go elsewhere. */
export async function unlabelOthers(route: Route, context: ReconcileContext, deps: LabelerDeps): Promise<void> {
  const { revisions, configurations } = referredBy(route, context)
  await unlabel(route, (object) => !revisions.has(object.metadata.name), revisionKind, deps)
  await unlabel(route, (object) => !configurations.has(object.metadata.name), configurationKind, deps)
}

/** Takes the Route off everything. */
export async function unlabelAll(route: Route, deps: LabelerDeps): Promise<void> {
  await unlabel(route, () => true, revisionKind, deps)
  await unlabel(route, () => true, configurationKind, deps)
}

async function unlabel(
  route: Route,
  isMeant: (object: Resource) => boolean,
  kind: string,
  deps: LabelerDeps,
): Promise<void> {
  const { name, namespace } = route.metadata
  // Read untracked: all that counts is what this Route noted itself.
  for (const object of deps.caches.list(kind, namespace)) {
    if (routesOf(object).includes(name) && isMeant(object)) await note(object, route, false, deps)
  }
}

function referredBy({ spec, status, metadata }: Route, context: ReconcileContext): Referred {
  const { namespace = '' } = metadata
  const revisions = new Set<string>()
  const configurations = new Set<string>()
  const add = ({ revisionName = '', configurationName = '', latestRevision }: TrafficTarget): void => {
    const revision = revisionName === '' ? undefined : context.get<Revision>(revisionKind, namespace, revisionName)
    if (revisionName !== '' && revision === undefined) return
    if (revision !== undefined) revisions.add(revisionName)
    const owner = revision === undefined ? undefined : controllerOf(revision)
    const name = owner?.kind === 'Configuration' ? owner.name : configurationName
    const configuration = name === '' ? undefined : context.get<Configuration>(configurationKind, namespace, name)
    if (configuration === undefined) return
    configurations.add(name)
    // The next latest one is active before it is ready, so that taking over is smooth.
    const created = configuration.status?.latestCreatedRevisionName
    if (created !== undefined && created !== '' && latestRevision === true) revisions.add(created)
  }
  for (const target of [...(status?.traffic ?? []), ...(spec.traffic ?? [])]) add(target)
  return { revisions, configurations }
}

/** A note that two Routes write at once and one loses is written again: the loser watches what it notes itself on. */
async function note(object: Resource, route: Route, isReferred: boolean, deps: LabelerDeps): Promise<void> {
  const { client, clock } = deps
  const { name, namespace = '', labels } = object.metadata
  const before = routesOf(object)
  const others = before.filter((each) => each !== route.metadata.name)
  const routes = isReferred ? [...others, route.metadata.name].sort() : others
  const isNews = isReferred !== before.includes(route.metadata.name)
  const state: RoutingState = routes.length > 0 ? 'active' : 'reserve'
  const isRevision = object.kind === 'Revision'
  const changesState = isRevision && labels?.[routingStateLabel] !== state
  if (!isNews && !changesState) return
  const metadata = {
    ...(changesState && { labels: { [routingStateLabel]: state } }),
    annotations: {
      ...(isNews && { [routesAnnotation]: routes.length > 0 ? routes.join(',') : null }),
      ...(changesState && { [routingStateModifiedAnnotation]: kubernetesTime(clock.now()) }),
    },
  }
  const kind = isRevision ? revisionKind : configurationKind
  await client.patch(kind, namespace, name, { metadata })
}

const routesOf = ({ metadata }: Resource): string[] =>
  (metadata.annotations?.[routesAnnotation] ?? '').split(',').filter((name) => name !== '')
