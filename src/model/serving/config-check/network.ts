// What ConfigMap `config-network` may say. Source: knative/networking pkg/config/config.go.
import { executeTemplate } from '../../kubernetes/go-template.ts'
import { defaultDomainTemplate, namespaceSelector } from '../network-config.ts'
import type { ConfigData } from '../serving-config.ts'
import { ConfigValues } from './values.ts'

/** @throws {Error} in upstream's words */
export function checkNetworkConfig(data: ConfigData): void {
  const values = new ConfigValues(data)
  for (const key of [
    'autocreateClusterDomainClaims',
    'autocreate-cluster-domain-claims',
    'enable-mesh-pod-addressability',
    'internal-encryption',
  ]) {
    values.bool(key, false)
  }
  const rollout = values.int64('rollout-duration', values.int64('rolloutDuration', 0))
  if (rollout < 0) throw new Error(`rollout-duration must be a positive integer, but was ${rollout}`)
  checkTemplates(values)
  checkNamespaceSelector(data)
  const protocol = values.text(['httpProtocol', 'http-protocol']).toLowerCase()
  if (!['', 'enabled', 'disabled', 'redirected'].includes(protocol)) {
    const text = values.text('http-protocol')
    throw new Error(`httpProtocol ${text} in config-network ConfigMap is not supported`)
  }
  for (const key of ['system-internal-tls', 'cluster-local-domain-tls']) {
    const value = values.text(key)
    if (['', 'enabled', 'disabled'].includes(value.toLowerCase())) continue
    throw new Error(`${key} with value: ${JSON.stringify(value)} in config-network ConfigMap is not supported`)
  }
}

function checkTemplates(values: ConfigValues): void {
  const domain = values.text(['domainTemplate', 'domain-template'], defaultDomainTemplate)
  const example = { Name: 'foo', Namespace: 'bar', Domain: 'baz.com', Annotations: {}, Labels: {} }
  const host = executeTemplate('domain-template', domain, example)
  const [name = '', ...path] = host.split('/')
  if (name === '') throw new Error('empty hostname')
  if (path.length > 0) throw new Error(`domain template has url path: /${path.join('/')}`)
  const tag = values.text(['tagTemplate', 'tag-template'], '{{.Tag}}-{{.Name}}')
  executeTemplate('tag-template', tag, { Name: 'foo', Tag: 'v2' })
}

function checkNamespaceSelector(data: ConfigData): void {
  const key = 'namespace-wildcard-cert-selector'
  const selector = namespaceSelector(data)
  if (selector === undefined && (data[key] ?? '').trim() !== '') throw new Error(`${key} is no label selector in YAML`)
  for (const { operator = '' } of selector?.matchExpressions ?? []) {
    if (['In', 'NotIn', 'Exists', 'DoesNotExist'].includes(operator)) continue
    throw new Error(`${JSON.stringify(operator)} is not a valid label selector operator`)
  }
}
