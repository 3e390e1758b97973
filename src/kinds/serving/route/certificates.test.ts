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
  await world.configure('config-network', { 'external-domain-tls': 'Enabled' })
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
  for (const certificate of await world.client.list('Certificate.networking.internal.knative.dev')) {
    const { generation: observedGeneration } = certificate.metadata
    const status = { observedGeneration, conditions: [{ type: 'Ready', status: 'True' }] }
    await world.client.updateStatus({ ...certificate, status })
  }
  await world.settled()
  assert.equal(await world.says('Route', 'hello'), 'True')
  const { status } = await world.read<Route>('Route', 'hello')
  assert.equal(status?.url, 'https://hello.shop.example.com')
  assert.equal(status.traffic?.[0]?.url, 'https://now-hello.shop.example.com')
  assert.equal((await world.read<Ingress>('Ingress', 'hello')).spec.tls?.length, 2)

  await world.configure('config-network', { 'external-domain-tls': 'Disabled' })
  assert.equal(await says(), 'True TLSNotEnabled: external-domain-tls is not enabled')
  assert.deepEqual(await world.client.list('Certificate.networking.internal.knative.dev'), [])
})
