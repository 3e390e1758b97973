// The Ingress that a Route makes. Source: knative/serving pkg/reconciler/route/resources/ingress.go.
import { sameNamespace } from '../../../engine/children.ts'
import { childName } from '../../../model/kubernetes/child-name.ts'
import { controllerRef } from '../../../model/kubernetes/resource.ts'
import { routeLabel, routeNamespaceLabel } from '../../../model/serving/metadata-keys.ts'
import { headers, ingressClassAnnotation, passedAnnotations } from '../../../model/serving/network-keys.ts'
import { rolloutAnnotation, tagToHostAnnotation } from '../../../model/serving/network-keys.ts'
import { ingressApiVersion } from '../../networking/ingress/schema.ts'
import type {
  HttpIngressPath,
  HttpOption,
  Ingress,
  IngressBackendSplit,
  IngressRule,
  IngressTls,
} from '../../networking/ingress/schema.ts'
import type { RouteNaming } from './naming.ts'
import type { Rollout } from './rollout.ts'
import { writeRollout } from './rollout-text.ts'
import type { Route } from './schema.ts'
import type { RevisionTarget, Traffic } from './traffic.ts'

export interface IngressPlan {
  traffic: Traffic
  rollout: Rollout
  naming: RouteNaming
  /** Tags that only the cluster reaches, `''` for the Route itself. */
  localTags: ReadonlySet<string>
  ingressClass: string
  httpOption: HttpOption | undefined
  tls: readonly IngressTls[]
  /** Feature `tag-header-based-routing`. */
  routesByTagHeader: boolean
  /** Feature `system-internal-tls`. */
  isInternalTls: boolean
}

export const ingressName = (route: Route): string => childName(route.metadata.name, '')

export function ingressFor(route: Route, plan: IngressPlan): Ingress {
  const { rollout, ingressClass, httpOption, tls } = plan
  const { name, namespace = '', labels, annotations } = route.metadata
  const tagToHost = hostsOfTags(plan)
  return {
    apiVersion: ingressApiVersion,
    kind: 'Ingress',
    metadata: {
      name: ingressName(route),
      ...sameNamespace(route),
      labels: { ...labels, [routeLabel]: name, [routeNamespaceLabel]: namespace },
      annotations: {
        [rolloutAnnotation]: writeRollout(rollout),
        ...passedAnnotations(annotations),
        [ingressClassAnnotation]: ingressClass,
        ...(Object.keys(tagToHost).length > 0 && { [tagToHostAnnotation]: JSON.stringify(tagToHost) }),
      },
      ownerReferences: [controllerRef(route)],
    },
    spec: {
      rules: rulesOf(route, plan),
      ...(tls.length > 0 && { tls: [...tls] }),
      ...(httpOption !== undefined && { httpOption }),
    },
  }
}

const isPublic = (tag: string, { localTags }: IngressPlan): boolean => !localTags.has(tag)

function hostsOfTags(plan: IngressPlan): Record<string, string[]> {
  const { traffic, naming } = plan
  const tags = [...traffic.byTag.keys()].filter((tag) => tag !== '')
  return Object.fromEntries(
    tags.map((tag) => [tag, [naming.host(tag, true), ...(isPublic(tag, plan) ? [naming.host(tag, false)] : [])]]),
  )
}

function rulesOf(route: Route, plan: IngressPlan): IngressRule[] {
  const { traffic, naming } = plan
  return [...traffic.byTag.keys()].flatMap((tag) => {
    const paths = pathsOf(route, tag, plan)
    const local: IngressRule = { hosts: naming.localHosts(tag), visibility: 'ClusterLocal', http: { paths } }
    if (!isPublic(tag, plan)) return [local]
    return [local, { hosts: [naming.host(tag, false)], visibility: 'ExternalIP', http: { paths } }]
  })
}

function pathsOf(route: Route, tag: string, plan: IngressPlan): HttpIngressPath[] {
  const { traffic, routesByTagHeader } = plan
  const splits = splitsOf(route, tag, plan)
  if (!routesByTagHeader) return [{ splits }]
  // Who comes by a tag's own host is told apart no less than who names the tag in a header.
  if (tag !== '') return [{ splits, appendHeaders: { [canonical(headers.tag)]: tag } }]
  const tags = [...traffic.byTag.keys()].filter((other) => other !== '')
  return [
    ...tags.map((other) => ({
      headers: { [canonical(headers.tag)]: { exact: other } },
      splits: splitsOf(route, other, plan),
    })),
    { splits, appendHeaders: { [canonical(headers.defaultRoute)]: 'true' } },
  ]
}

function splitsOf(route: Route, tag: string, { traffic, rollout, isInternalTls }: IngressPlan): IngressBackendSplit[] {
  const { namespace = '' } = route.metadata
  const targets = (traffic.byTag.get(tag) ?? []).filter(({ percent }) => percent > 0)
  return targets.flatMap((target) =>
    sharesOf(target, tag, rollout).map(({ revisionName, percent }) => ({
      serviceNamespace: namespace,
      serviceName: revisionName,
      servicePort: isInternalTls ? 443 : target.isH2c ? 81 : 80,
      percent,
      appendHeaders: { [canonical(headers.revision)]: revisionName, [canonical(headers.namespace)]: namespace },
    })),
  )
}

/** While a rollout is under way its Revisions share what the latest one will have. */
function sharesOf(target: RevisionTarget, tag: string, rollout: Rollout): { revisionName: string; percent: number }[] {
  const entry = target.latestRevision
    ? rollout.find((each) => each.tag === tag && each.configurationName === target.configurationName)
    : undefined
  return entry === undefined || entry.revisions.length < 2 ? [target] : [...entry.revisions]
}

/** `k-original-host` → `K-Original-Host` */
const canonical = (header: string): string => header.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase())
