// The certificate of a DomainMapping's host. Source: knative/serving pkg/reconciler/domainmapping/reconciler.go tls.
import { TerminalError } from '../../../base/errors.ts'
import type { ReconcileContext } from '../../../engine/reconciler.ts'
import { wantsExternalTls } from '../../../engine/serving-settings.ts'
import { isReady } from '../../../model/duck/conditions.ts'
import { childName } from '../../../model/kubernetes/child-name.ts'
import { controllerOf } from '../../../model/kubernetes/resource.ts'
import { domainMappingUidLabel } from '../../../model/serving/metadata-keys.ts'
import type { NetworkConfig } from '../../../model/serving/network-config.ts'
import {
  certificateClassAnnotation,
  certificateTypeLabel,
  passedAnnotations,
} from '../../../model/serving/network-keys.ts'
import { certificateFor, certificateKind } from '../../networking/certificate/schema.ts'
import type { Certificate } from '../../networking/certificate/schema.ts'
import type { IngressTls } from '../../networking/ingress/schema.ts'
import type { DomainMapping } from './schema.ts'

/**
 * Says in `CertificateProvisioned` how far it is. `scheme` is that of the URL, where the certificate decides it;
 * `certificate` is the name of the Certificate that was asked for.
 */
export async function keepCertificate(
  mapping: DomainMapping,
  network: NetworkConfig,
  context: ReconcileContext,
): Promise<{ tls: IngressTls[]; scheme?: 'http' | 'https'; certificate?: string }> {
  const { conditions } = context
  const { name, namespace = '' } = mapping.metadata
  if (mapping.spec.tls !== undefined) {
    const message = 'TLS certificate was provided externally'
    conditions.markTrue('CertificateProvisioned', 'CertificateExternallyProvided', message)
    const { secretName } = mapping.spec.tls
    return { tls: [{ hosts: [name], secretName, secretNamespace: namespace }], scheme: 'https' }
  }
  if (!wantsExternalTls(mapping, network)) {
    conditions.markTrue('CertificateProvisioned', 'TLSNotEnabled', 'external-domain-tls is not enabled')
    return { tls: [] }
  }
  const certificate = await ask(mapping, network, context)
  const certificateName = certificate.metadata.name
  if (isReady(certificate)) {
    conditions.markTrue('CertificateProvisioned')
    const { secretName = '' } = certificate.spec
    const tls = [{ hosts: [name], secretName, secretNamespace: namespace }]
    return { tls, scheme: 'https', certificate: certificateName }
  }
  if (network.httpProtocol === 'enabled') {
    const message = `Certificate ${certificateName} is not ready downgrade HTTP.`
    conditions.markTrue('CertificateProvisioned', 'HTTPDowngrade', message)
    return { tls: [], scheme: 'http', certificate: certificateName }
  }
  const message = `Certificate ${certificateName} is not ready.`
  conditions.markUnknown('CertificateProvisioned', 'CertificateNotReady', message)
  return { tls: [], scheme: 'https', certificate: certificateName }
}

async function ask(mapping: DomainMapping, network: NetworkConfig, context: ReconcileContext): Promise<Certificate> {
  const { name: domain, namespace = '', annotations, uid } = mapping.metadata
  const name = childName(domain, '')
  const existing = context.get<Certificate>(certificateKind, namespace, name)
  if (existing !== undefined && controllerOf(existing)?.uid !== uid) {
    const message = `There is an existing certificate ${name} that we don't own.`
    context.conditions.markFalse('CertificateProvisioned', 'CertificateNotOwned', message)
    throw new TerminalError(`owner: ${domain} with Type DomainMapping does not own Certificate: "${name}"`)
  }
  return await context.apply<Certificate>(
    certificateFor(mapping, {
      name,
      labels: { [domainMappingUidLabel]: domain, [certificateTypeLabel]: 'external-domain' },
      annotations: { [certificateClassAnnotation]: network.certificateClass, ...passedAnnotations(annotations) },
      spec: { dnsNames: [domain], domain },
    }),
  )
}
