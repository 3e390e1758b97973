// Core Services that keep the names of a Route and its tags, so that nobody else takes them.
// Source: knative/serving pkg/reconciler/route/resources/service.go, reconcile_resources.go.
import { TerminalError } from '../../../base/errors.ts'
import { applyTold, sameNamespace } from '../../../engine/children.ts'
import type { ReconcileContext } from '../../../engine/reconciler.ts'
import { controllerOf, controllerRef } from '../../../model/kubernetes/resource.ts'
import { kubectlLastAppliedAnnotation, routeLabel, visibilityLabel } from '../../../model/serving/metadata-keys.ts'
import { gatewayHost } from '../../../model/serving/network-keys.ts'
import type { Service } from '../../core/service/schema.ts'
import type { RouteNaming } from './naming.ts'
import type { Route } from './schema.ts'

/** Makes one for each tag, `''` for the Route itself, and removes those of former tags. @throws {TerminalError} */
export async function keepPlaceholders(
  route: Route,
  { naming, tags }: { naming: RouteNaming; tags: Iterable<string> },
  context: ReconcileContext,
): Promise<void> {
  const { namespace = '' } = route.metadata
  // A template may give several tags one name.
  const names = [...new Set([...tags].map((tag) => naming.hostname(tag)))].sort()
  for (const name of names) await keepPlaceholder(route, name, context)
  for (const { metadata } of context.children<Service>('Service')) {
    if (!names.includes(metadata.name)) await context.remove('Service', namespace, metadata.name)
  }
}

/** Whether somebody labelled the placeholder of a tag to be for the cluster alone; any value does. */
export function isPlaceholderLocal(route: Route, name: string, context: ReconcileContext): boolean {
  const labels = context.get<Service>('Service', route.metadata.namespace ?? '', name)?.metadata.labels ?? {}
  return labels[routeLabel] === route.metadata.name && (labels[visibilityLabel] ?? '') !== ''
}

async function keepPlaceholder(route: Route, name: string, context: ReconcileContext): Promise<void> {
  const existing = context.get<Service>('Service', route.metadata.namespace ?? '', name)
  if (existing !== undefined && controllerOf(existing)?.uid !== route.metadata.uid) {
    const message = `There is an existing placeholder Service "${name}" that we do not own.`
    context.conditions.markFalse('IngressReady', 'NotOwned', message)
    throw new TerminalError(`route: "${route.metadata.name}" does not own Service: "${name}"`)
  }
  await applyTold(context, placeholder(route, name), {
    created: `Created placeholder service "${name}"`,
    failed: `Failed to create placeholder service "${name}"`,
  })
}

function placeholder(route: Route, name: string): Service {
  // A tag's visibility is its own: users set the label on its Service.
  const { [visibilityLabel]: _, ...labels } = route.metadata.labels ?? {}
  const { [kubectlLastAppliedAnnotation]: __, ...annotations } = route.metadata.annotations ?? {}
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name,
      ...sameNamespace(route),
      labels: { ...labels, [routeLabel]: route.metadata.name },
      annotations,
      ownerReferences: [controllerRef(route)],
    },
    spec: {
      type: 'ExternalName',
      externalName: gatewayHost,
      sessionAffinity: 'None',
      ports: [{ name: 'http2', port: 80, targetPort: 80, appProtocol: 'kubernetes.io/h2c' }],
    },
  }
}
