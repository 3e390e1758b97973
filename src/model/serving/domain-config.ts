// Which domain an object's address is in: ConfigMap `config-domain`. Source: knative/serving
// pkg/reconciler/route/config/domain.go.
import { parseYaml } from '../kubernetes/yaml.ts'
import { clusterLocalVisibility, visibilityLabel } from './metadata-keys.ts'
import { clusterServiceDomain } from './network-keys.ts'
import type { ConfigData } from './serving-config.ts'

export const domainConfigMap = 'config-domain'

type Labels = Readonly<Record<string, string>>

/**
 * The domain of an object with these labels: of those whose selector matches the one that asks for most, of equal ones
 * the first by name. `otherwise` takes the place of a domain without a selector.
 */
export function domainFor(labels: Labels, data: ConfigData, otherwise: string): string {
  if (labels[visibilityLabel] === clusterLocalVisibility) return clusterServiceDomain
  const domains = Object.entries(data)
    .filter(([domain]) => domain !== '_example')
    .map(([domain, text]) => ({ domain, selector: Object.entries(selectorOf(text)) }))
  if (!domains.some(({ selector }) => selector.length === 0)) domains.push({ domain: otherwise, selector: [] })
  const [best] = domains
    .filter(({ selector }) => selector.every(([label, value]) => labels[label] === value))
    .sort((a, b) => b.selector.length - a.selector.length || (a.domain < b.domain ? -1 : 1))
  return best!.domain
}

/** Domains in which a namespace may have one certificate for all its hosts, without ports. */
export function wildcardDomains(data: ConfigData, otherwise: string): string[] {
  const domains = Object.entries(data)
    .filter(([domain]) => domain !== '_example')
    .map(([domain, text]) => ({ domain, isDefault: Object.keys(selectorOf(text)).length === 0, text }))
  if (!domains.some(({ isDefault }) => isDefault)) domains.push({ domain: otherwise, isDefault: true, text: '' })
  return domains
    .filter(({ isDefault, text }) => isDefault || optionsOf(text).type === 'wildcard')
    .map(({ domain }) => domain.replace(/:\d+$/, ''))
}

const optionsOf = (text: string): { selector?: unknown; type?: unknown } => parseYaml(text)[0]?.value ?? {}

function selectorOf(text: string): Record<string, string> {
  const { selector } = optionsOf(text)
  if (typeof selector !== 'object' || selector === null) return {}
  return Object.fromEntries(Object.entries(selector).map(([label, value]) => [label, String(value)]))
}
