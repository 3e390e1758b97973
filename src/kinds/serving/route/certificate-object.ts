// The Certificates that a Route asks for: one for each host. Source: knative/serving
// pkg/reconciler/route/resources/certificate.go.
import { wantsExternalTls } from '../../../engine/serving-settings.ts'
import { routeLabel } from '../../../model/serving/metadata-keys.ts'
import type { NetworkConfig } from '../../../model/serving/network-config.ts'
import {
  certificateClassAnnotation,
  certificateTypeLabel,
  passedAnnotations,
} from '../../../model/serving/network-keys.ts'
import { clusterServiceDomain, networkAnnotation, networkAnnotations } from '../../../model/serving/network-keys.ts'
import { certificateFor } from '../../networking/certificate/schema.ts'
import type { Certificate } from '../../networking/certificate/schema.ts'
import type { RouteNaming } from './naming.ts'
import type { Route } from './schema.ts'

export interface CertificatePlan {
  network: NetworkConfig
  naming: RouteNaming
  tags: readonly string[]
  /** Tags that only the cluster reaches. */
  localTags: ReadonlySet<string>
}

export interface WantedCertificate {
  certificate: Certificate
  /** For the names inside the cluster. */
  isLocal: boolean
}

export function wantedCertificates(route: Route, plan: CertificatePlan): WantedCertificate[] {
  const { network, naming, tags, localTags } = plan
  const publicTags = wantsExternalTls(route, network) ? tags.filter((tag) => !localTags.has(tag)) : []
  const localOnes = network.clusterLocalDomainTls ? tags : []
  return [
    ...publicTags.map((tag) => {
      const spec = { dnsNames: [naming.host(tag, false)], domain: naming.domain }
      return { isLocal: false, certificate: certificateOfHost(route, { tag, type: 'external-domain', spec }, network) }
    }),
    ...localOnes.map((tag) => {
      const spec = { dnsNames: naming.localHosts(tag), domain: clusterServiceDomain }
      return {
        isLocal: true,
        certificate: certificateOfHost(route, { tag, type: 'cluster-local-domain', spec }, network),
      }
    }),
  ]
}

function certificateOfHost(
  route: Route,
  {
    tag,
    type,
    spec,
  }: { tag: string; type: 'external-domain' | 'cluster-local-domain'; spec: { dnsNames: string[]; domain: string } },
  network: NetworkConfig,
): Certificate {
  const { name: routeName, uid = '', annotations } = route.metadata
  const ending = type === 'cluster-local-domain' ? '-local' : ''
  const name = `route-${uid}${tag === '' ? '' : `-${adler32(tag)}`}${ending}`
  const certificateClass = networkAnnotation(annotations, networkAnnotations.certificateClass)
  return certificateFor(route, {
    name,
    labels: { [routeLabel]: routeName, [certificateTypeLabel]: type },
    annotations: {
      ...passedAnnotations(annotations),
      [certificateClassAnnotation]: certificateClass ?? network.certificateClass,
    },
    spec,
  })
}

/** RFC 1950. */
function adler32(text: string): number {
  let a = 1
  let b = 0
  for (const byte of Buffer.from(text)) {
    a = (a + byte) % 65_521
    b = (b + a) % 65_521
  }
  return ((b << 16) | a) >>> 0
}
