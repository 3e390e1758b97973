// Certificates for the hosts of a Route, where TLS is switched on. Source: knative/serving pkg/reconciler/route/route.go,
// pkg/reconciler/route/resources/certificate.go.
import { messageOf, TerminalError } from '../../../base/errors.ts'
import { sameNamespace } from '../../../engine/children.ts'
import type { ReconcileContext } from '../../../engine/reconciler.ts'
import { wantsExternalTls } from '../../../engine/serving-settings.ts'
import { conditionOf } from '../../../model/duck/conditions.ts'
import { controllerOf, controllerRef } from '../../../model/kubernetes/resource.ts'
import { routeLabel } from '../../../model/serving/metadata-keys.ts'
import type { NetworkConfig } from '../../../model/serving/network-config.ts'
import {
  certificateClassAnnotation,
  certificateTypeLabel,
  passedAnnotations,
} from '../../../model/serving/network-keys.ts'
import { clusterServiceDomain, networkAnnotation, networkAnnotations } from '../../../model/serving/network-keys.ts'
import { certificateKind } from '../../networking/certificate/schema.ts'
import type { Certificate } from '../../networking/certificate/schema.ts'
import { ingressApiVersion } from '../../networking/ingress/schema.ts'
import type { IngressTls } from '../../networking/ingress/schema.ts'
import type { RouteNaming } from './naming.ts'
import type { Route } from './schema.ts'
import { isReadyNow } from './traffic.ts'

export interface CertificatePlan {
  network: NetworkConfig
  naming: RouteNaming
  tags: readonly string[]
  /** Tags that only the cluster reaches. */
  localTags: ReadonlySet<string>
}

export interface Secured {
  /** Hosts whose certificate is there. */
  hosts: ReadonlySet<string>
  tls: IngressTls[]
}

interface Wanted {
  certificate: Certificate
  isLocal: boolean
}

/**
 * Asks for a certificate for each host and says in `CertificateProvisioned` how far that is.
 * @throws {TerminalError} when somebody else's Certificate has the name.
 */
export async function keepCertificates(
  route: Route,
  plan: CertificatePlan,
  context: ReconcileContext,
): Promise<Secured> {
  const { network } = plan
  const { conditions } = context
  const wanted = wantedCertificates(route, plan)
  const names = wanted.map(({ certificate }) => certificate.metadata.name)
  for (const { metadata } of context.children<Certificate>(certificateKind)) {
    if (!names.includes(metadata.name)) await context.remove(certificateKind, metadata.namespace ?? '', metadata.name)
  }
  if (wanted.length === 0) {
    const isForCluster = wantsExternalTls(route, network)
    const message = isForCluster ? 'TLS is not enabled for cluster-local' : 'external-domain-tls is not enabled'
    conditions.markTrue('CertificateProvisioned', 'TLSNotEnabled', message)
    return { hosts: new Set(), tls: [] }
  }
  const hosts = new Set<string>()
  const tls: IngressTls[] = []
  for (const each of wanted) {
    const certificate = await ask(each.certificate, route, context)
    if (isReadyNow(certificate)) {
      conditions.markTrue('CertificateProvisioned')
      const { dnsNames = [], secretName = '' } = certificate.spec
      for (const name of dnsNames) hosts.add(name)
      tls.push({ hosts: dnsNames, secretName, secretNamespace: certificate.metadata.namespace ?? '' })
    } else markMissing(certificate, { mayDowngrade: network.httpProtocol === 'enabled' && !each.isLocal }, context)
  }
  return { hosts, tls }
}

function wantedCertificates(route: Route, { network, naming, tags, localTags }: CertificatePlan): Wanted[] {
  const publicTags = wantsExternalTls(route, network) ? tags.filter((tag) => !localTags.has(tag)) : []
  const localOnes = network.clusterLocalDomainTls ? tags : []
  return [
    ...publicTags.map((tag) => {
      const spec = { dnsNames: [naming.host(tag, false)], domain: naming.domain }
      return { isLocal: false, certificate: certificateFor(route, { tag, type: 'external-domain', spec }, network) }
    }),
    ...localOnes.map((tag) => {
      const spec = { dnsNames: naming.localHosts(tag), domain: clusterServiceDomain }
      return { isLocal: true, certificate: certificateFor(route, { tag, type: 'cluster-local-domain', spec }, network) }
    }),
  ]
}

function certificateFor(
  route: Route,
  { tag, type, spec }: { tag: string; type: 'external-domain' | 'cluster-local-domain'; spec: Certificate['spec'] },
  network: NetworkConfig,
): Certificate {
  const { name: routeName, uid = '', annotations } = route.metadata
  const ending = type === 'cluster-local-domain' ? '-local' : ''
  const name = `route-${uid}${tag === '' ? '' : `-${adler32(tag)}`}${ending}`
  const certificateClass = networkAnnotation(annotations, networkAnnotations.certificateClass)
  return {
    apiVersion: ingressApiVersion,
    kind: 'Certificate',
    metadata: {
      name,
      ...sameNamespace(route),
      labels: { [routeLabel]: routeName, [certificateTypeLabel]: type },
      annotations: {
        ...passedAnnotations(annotations),
        [certificateClassAnnotation]: certificateClass ?? network.certificateClass,
      },
      ownerReferences: [controllerRef(route)],
    },
    spec: { ...spec, secretName: name },
  }
}

async function ask(certificate: Certificate, route: Route, context: ReconcileContext): Promise<Certificate> {
  const { name, namespace = '' } = certificate.metadata
  const existing = context.get<Certificate>(certificateKind, namespace, name)
  if (existing !== undefined && controllerOf(existing)?.uid !== route.metadata.uid) {
    const message = `There is an existing certificate ${name} that we don't own.`
    context.conditions.markFalse('CertificateProvisioned', 'CertificateNotOwned', message)
    throw new TerminalError(`owner: ${route.metadata.name} with Type Route does not own Certificate: "${name}"`)
  }
  try {
    return await context.apply(certificate)
  } catch (thrown) {
    const message = `Certificate ${name} fails to be provisioned: ${messageOf(thrown)}`
    context.conditions.markFalse('CertificateProvisioned', 'CertificateProvisionFailed', message)
    throw thrown
  }
}

/** Plain HTTP goes on where that is allowed. */
function markMissing(
  certificate: Certificate,
  { mayDowngrade }: { mayDowngrade: boolean },
  { conditions }: ReconcileContext,
): void {
  const { name } = certificate.metadata
  const { status, reason = '' } = conditionOf(certificate, 'Ready') ?? {}
  if (mayDowngrade) {
    const message = `Certificate ${name} is not ready downgrade HTTP.`
    conditions.markTrue('CertificateProvisioned', 'HTTPDowngrade', message)
  } else if (status === 'False') {
    const message = `Certificate ${name} fails to be provisioned: ${reason}`
    conditions.markFalse('CertificateProvisioned', 'CertificateProvisionFailed', message)
  } else {
    conditions.markUnknown(
      'CertificateProvisioned',
      'CertificateNotReady',
      `Certificate ${name} is not ready: ${reason}`,
    )
  }
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
