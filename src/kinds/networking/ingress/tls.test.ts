// An Ingress with certificates: what the gateway shows, and what is said of Secrets that are of no use.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startRoutingWorld } from '../../../../test/harness/routing-world.ts'
import type { RoutingWorld } from '../../../../test/harness/routing-world.ts'
import { createCertificate } from '../../../base/certificate.ts'
import { secretData } from '../../../model/kubernetes/tls-secret.ts'
import type { Secret } from '../../core/secret/schema.ts'
import { ingressKind } from './schema.ts'
import type { Ingress } from './schema.ts'

const nowMs = Date.now()
const pairFor = (host: string) => createCertificate({ commonName: host, hosts: [host], nowMs })
const texts = ({ cert, key }: { cert: string; key: string }) => ({ 'tls.crt': cert, 'tls.key': key })

const aSecret = (given: Record<string, string>): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'mine', namespace: 'shop' },
  type: 'kubernetes.io/tls',
  data: secretData(given),
})

function anIngress(name: string, host: string): Ingress {
  const split = { serviceNamespace: 'shop', serviceName: 'hello-00001', servicePort: 80 }
  return {
    apiVersion: 'networking.internal.knative.dev/v1alpha1',
    kind: 'Ingress',
    metadata: { name, namespace: 'shop' },
    spec: {
      rules: [{ hosts: [host], visibility: 'ExternalIP', http: { paths: [{ splits: [split] }] } }],
      tls: [{ hosts: [host], secretName: 'mine', secretNamespace: 'shop' }],
    },
  }
}

/** An Ingress `a` for host `h`, with what its Secret holds, if there is one. */
async function aWorld(given?: Record<string, string>): Promise<RoutingWorld> {
  const world = await startRoutingWorld({ stored: given === undefined ? [] : [aSecret(given)] })
  await world.client.create(anIngress('a', 'h'))
  await world.settled()
  return world
}
const replace = async (world: RoutingWorld, given: Record<string, string>): Promise<void> => {
  await world.client.patch('Secret', 'shop', 'mine', { data: secretData(given) })
  await world.settled()
}

test('the gateway shows the certificate of the Secret, the next one from when it is there, and none without Ingress', async () => {
  await using world = await aWorld(texts(pairFor('h')))
  assert.equal(await world.says('Ingress', 'a'), 'True')
  const first = world.certificates.find('h')
  assert.ok(first)
  await replace(world, texts(pairFor('h')))
  const second = world.certificates.find('h')
  assert.ok(second)
  assert.notEqual(second, first)
  await world.client.patch(ingressKind, 'shop', 'a', { metadata: { labels: { team: 'a' } } })
  await world.settled()
  assert.equal(world.certificates.find('h'), second, 'what has not changed is not made ready again')
  await world.client.delete(ingressKind, 'shop', 'a')
  await world.settled()
  assert.equal(world.certificates.find('h'), undefined)
})

test('an Ingress without tls shows no certificate any more', async () => {
  await using world = await aWorld(texts(pairFor('h')))
  await world.client.patch(ingressKind, 'shop', 'a', { spec: { tls: null } })
  await world.settled()
  assert.equal(world.certificates.find('h'), undefined)
  assert.equal(world.ask('h').by, 'hello-00001')
})

const pair = pairFor('h')
const bad: [string, Record<string, string> | undefined, string][] = [
  ['is missing', undefined, 'False TLSSecretNotFound: Secret "shop/mine" with the TLS certificate not found.'],
  ['has no certificate', { 'tls.crt': '', 'tls.key': pair.key }, 'it has no tls.crt'],
  ['has no key', { 'tls.crt': pair.cert }, 'it has no tls.key'],
  ['has bad PEM', { 'tls.crt': 'hello', 'tls.key': pair.key }, 'the certificate is no PEM that can be read'],
  ['has a bad key', { 'tls.crt': pair.cert, 'tls.key': 'hello' }, 'the key is no PEM that can be read'],
  [
    'has another’s key',
    { 'tls.crt': pair.cert, 'tls.key': pairFor('i').key },
    'the key is not that of the certificate',
  ],
]
for (const [what, given, why] of bad) {
  test(`a Secret that ${what} is said to be of no use, plain HTTP goes on, and mending it mends all`, async () => {
    await using world = await aWorld(given)
    const says = await world.says('Ingress', 'a')
    const prefix = 'False TLSSecretInvalid: Secret "shop/mine" holds no usable TLS certificate: '
    assert.equal(says, given === undefined ? why : `${prefix}${why}.`)
    assert.equal(await world.says('Ingress', 'a', 'NetworkConfigured'), says)
    assert.equal(world.certificates.find('h'), undefined)
    assert.equal(world.ask('h').by, 'hello-00001')
    if (given === undefined) await world.client.create(aSecret(texts(pair)))
    else await replace(world, texts(pair))
    await world.settled()
    assert.equal(await world.says('Ingress', 'a'), 'True')
    assert.ok(world.certificates.find('h'))
  })
}

test('a Secret that is spoilt or deleted leaves the gateway with the certificate it had, and says so', async () => {
  await using world = await aWorld(texts(pair))
  const good = world.certificates.find('h')
  await replace(world, { 'tls.key': 'hello' })
  assert.match(await world.says('Ingress', 'a'), /^False TLSSecretInvalid: .* the key is no PEM/)
  assert.equal(world.certificates.find('h'), good)
  await world.client.delete('Secret', 'shop', 'mine')
  await world.settled()
  assert.match(await world.says('Ingress', 'a'), /^False TLSSecretNotFound/)
  assert.equal(world.certificates.find('h'), good)
})

test('who does not have the host does not show a certificate for it', async () => {
  await using world = await startRoutingWorld({ stored: [aSecret(texts(pair))] })
  const { tls: _, ...spec } = anIngress('first', 'h').spec
  await world.client.create({ ...anIngress('first', 'h'), spec })
  await world.settled()
  await world.client.create(anIngress('second', 'h'))
  await world.settled()
  assert.match(await world.says('Ingress', 'second'), /^False DomainConflict/)
  assert.equal(world.certificates.find('h'), undefined)
  await world.client.delete(ingressKind, 'shop', 'first')
  await world.settled()
  assert.ok(world.certificates.find('h'))
})

test('after a restart a certificate is the host’s rightful owner’s, whoever came first', async () => {
  const winner = anIngress('b', 'h')
  const { tls: _, ...spec } = winner.spec
  const ready = { type: 'LoadBalancerReady', status: 'True' as const }
  await using world = await startRoutingWorld({
    stored: [
      aSecret(texts(pair)),
      anIngress('a', 'h'),
      { ...winner, spec, status: { observedGeneration: 1, conditions: [ready] } },
    ],
  })
  await world.settled()
  assert.match(await world.says('Ingress', 'a', 'LoadBalancerReady'), /^False DomainConflict/)
  assert.equal(world.certificates.find('h'), undefined)
})
