// Certificates for all hosts of a Namespace, where config-network wants them. Source: knative/serving
// pkg/reconciler/nscert.
import { TerminalError } from '../../../base/errors.ts'
import { removeOthers } from '../../../engine/children.ts'
import type { ReconcileContext } from '../../../engine/reconciler.ts'
import { followServingConfig } from '../../../engine/serving-settings.ts'
import { domainConfigMap, wildcardDomains } from '../../../model/serving/domain-config.ts'
import { networkConfig, networkConfigMap } from '../../../model/serving/network-config.ts'
import type { NetworkConfig } from '../../../model/serving/network-config.ts'
import { certificateClassAnnotation, wildcardDomainLabel } from '../../../model/serving/network-keys.ts'
import { networkAnnotation, networkAnnotations } from '../../../model/serving/network-keys.ts'
import {
  hasWildcardCertificates,
  wildcardCertificateName,
  wildcardHost,
} from '../../../model/serving/wildcard-domain.ts'
import { certificateFor, certificateKind } from '../../networking/certificate/schema.ts'
import type { Certificate } from '../../networking/certificate/schema.ts'
import type { Namespace } from './schema.ts'

/**
 * Asks for a certificate for each domain, and no longer for others.
 * @param serviceDomain the domain of Services that no other one selects
 * @throws {TerminalError} when the domain template makes no such hosts, until it changes.
 */
export async function keepWildcardCertificates(
  namespace: Namespace,
  serviceDomain: string,
  context: ReconcileContext,
): Promise<void> {
  const { labels } = namespace.metadata
  const network = networkConfig(followServingConfig(networkConfigMap, context))
  const domains = hasWildcardCertificates(labels, network)
    ? wildcardDomains(followServingConfig(domainConfigMap, context), serviceDomain)
    : []
  const wanted = domains.map((domain) => wildcardCertificate(namespace, domain, network))
  for (const certificate of wanted) await context.apply(certificate)
  await removeOthers(context, certificateKind, new Set(wanted.map(({ metadata }) => metadata.name)))
}

function wildcardCertificate(namespace: Namespace, domain: string, network: NetworkConfig): Certificate {
  const { name: namespaceName, annotations } = namespace.metadata
  const host = wildcardHost(namespaceName, domain, network)
  const name = wildcardCertificateName(host)
  if (name === undefined) {
    const template = `domain template ${network.domainTemplate} to domain ${domain} and namespace ${namespaceName}`
    throw new TerminalError(`failed to apply ${template}: invalid DomainTemplate: ${host}`)
  }
  const certificateClass = networkAnnotation(annotations, networkAnnotations.certificateClass)
  return certificateFor(namespace, {
    name,
    labels: { [wildcardDomainLabel]: domain },
    annotations: { [certificateClassAnnotation]: certificateClass ?? network.certificateClass },
    spec: { dnsNames: [host] },
  })
}
