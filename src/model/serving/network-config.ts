// What ConfigMap `config-network` says. Source: knative/networking pkg/config/config.go.
import type { LabelSelectorObject } from '../kubernetes/label-selector.ts'
import { parseYaml } from '../kubernetes/yaml.ts'
import type { ConfigData } from './serving-config.ts'

export const networkConfigMap = 'config-network'

/** The class of Ingresses that Knode's own gateway serves. */
export const knodeIngressClass = 'knode.ingress.networking.knative.dev'

/** The class of Certificates that Knode issues; it also does those of the class that config-network begins with. */
export const knodeCertificateClass = 'knode.certificate.networking.knative.dev'
export const defaultCertificateClass = 'cert-manager.certificate.networking.knative.dev'

export interface NetworkConfig {
  ingressClass: string
  certificateClass: string
  /** Go templates. */
  domainTemplate: string
  tagTemplate: string
  /** Over which time a new Revision takes the traffic; 0 is at once. */
  rolloutDurationMs: number
  autocreateClusterDomainClaims: boolean
  defaultExternalScheme: string
  externalDomainTls: boolean
  clusterLocalDomainTls: boolean
  systemInternalTls: boolean
  /** Namespaces that have one certificate for all their hosts. Absent: none. */
  namespaceWildcardCertSelector?: LabelSelectorObject
  /** `disabled` is deprecated: it means that Ingresses do not say. */
  httpProtocol: 'enabled' | 'redirected' | 'disabled'
}

export const defaultDomainTemplate = '{{.Name}}.{{.Namespace}}.{{.Domain}}'

/** Later names of a key count more than its older ones. */
export function networkConfig(data: ConfigData): NetworkConfig {
  const newest = (...keys: string[]): string | undefined =>
    keys.map((key) => data[key]).findLast((text) => text !== undefined)
  const isTrue = (...keys: string[]): boolean => /^(1|t|true)$/i.test(newest(...keys)?.trim() ?? '')
  const isEnabled = (...keys: string[]): boolean => newest(...keys)?.toLowerCase() === 'enabled'
  const protocol = newest('httpProtocol', 'http-protocol')?.toLowerCase()
  const selector = namespaceSelector(data)
  const rolloutSeconds = Number(newest('rolloutDuration', 'rollout-duration') ?? 0)
  return {
    ingressClass: newest('ingress.class', 'ingress-class') ?? knodeIngressClass,
    certificateClass: newest('certificate.class', 'certificate-class') ?? defaultCertificateClass,
    domainTemplate: newest('domainTemplate', 'domain-template') ?? defaultDomainTemplate,
    tagTemplate: newest('tagTemplate', 'tag-template') ?? '{{.Tag}}-{{.Name}}',
    rolloutDurationMs: rolloutSeconds > 0 ? Math.floor(rolloutSeconds) * 1_000 : 0,
    autocreateClusterDomainClaims: isTrue('autocreateClusterDomainClaims', 'autocreate-cluster-domain-claims'),
    defaultExternalScheme: newest('defaultExternalScheme', 'default-external-scheme') ?? 'http',
    externalDomainTls: isEnabled('autoTLS', 'auto-tls', 'external-domain-tls'),
    clusterLocalDomainTls: isEnabled('cluster-local-domain-tls'),
    systemInternalTls: isEnabled('system-internal-tls') || isTrue('internal-encryption'),
    ...(selector !== undefined && { namespaceWildcardCertSelector: selector }),
    httpProtocol: protocol === 'redirected' || protocol === 'disabled' ? protocol : 'enabled',
  }
}

/** A selector in YAML; none for what is no such thing, which admission refuses. */
export function namespaceSelector(data: ConfigData): LabelSelectorObject | undefined {
  const value = parseYaml(data['namespace-wildcard-cert-selector'] ?? '')[0]?.value
  return typeof value === 'object' && value !== null ? value : undefined
}
