import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aRoute, startRoutingWorld } from '../../../../test/harness/routing-world.ts'
import type { RoutingWorld } from '../../../../test/harness/routing-world.ts'
import type { KReference } from '../../../model/duck/types.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import type { Ingress } from '../../networking/ingress/schema.ts'
import type { DomainMapping } from './schema.ts'

const domain = 'shop.example.com'
const toRoute: KReference = { apiVersion: 'serving.knative.dev/v1', kind: 'Route', name: 'hello', namespace: 'shop' }

function aMapping(more: Partial<DomainMapping['spec']> = {}, namespace = 'shop', name = domain): DomainMapping {
  return {
    apiVersion: 'serving.knative.dev/v1beta1',
    kind: 'DomainMapping',
    metadata: { name, namespace },
    spec: { ref: { ...toRoute, namespace }, ...more },
  }
}

const aClaim = (namespace: string): Resource & { spec: { namespace: string } } => ({
  apiVersion: 'networking.internal.knative.dev/v1alpha1',
  kind: 'ClusterDomainClaim',
  metadata: { name: domain },
  spec: { namespace },
})

/** With a Route `hello`. */
async function aWorld(): Promise<RoutingWorld> {
  const world = await startRoutingWorld()
  await world.roll('hello', 'hello-00001')
  await world.client.create(aRoute('hello', [{ configurationName: 'hello', latestRevision: true, percent: 100 }]))
  await world.settled()
  return world
}

test('a domain that its namespace may use leads to what it is mapped to', async () => {
  await using world = await aWorld()
  await world.client.create(aClaim('shop'))
  await world.client.create(aMapping())
  await world.settled()
  assert.equal(await world.says('DomainMapping', domain), 'True')
  const { status } = await world.read<DomainMapping>('DomainMapping', domain)
  assert.equal(status?.url, 'http://shop.example.com')
  assert.deepEqual(status.address, { url: 'http://shop.example.com' })
  assert.deepEqual(world.ask(domain), {
    by: 'hello-00001',
    setHeaders: {
      'k-original-host': domain,
      'knative-serving-revision': 'hello-00001',
      'knative-serving-namespace': 'shop',
    },
    host: 'hello.shop.svc.cluster.local',
  })
  const { metadata, spec } = await world.read<Ingress>('Ingress', domain)
  assert.equal(metadata.labels?.['serving.knative.dev/domainMappingNamespace'], 'shop')
  assert.equal(spec.rules?.[0]?.visibility, 'ExternalIP')
  assert.ok((await world.events()).includes(`Created: Created Ingress "${domain}" x1`))
})

test('a domain that nobody gave is refused, until somebody does', async () => {
  await using world = await aWorld()
  await world.client.create(aMapping())
  await world.settled()
  const refused = 'False DomainAlreadyClaimed: The domain name is already in use by another DomainMapping'
  assert.equal(await world.says('DomainMapping', domain, 'DomainClaimed'), refused)
  assert.equal(await world.says('DomainMapping', domain), refused)
  assert.deepEqual(world.ask(domain), { status: 404 })
  const why =
    `InternalError: no ClusterDomainClaim found for domain "${domain}" (and autocreate-cluster-domain-claims property is ` +
    'not true)'
  assert.ok((await world.events()).some((event) => event.startsWith(why)))
  await world.client.create(aClaim('shop'))
  await world.settled()
  assert.equal(await world.says('DomainMapping', domain), 'True')
})

test('where config-network allows it the first one claims its domain; another takes over when it goes', async () => {
  await using world = await aWorld()
  await world.configure('config-network', { 'autocreate-cluster-domain-claims': 'true' })
  await world.client.create(aMapping({}, 'other'))
  await world.settled()
  await world.client.create(aMapping())
  await world.settled()
  assert.match(await world.says('DomainMapping', domain), /^False DomainAlreadyClaimed/)
  const why = `InternalError: namespace "shop" does not own ClusterDomainClaim for "${domain}"`
  assert.ok((await world.events()).some((event) => event.startsWith(why)))
  const claim = async (): Promise<string | undefined> =>
    (await world.client.list<ReturnType<typeof aClaim>>('ClusterDomainClaim.networking.internal.knative.dev'))[0]?.spec
      .namespace
  assert.equal(await claim(), 'other')

  await world.client.delete('DomainMapping.serving.knative.dev', 'other', domain)
  await world.settled()
  assert.equal(await claim(), 'shop')
  assert.equal(await world.says('DomainMapping', domain), 'True')
  assert.equal(world.ask(domain).by, 'hello-00001')

  await world.client.delete('DomainMapping.serving.knative.dev', 'shop', domain)
  await world.settled()
  assert.equal(await claim(), undefined)
  assert.deepEqual(world.ask(domain), { status: 404 })
})

test('a claim that somebody else made stays, and so does one of another namespace', async () => {
  await using world = await aWorld()
  await world.client.create(aClaim('shop'))
  await world.client.create(aMapping())
  await world.settled()
  await world.client.delete('DomainMapping.serving.knative.dev', 'shop', domain)
  await world.settled()
  const claims = 'ClusterDomainClaim.networking.internal.knative.dev'
  assert.equal((await world.client.list(claims)).length, 1)
  await world.configure('config-network', { 'autocreate-cluster-domain-claims': 'true' })
  await world.client.create(aMapping({}, 'other'))
  await world.settled()
  await world.client.delete('DomainMapping.serving.knative.dev', 'other', domain)
  await world.settled()
  assert.equal((await world.client.list(claims)).length, 1)
})

test('each way a reference can lead nowhere is told', async () => {
  const rows: [string, string | undefined, string][] = [
    ['missing', undefined, 'failed to get object shop/missing: routes.serving.knative.dev "missing" not found'],
    [
      'deep',
      'http://deep.shop.svc.cluster.local/path',
      'resolved URI "http://deep.shop.svc.cluster.local/path" contains a path',
    ],
    [
      'far',
      'http://far.example.com',
      'resolved URI "http://far.example.com" must be of the form {name}.{namespace}.svc.cluster.local',
    ],
    [
      'away',
      'http://away.other.svc.cluster.local',
      'resolved URI "http://away.other.svc.cluster.local" must be in same namespace as DomainMapping',
    ],
  ]
  await using world = await startRoutingWorld()
  await world.configure('config-network', { 'autocreate-cluster-domain-claims': 'true' })
  for (const [name, url, expected] of rows) {
    const target = aRoute(name, [{ configurationName: 'nobody', latestRevision: true, percent: 100 }])
    if (url !== undefined) {
      const created = await world.client.create(target)
      await world.settled()
      const { resourceVersion: _, ...metadata } = created.metadata
      await world.client.updateStatus({ ...created, metadata, status: { address: { url } } })
    }
    await world.client.create(aMapping({ ref: { ...toRoute, name } }, 'shop', `${name}.example.com`))
    await world.settled()
    const says = await world.says('DomainMapping', `${name}.example.com`, 'ReferenceResolved')
    assert.equal(says, `False ResolveFailed: ${expected}`)
  }
})

test('core Services are mapped by name', async () => {
  await using world = await startRoutingWorld()
  await world.client.create(aClaim('shop'))
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'shop' }, spec: {} }
  await world.client.create(service)
  await world.client.create(aMapping({ ref: { apiVersion: 'v1', kind: 'Service', name: 'web', namespace: 'shop' } }))
  await world.settled()
  assert.equal(await world.says('DomainMapping', domain), 'True')
  const { spec } = await world.read<Ingress>('Ingress', domain)
  const [path] = spec.rules?.[0]?.http?.paths ?? []
  assert.deepEqual([path?.rewriteHost, path?.splits[0]?.serviceName], ['web.shop.svc.cluster.local', 'web'])
})

test('a certificate of the user’s makes it https', async () => {
  await using world = await aWorld()
  await world.client.create(aClaim('shop'))
  await world.client.create(aMapping({ tls: { secretName: 'mine' } }))
  await world.settled()
  const expected = 'True CertificateExternallyProvided: TLS certificate was provided externally'
  assert.equal(await world.says('DomainMapping', domain, 'CertificateProvisioned'), expected)
  assert.equal((await world.read<DomainMapping>('DomainMapping', domain)).status?.url, 'https://shop.example.com')
  const { spec } = await world.read<Ingress>('Ingress', domain)
  assert.deepEqual(spec.tls, [{ hosts: [domain], secretName: 'mine', secretNamespace: 'shop' }])
  const missing = 'False TLSSecretNotFound: Secret "shop/mine" with the TLS certificate not found.'
  assert.equal(await world.says('DomainMapping', domain), missing)
})

test('its certificate goes when a user’s own takes its place', async () => {
  await using world = await aWorld()
  await world.configure('config-network', { 'external-domain-tls': 'Enabled' })
  await world.client.create(aClaim('shop'))
  await world.client.create(aMapping())
  await world.settled()
  assert.equal(await world.says('DomainMapping', domain), 'True')
  const { spec } = await world.read<Ingress>('Ingress', domain)
  assert.deepEqual(spec.tls, [{ hosts: [domain], secretName: domain, secretNamespace: 'shop' }])
  assert.ok(world.certificates.find(domain))
  await world.client.patch('DomainMapping.serving.knative.dev', 'shop', domain, {
    spec: { tls: { secretName: 'mine' } },
  })
  await world.settled()
  const left = await world.client.list('Certificate.networking.internal.knative.dev')
  assert.deepEqual(
    left.map(({ metadata }) => metadata.ownerReferences?.[0]?.kind),
    ['Route'],
  )
})

test('with TLS switched on a certificate is asked for, of whoever provides those of the class', async () => {
  await using world = await aWorld()
  const others = { 'certificate-class': 'somebody.example.com' }
  await world.configure('config-network', { 'external-domain-tls': 'Enabled', ...others })
  await world.client.create(aClaim('shop'))
  await world.client.create(aMapping())
  await world.settled()
  const says = (): Promise<string> => world.says('DomainMapping', domain, 'CertificateProvisioned')
  assert.equal(await says(), `True HTTPDowngrade: Certificate ${domain} is not ready downgrade HTTP.`)
  await world.configure('config-network', { 'http-protocol': 'Redirected' })
  assert.equal(await says(), `Unknown CertificateNotReady: Certificate ${domain} is not ready.`)
  const certificate = await world.read<Resource>('Certificate', domain)
  assert.deepEqual(certificate.spec, { dnsNames: [domain], domain, secretName: domain })
  const status = { observedGeneration: 1, conditions: [{ type: 'Ready', status: 'True' }] }
  await world.client.updateStatus({ ...certificate, status })
  await world.settled()
  assert.equal(await says(), 'True')
  assert.equal((await world.read<DomainMapping>('DomainMapping', domain)).status?.url, 'https://shop.example.com')
})

test('a domain that leads to the gateway by itself is shown with its port', async () => {
  await using world = await aWorld()
  await world.configure('config-network', { 'autocreate-cluster-domain-claims': 'true' })
  await world.client.create(aMapping({}, 'shop', 'web.127.0.0.1.sslip.io'))
  await world.settled()
  const { status } = await world.read<DomainMapping>('DomainMapping', 'web.127.0.0.1.sslip.io')
  assert.equal(status?.url, 'http://web.127.0.0.1.sslip.io:7481')
})
