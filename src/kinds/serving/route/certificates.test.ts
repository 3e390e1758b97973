import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aRoute, startRoutingWorld } from '../../../../test/harness/routing-world.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import type { Ingress } from '../../networking/ingress/schema.ts'
import type { Route } from './schema.ts'

const latest = (configurationName: string, percent = 100) => ({ configurationName, latestRevision: true, percent })

test('with TLS switched on certificates are asked for, and plain HTTP goes on until they are there', async () => {
  await using world = await startRoutingWorld()
  await world.roll('hello', 'hello-00001')
  const others = { 'certificate-class': 'somebody.example.com' }
  await world.configure('config-network', { 'external-domain-tls': 'Enabled', ...others })
  await world.configure('config-domain', { 'example.com': '' })
  await world.client.create(aRoute('hello', [{ ...latest('hello'), tag: 'now' }]))
  await world.settled()
  const { uid = '' } = (await world.read<Route>('Route', 'hello')).metadata
  const [main, tagged] = await world.client.list<Resource & { spec: object }>(
    'Certificate.networking.internal.knative.dev',
  )
  assert.equal(main?.metadata.name, `route-${uid}`)
  assert.match(tagged?.metadata.name ?? '', new RegExp(`^route-${uid}-\\d+$`))
  assert.deepEqual(main.spec, {
    dnsNames: ['hello.shop.example.com'],
    domain: 'example.com',
    secretName: `route-${uid}`,
  })
  const says = (): Promise<string> => world.says('Route', 'hello', 'CertificateProvisioned')
  assert.match(await says(), /^True HTTPDowngrade: Certificate route-\S+ is not ready downgrade HTTP\.$/)
  assert.equal((await world.read<Route>('Route', 'hello')).status?.url, 'http://hello.shop.example.com')

  await world.configure('config-network', { 'http-protocol': 'Redirected' })
  assert.match(await says(), /^Unknown CertificateNotReady: Certificate route-\S+ is not ready: $/)
  assert.equal((await world.read<Route>('Route', 'hello')).status?.url, 'https://hello.shop.example.com')
  for (const certificate of await world.client.list('Certificate.networking.internal.knative.dev')) {
    const { generation: observedGeneration } = certificate.metadata
    const status = { observedGeneration, conditions: [{ type: 'Ready', status: 'True' }] }
    await world.client.updateStatus({ ...certificate, status })
  }
  await world.settled()
  const noSecret = `False TLSSecretNotFound: Secret "shop/route-${uid}" with the TLS certificate not found.`
  assert.equal(await world.says('Route', 'hello', 'CertificateProvisioned'), 'True')
  assert.equal(await world.says('Route', 'hello', 'IngressReady'), noSecret)
  const { status } = await world.read<Route>('Route', 'hello')
  assert.equal(status?.url, 'https://hello.shop.example.com')
  assert.equal(status.traffic?.[0]?.url, 'https://now-hello.shop.example.com')
  assert.equal((await world.read<Ingress>('Ingress', 'hello')).spec.tls?.length, 2)

  await world.configure('config-network', { 'external-domain-tls': 'Disabled' })
  assert.equal(await says(), 'True TLSNotEnabled: external-domain-tls is not enabled')
  assert.deepEqual(await world.client.list('Certificate.networking.internal.knative.dev'), [])
})

test('nobody else needs to be there: Knode’s own certificates make a Route’s hosts https', async () => {
  await using world = await startRoutingWorld()
  await world.roll('hello', 'hello-00001')
  await world.configure('config-network', { 'external-domain-tls': 'Enabled' })
  await world.client.create(aRoute('hello', [{ ...latest('hello'), tag: 'now' }]))
  await world.settled()
  assert.equal(await world.says('Route', 'hello'), 'True')
  assert.equal(await world.says('Route', 'hello', 'CertificateProvisioned'), 'True')
  const { status } = await world.read<Route>('Route', 'hello')
  const host = 'hello.shop.127.0.0.1.sslip.io'
  assert.deepEqual([status?.url, status?.traffic?.[0]?.url], [`https://${host}:7481`, `https://now-${host}:7481`])
  assert.equal(status?.address?.url, 'http://hello.shop.svc.cluster.local')
  assert.ok(world.certificates.find(host))
  assert.ok(world.certificates.find(`now-${host}`))

  const off = { metadata: { annotations: { 'networking.knative.dev/disable-external-domain-tls': 'true' } } }
  await world.client.patch('Route.serving.knative.dev', 'shop', 'hello', off)
  await world.settled()
  const disabled = 'True TLSNotEnabled: external-domain-tls is not enabled'
  assert.equal(await world.says('Route', 'hello', 'CertificateProvisioned'), disabled)
  assert.equal((await world.read<Route>('Route', 'hello')).status?.url, `http://${host}:7481`)
  assert.equal(world.certificates.find(host), undefined)
  const left = (await world.client.list('Secret')).map(({ metadata }) => metadata.name)
  assert.deepEqual(left, ['knode-ca'], 'Secrets go with their Certificates')
})

test('names inside the cluster have certificates, too, where config-network wants it', async () => {
  await using world = await startRoutingWorld()
  await world.roll('hello', 'hello-00001')
  await world.configure('config-network', { 'cluster-local-domain-tls': 'Enabled' })
  await world.client.create(aRoute('hello', [latest('hello')]))
  await world.settled()
  const { status } = await world.read<Route>('Route', 'hello')
  assert.equal(status?.address?.url, 'https://hello.shop.svc.cluster.local')
  assert.equal(status?.url, 'http://hello.shop.127.0.0.1.sslip.io:7481')
  for (const name of ['hello.shop', 'hello.shop.svc', 'hello.shop.svc.cluster.local']) {
    assert.ok(world.certificates.find(name), name)
  }
  assert.equal(await world.says('Route', 'hello'), 'True')
})

test('of several certificates the worst is told', async () => {
  await using world = await startRoutingWorld()
  await world.roll('hello', 'hello-00001')
  await world.configure('config-network', { 'external-domain-tls': 'Enabled', 'http-protocol': 'Redirected' })
  await world.client.create(aRoute('hello', [{ ...latest('hello'), tag: 'now' }]))
  await world.settled()
  const { uid } = (await world.read<Route>('Route', 'hello')).metadata
  const spoil = { metadata: { ownerReferences: [] } }
  await world.client.patch('Secret', 'shop', `route-${uid}`, spoil)
  await world.settled()
  const expected = `False CertificateProvisionFailed: Certificate route-${uid} fails to be provisioned: NotOwned`
  assert.equal(await world.says('Route', 'hello', 'CertificateProvisioned'), expected)
  assert.equal((await world.read<Route>('Route', 'hello')).status?.url, 'https://hello.shop.127.0.0.1.sslip.io:7481')
})

test('the namespace’s certificate takes the place of a Route’s own ones', async () => {
  await using world = await startRoutingWorld()
  await world.roll('hello', 'hello-00001')
  await world.configure('config-network', {
    'external-domain-tls': 'Enabled',
    'namespace-wildcard-cert-selector': '{}',
  })
  await world.client.create(aRoute('hello', [latest('hello')]))
  await world.settled()
  const certificates = async (): Promise<string[]> =>
    (await world.client.list('Certificate.networking.internal.knative.dev')).map(({ metadata }) => metadata.name)
  assert.match((await certificates()).join(' '), /^route-\S+$/)
  const name = 'shop.127.0.0.1.sslip.io'
  await world.client.create({
    apiVersion: 'networking.internal.knative.dev/v1alpha1',
    kind: 'Certificate',
    metadata: { name, namespace: 'shop', labels: { 'networking.knative.dev/wildcardDomain': '127.0.0.1.sslip.io' } },
    spec: { dnsNames: [`*.${name}`], secretName: name },
  })
  await world.settled()
  assert.deepEqual(await certificates(), [name])
  const { spec } = await world.read<Ingress>('Ingress', 'hello')
  assert.deepEqual(spec.tls, [{ hosts: [`hello.${name}`], secretName: name, secretNamespace: 'shop' }])
  assert.equal(await world.says('Route', 'hello'), 'True')
  assert.equal((await world.read<Route>('Route', 'hello')).status?.url, `https://hello.${name}:7481`)
})
