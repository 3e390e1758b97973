import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reconcileOnce } from '../../../engine/control-loop/reconcile-once.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { namespace } from './kind.ts'
import type { Namespace } from './schema.ts'

const aNamespace = (metadata: object = {}): Namespace => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: 'shop', ...metadata },
})
const inShop = (kind: string, name: string, more: object = {}): Resource => ({
  apiVersion: 'v1',
  kind,
  metadata: { name, namespace: 'shop' },
  ...more,
})
const made = (applied: Resource[]): string[] =>
  applied.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`)

test('a Namespace gets its account and its certificates', async () => {
  const { applied } = await reconcileOnce(aNamespace(), { kind: namespace })
  assert.deepEqual(made(applied), ['ServiceAccount shop/default', 'ConfigMap shop/kube-root-ca.crt'])
})

test('what is there stays as it is, and what was deleted comes back', async () => {
  const account = inShop('ServiceAccount', 'default', { secrets: [{ name: 'mine' }] })
  const { applied } = await reconcileOnce(aNamespace(), { kind: namespace, stored: [account] })
  assert.deepEqual(made(applied), ['ConfigMap shop/kube-root-ca.crt'])
})

test('a Namespace that goes gets nothing new', async () => {
  const going = aNamespace({ deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['a.test/b'] })
  const { applied } = await reconcileOnce(going, { kind: namespace })
  assert.deepEqual(made(applied), [])
})

const settings = (name: string, data: Record<string, string>): Resource => {
  const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'knative-serving' }, data }
  return configMap
}
const wildcards = (run: { applied: Resource[] }): unknown[] =>
  run.applied.flatMap(({ kind, metadata, ...rest }) =>
    kind === 'Certificate' ? [{ name: metadata.name, labels: metadata.labels, ...rest }] : [],
  )
const forNames = '{matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [kube-system]}]}'

test('a Namespace that is selected asks for a certificate of all its hosts, in each domain without selector', async () => {
  const stored = [
    settings('config-network', {
      'namespace-wildcard-cert-selector': forNames,
      'certificate-class': 'somebody.example.com',
    }),
    settings('config-domain', {
      'example.com': '',
      'prod.example.com': 'selector: {app: prod}',
      'wild.example.com': '{selector: {app: wild}, type: wildcard}',
    }),
  ]
  const run = await reconcileOnce(aNamespace(), { kind: namespace, stored })
  const certificate = (domain: string): object => ({
    name: `shop.${domain}`,
    labels: { 'networking.knative.dev/wildcardDomain': domain },
    apiVersion: 'networking.internal.knative.dev/v1alpha1',
    spec: { dnsNames: [`*.shop.${domain}`], secretName: `shop.${domain}` },
  })
  assert.deepEqual(wildcards(run), [certificate('example.com'), certificate('wild.example.com')])
  const [made] = run.applied.filter(({ kind }) => kind === 'Certificate')
  assert.equal(made?.metadata.annotations?.['networking.knative.dev/certificate.class'], 'somebody.example.com')
  assert.equal(made?.metadata.ownerReferences?.[0]?.kind, 'Namespace')
})

test('a Namespace that is not selected asks for none, and gives back what it had', async () => {
  const selector = '{matchLabels: {tls: wanted}}'
  const stored = [
    settings('config-network', { 'namespace-wildcard-cert-selector': selector }),
    inShop('Certificate', 'shop.example.com', { apiVersion: 'networking.internal.knative.dev/v1alpha1' }),
  ]
  const owner = { apiVersion: 'v1', kind: 'Namespace', name: 'shop', uid: 'uid-of-namespace-shop', controller: true }
  stored[1]!.metadata.ownerReferences = [owner]
  const run = await reconcileOnce(aNamespace(), { kind: namespace, stored })
  assert.deepEqual(wildcards(run), [])
  assert.deepEqual(run.removed, ['Certificate.networking.internal.knative.dev shop/shop.example.com'])
  const selected = await reconcileOnce(aNamespace({ labels: { tls: 'wanted' } }), { kind: namespace, stored })
  assert.equal(wildcards(selected).length, 1)
})

test('where hosts of a Namespace do not end alike there is no certificate for all of them', async () => {
  const network = {
    'namespace-wildcard-cert-selector': '{}',
    'domain-template': '{{.Name}}-{{.Namespace}}.{{.Domain}}',
  }
  const stored = [settings('config-network', network)]
  const { thrown } = await reconcileOnce(aNamespace(), { kind: namespace, stored })
  assert.match(String(thrown), /failed to apply domain template .* invalid DomainTemplate: \*-shop\./)
})
