// Certificates for the hosts of a Route, where TLS is switched on. Source: knative/serving pkg/reconciler/route/route.go.
import { messageOf, TerminalError } from '../../../base/errors.ts'
import type { ReconcileContext } from '../../../engine/reconciler.ts'
import { wantsExternalTls } from '../../../engine/serving-settings.ts'
import { conditionOf } from '../../../model/duck/conditions.ts'
import { controllerOf } from '../../../model/kubernetes/resource.ts'
import { wildcardDomainLabel } from '../../../model/serving/network-keys.ts'
import { wildcardCertificateName, wildcardHost } from '../../../model/serving/wildcard-domain.ts'
import { certificateKind } from '../../networking/certificate/schema.ts'
import type { Certificate } from '../../networking/certificate/schema.ts'
import type { IngressTls } from '../../networking/ingress/schema.ts'
import { wantedCertificates } from './certificate-object.ts'
import type { CertificatePlan } from './certificate-object.ts'
import type { Route } from './schema.ts'
import { isReadyNow } from './traffic.ts'

export interface Secured {
  /** Hosts that are shown with https. */
  hosts: ReadonlySet<string>
  tls: IngressTls[]
  /** Names of the Route's own Certificates: others are of no use once the Ingress has let go of them. */
  certificates: ReadonlySet<string>
}

/** What `CertificateProvisioned` says, the worst last. */
const verdicts = ['ready', 'downgraded', 'missing', 'failed'] as const
interface Verdict {
  kind: (typeof verdicts)[number]
  certificate: Certificate
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
  const { conditions } = context
  const hosts = new Set<string>()
  const own = new Set<string>()
  const tls: IngressTls[] = []
  let worst: Verdict | undefined
  for (const { certificate: wanted, isLocal } of wantedCertificates(route, plan)) {
    const shared = isLocal ? undefined : wildcardCertificate(wanted, plan, context)
    const certificate = shared ?? (await ask(wanted, route, context))
    if (shared === undefined) own.add(certificate.metadata.name)
    const { dnsNames = [] } = wanted.spec
    const kind = verdictOn(certificate, plan, isLocal)
    if (kind === 'ready') {
      const { secretName = '' } = certificate.spec
      tls.push({ hosts: dnsNames, secretName, secretNamespace: certificate.metadata.namespace ?? '' })
    }
    if (kind === 'ready' || (kind !== 'downgraded' && !isLocal)) for (const name of dnsNames) hosts.add(name)
    if (worst === undefined || verdicts.indexOf(kind) > verdicts.indexOf(worst.kind)) worst = { kind, certificate }
  }
  if (worst !== undefined) mark(worst, context)
  else {
    const isForCluster = wantsExternalTls(route, plan.network)
    const message = isForCluster ? 'TLS is not enabled for cluster-local' : 'external-domain-tls is not enabled'
    conditions.markTrue('CertificateProvisioned', 'TLSNotEnabled', message)
  }
  return { hosts, tls, certificates: own }
}

/** The namespace's own for all its hosts, if it has one that this host is among. */
function wildcardCertificate(
  { metadata, spec }: Certificate,
  { network, naming }: CertificatePlan,
  context: ReconcileContext,
): Certificate | undefined {
  if (network.namespaceWildcardCertSelector === undefined) return undefined
  const namespace = metadata.namespace ?? ''
  const host = wildcardHost(namespace, naming.domain, network)
  const name = wildcardCertificateName(host)
  const isBelow = spec.dnsNames?.every((each) => each.replace(/^[^.]*/, '*') === host)
  if (name === undefined || isBelow !== true) return undefined
  const found = context.get<Certificate>(certificateKind, namespace, name)
  return found?.metadata.labels?.[wildcardDomainLabel] === naming.domain ? found : undefined
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
function verdictOn(certificate: Certificate, { network }: CertificatePlan, isLocal: boolean): Verdict['kind'] {
  if (isReadyNow(certificate)) return 'ready'
  if (network.httpProtocol === 'enabled' && !isLocal) return 'downgraded'
  return conditionOf(certificate, 'Ready')?.status === 'False' ? 'failed' : 'missing'
}

function mark({ kind, certificate }: Verdict, { conditions }: ReconcileContext): void {
  const type = 'CertificateProvisioned'
  const { name } = certificate.metadata
  const { reason = '' } = conditionOf(certificate, 'Ready') ?? {}
  if (kind === 'ready') conditions.markTrue(type)
  else if (kind === 'downgraded') {
    conditions.markTrue(type, 'HTTPDowngrade', `Certificate ${name} is not ready downgrade HTTP.`)
  } else if (kind === 'failed') {
    const message = `Certificate ${name} fails to be provisioned: ${reason}`
    conditions.markFalse(type, 'CertificateProvisionFailed', message)
  } else conditions.markUnknown(type, 'CertificateNotReady', `Certificate ${name} is not ready: ${reason}`)
}
