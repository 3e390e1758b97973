import assert from 'node:assert/strict'
import { test } from 'node:test'
import { domainFor } from './domain-config.ts'
import { networkConfig } from './network-config.ts'
import { networkAnnotation, networkAnnotations, passedAnnotations } from './network-keys.ts'

test('an empty config-network means what upstream ships, with Knode’s own gateway', () => {
  assert.deepEqual(networkConfig({}), {
    ingressClass: 'knode.ingress.networking.knative.dev',
    certificateClass: 'cert-manager.certificate.networking.knative.dev',
    domainTemplate: '{{.Name}}.{{.Namespace}}.{{.Domain}}',
    tagTemplate: '{{.Tag}}-{{.Name}}',
    rolloutDurationMs: 0,
    autocreateClusterDomainClaims: false,
    defaultExternalScheme: 'http',
    externalDomainTls: false,
    clusterLocalDomainTls: false,
    systemInternalTls: false,
    httpProtocol: 'enabled',
  })
})

test('old names of keys are read, and the new ones count more', () => {
  const old = networkConfig({
    'ingress.class': 'a',
    'certificate.class': 'b',
    domainTemplate: 'c',
    tagTemplate: 'd',
    rolloutDuration: '5',
    autocreateClusterDomainClaims: 'true',
    defaultExternalScheme: 'https',
    autoTLS: 'enabled',
    httpProtocol: 'Redirected',
    'internal-encryption': 'true',
  })
  assert.deepEqual(Object.values(old), ['a', 'b', 'c', 'd', 5_000, true, 'https', true, false, true, 'redirected'])
  const both = networkConfig({
    'ingress.class': 'a',
    'ingress-class': 'new',
    'auto-tls': 'Enabled',
    'external-domain-tls': 'Disabled',
    httpProtocol: 'Redirected',
    'http-protocol': 'Disabled',
  })
  assert.deepEqual([both.ingressClass, both.externalDomainTls, both.httpProtocol], ['new', false, 'disabled'])
})

test('the domain whose selector asks for most counts, then the first by name', () => {
  const data = {
    _example: 'not read',
    'a.com': 'selector:\n  app: shop\n',
    'b.com': 'selector:\n  app: shop\n  team: "1"\n',
    'c.com': 'selector:\n  app: other\n  team: "1"\n',
    'd.com': 'selector:\n  app: shop\n  tier: front\n',
  }
  const rows: [Record<string, string>, string][] = [
    [{}, 'default.io:80'],
    [{ app: 'shop' }, 'a.com'],
    [{ app: 'shop', team: '1' }, 'b.com'],
    [{ app: 'shop', team: '1', tier: 'front' }, 'b.com'],
    [{ app: 'shop', tier: 'front' }, 'd.com'],
    [{ app: 'shop', 'networking.knative.dev/visibility': 'cluster-local' }, 'svc.cluster.local'],
    [{ app: 'shop', 'networking.knative.dev/visibility': 'other' }, 'a.com'],
  ]
  for (const [labels, expected] of rows) assert.equal(domainFor(labels, data, 'default.io:80'), expected)
  for (const text of ['', '{}', 'selector: {}', 'selector:', 'type: wildcard']) {
    assert.equal(domainFor({}, { ...data, 'z.com': text }, 'default.io:80'), 'z.com', text)
  }
})

test('annotations are found under each of their names, empty ones not at all', () => {
  const find = (annotations: Record<string, string>): string | undefined =>
    networkAnnotation(annotations, networkAnnotations.ingressClass)
  assert.equal(find({ 'networking.knative.dev/ingress-class': 'a' }), 'a')
  assert.equal(find({ 'networking.knative.dev/ingress-class': 'a', 'networking.knative.dev/ingress.class': 'b' }), 'b')
  assert.equal(find({ 'networking.knative.dev/ingress.class': '' }), undefined)
  const kept = { mine: 'yes', 'networking.knative.dev/ingress.class': 'b' }
  assert.deepEqual(passedAnnotations({ ...kept, 'networking.knative.dev/ingress-class': 'a' }), kept)
})
