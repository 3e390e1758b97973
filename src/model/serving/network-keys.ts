// Annotations, labels and headers that steer requests from a host to a Revision. Source: knative/networking
// pkg/apis/networking/register.go, pkg/http/header/header.go; knative/serving pkg/activator/activator.go.
import { findAnnotation } from './annotation-keys.ts'
import type { AnnotationKey, Annotations } from './annotation-keys.ts'
import { kubectlLastAppliedAnnotation } from './metadata-keys.ts'

const networkingGroup = 'networking.internal.knative.dev'

/** What names inside the cluster end with. */
export const clusterDomain = 'cluster.local'
/** The domain of Services that only the cluster sees. */
export const clusterServiceDomain = `svc.${clusterDomain}`

const network = 'networking.knative.dev'
/** The gateway's name in the cluster. */
export const gatewayHost = `knode-gateway.knative-serving.${clusterServiceDomain}`

/** Annotations of users, under each of their names; an empty value counts as absent. */
export const networkAnnotations = {
  ingressClass: [`${network}/ingress.class`, `${network}/ingress-class`],
  certificateClass: [`${network}/certificate.class`, `${network}/certificate-class`],
  disableTls: [`${network}/disableAutoTLS`, `${network}/disable-auto-tls`, `${network}/disable-external-domain-tls`],
  httpProtocol: [`${network}/httpOption`, `${network}/http-protocol`],
} as const satisfies Record<string, AnnotationKey>

export const ingressClassAnnotation = networkAnnotations.ingressClass[0]
export const certificateClassAnnotation = networkAnnotations.certificateClass[0]
export const certificateTypeLabel = `${network}/certificate-type`
/** On ConfigMaps with authorities that programs may trust. */
export const trustBundleLabel = `${network}/trust-bundle`
/** On Certificates for all hosts of one domain in a namespace: the domain. */
export const wildcardDomainLabel = `${network}/wildcardDomain`

/** The value of an annotation, whichever of its names it has. */
export function networkAnnotation(annotations: Annotations, key: AnnotationKey): string | undefined {
  const value = findAnnotation(annotations, key)?.value
  return value === '' ? undefined : value
}

/** Annotations that stay on the user's objects. */
const keptBack: ReadonlySet<string> = new Set([
  kubectlLastAppliedAnnotation,
  networkAnnotations.ingressClass[1],
  networkAnnotations.certificateClass[1],
])

/** What a Route's or DomainMapping's own Ingress and Certificates inherit. */
export const passedAnnotations = (annotations: Record<string, string> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(annotations).filter(([name]) => !keptBack.has(name)))

/** On an Ingress: the state of a gradual rollout, as JSON. */
export const rolloutAnnotation = `${networkingGroup}/rollout`
/** On an Ingress: the hosts of each tag, as JSON. */
export const tagToHostAnnotation = `${networkingGroup}/tag-to-host`

/** Headers, in lower case. */
export const headers = {
  revision: 'knative-serving-revision',
  namespace: 'knative-serving-namespace',
  tag: 'knative-serving-tag',
  defaultRoute: 'knative-serving-default-route',
  originalHost: 'k-original-host',
} as const
