// One certificate for all hosts of a namespace: which namespaces have it, and for which domains. Source: knative/serving
// pkg/reconciler/nscert/nscert.go.
import { executeTemplate } from '../kubernetes/go-template.ts'
import { matchesSelector } from '../kubernetes/label-selector.ts'
import type { NetworkConfig } from './network-config.ts'

type Labels = Readonly<Record<string, string>>

/** Whether config-network wants such certificates in a namespace with these labels. */
export const hasWildcardCertificates = (labels: Labels | undefined, network: NetworkConfig): boolean =>
  network.namespaceWildcardCertSelector !== undefined && matchesSelector(network.namespaceWildcardCertSelector, labels)

/**
 * `*.shop.example.com`, or what comes of a template by which hosts of one namespace are no neighbours: then there is no
 * certificate for all of them.
 * @throws {Error} when the template asks for what is not there.
 */
export function wildcardHost(namespace: string, domain: string, { domainTemplate }: NetworkConfig): string {
  const data = { Name: '*', Namespace: namespace, Domain: domain, Annotations: {}, Labels: {} }
  return executeTemplate('domain-template', domainTemplate, data)
}

/** Of the Certificate for a wildcard host, and of its Secret; `undefined` when it is no such host. */
export const wildcardCertificateName = (host: string): string | undefined => /^\*\.(.+)$/.exec(host)?.[1]
