import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { createAuthority, createCertificate } from '../../../base/certificate.ts'
import { FakeClock } from '../../../base/fake-clock.ts'
import { startSmallWorld } from '../../../engine/control-loop/small-world.ts'
import type { SmallWorld } from '../../../engine/control-loop/small-world.ts'
import type { KindDefinition } from '../../../engine/kind.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { secretData, tlsTextsIn } from '../../../model/kubernetes/tls-secret.ts'
import type { Secret } from '../../core/secret/schema.ts'
import { certificate } from './kind.ts'
import { certificateKind } from './schema.ts'
import type { Certificate } from './schema.ts'

const dayMs = 86_400_000
const plain = (kind: string): KindDefinition => ({
  group: '',
  kind,
  plural: `${kind.toLowerCase()}s`,
  builtIn: true,
  versions: [{ name: 'v1', schema: {}, columns: [] }],
})
const aWorld = (stored: Resource[] = []): Promise<SmallWorld> =>
  startSmallWorld({
    kinds: [certificate, plain('Secret'), plain('ConfigMap')],
    stored,
    clock: new FakeClock(Date.UTC(2026, 0, 1)),
  })

const aCertificate = (dnsNames: string[], certificateClass?: string): Certificate => ({
  apiVersion: 'networking.internal.knative.dev/v1alpha1',
  kind: 'Certificate',
  metadata: {
    name: 'hello',
    namespace: 'shop',
    ...(certificateClass !== undefined && {
      annotations: { 'networking.knative.dev/certificate.class': certificateClass },
    }),
  },
  spec: { dnsNames, secretName: 'hello-tls' },
})
const aSecret = (namespace: string, name: string, texts: Record<string, string>): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace },
  type: 'kubernetes.io/tls',
  data: secretData(texts),
})
const anAuthority = (cert: string, key: string): Secret =>
  aSecret('knative-serving', 'knode-ca', { 'tls.crt': cert, 'tls.key': key })

/** What the Secret of `aCertificate` holds. */
async function issued({ client }: SmallWorld): Promise<X509Certificate> {
  const texts = tlsTextsIn((await client.get<Secret>('Secret', 'shop', 'hello-tls'))!)
  assert.ok('cert' in texts)
  return new X509Certificate(texts.cert)
}
async function trusted({ client }: SmallWorld): Promise<X509Certificate> {
  const bundle = await client.get<Resource & { data: Record<string, string> }>(
    'ConfigMap',
    'knative-serving',
    'knode-ca',
  )
  assert.equal(bundle?.metadata.labels?.['networking.knative.dev/trust-bundle'], 'true')
  return new X509Certificate(bundle.data['ca.crt']!)
}
const says = async (world: SmallWorld): Promise<string | undefined> =>
  (await world.condition('Certificate', 'hello'))?.replace(' : ', ': ')

test('who asks for a certificate gets one in a Secret, signed by an authority that a ConfigMap tells', async () => {
  await using world = await aWorld()
  const names = ['hello.shop.example.com', '*.hello.shop.example.com']
  await world.client.create(aCertificate(names))
  await world.settled()
  assert.equal(await says(world), 'True')
  const leaf = await issued(world)
  const authority = await trusted(world)
  assert.ok(leaf.checkIssued(authority) && leaf.verify(authority.publicKey))
  assert.equal(leaf.subjectAltName, names.map((name) => `DNS:${name}`).join(', '))
  assert.equal(leaf.subject, 'CN=hello.shop.example.com')
  const { metadata, status } = (await world.client.get<Certificate>(certificateKind, 'shop', 'hello'))!
  assert.deepEqual([status?.notAfter, status?.observedGeneration], ['2026-04-01T00:00:00Z', 1])
  const secret = (await world.client.get<Secret>('Secret', 'shop', 'hello-tls'))!
  assert.equal(secret.type, 'kubernetes.io/tls')
  assert.equal(secret.metadata.ownerReferences?.[0]?.uid, metadata.uid)
  assert.equal(Buffer.from(secret.data!['ca.crt']!, 'base64').toString(), authority.toString())
  const chain = Buffer.from(secret.data!['tls.crt']!, 'base64').toString()
  assert.ok(chain.endsWith(authority.toString()), 'with the authority’s after it')
  assert.deepEqual(await world.events(), ['Issued: Issued a certificate that is good until 2026-04-01T00:00:00Z x1'])
})

test('it is renewed a third before its end, again and again, and not before', async () => {
  await using world = await aWorld()
  await world.client.create(aCertificate(['a.example.com']))
  await world.settled()
  let before = await issued(world)
  await world.advance(59 * dayMs)
  assert.equal((await issued(world)).serialNumber, before.serialNumber)
  for (let round = 0; round < 3; round++) {
    await world.advance(61 * dayMs)
    const after = await issued(world)
    assert.notEqual(after.serialNumber, before.serialNumber)
    assert.ok(Date.parse(after.validTo) - world.clock.now() > 30 * dayMs)
    before = after
  }
  const { status } = (await world.client.get<Certificate>(certificateKind, 'shop', 'hello'))!
  assert.equal(Date.parse(status!.notAfter!), Date.parse(before.validTo))
})

test('a Secret that was deleted, spoilt or is for other names is made anew', async () => {
  await using world = await aWorld()
  const { client } = world
  await client.create(aCertificate(['a.example.com']))
  await world.settled()
  const serials = new Set([(await issued(world)).serialNumber])
  await client.delete('Secret', 'shop', 'hello-tls')
  await world.settled()
  serials.add((await issued(world)).serialNumber)
  await client.patch('Secret', 'shop', 'hello-tls', { data: secretData({ 'tls.crt': 'nonsense' }) })
  await world.settled()
  serials.add((await issued(world)).serialNumber)
  const other = createCertificate({ commonName: 'a', hosts: ['a.example.com'], nowMs: world.clock.now() })
  await client.patch('Secret', 'shop', 'hello-tls', { data: secretData({ 'tls.key': other.key }) })
  await world.settled()
  serials.add((await issued(world)).serialNumber)
  await client.patch(certificateKind, 'shop', 'hello', { spec: { dnsNames: ['b.example.com'] } })
  await world.settled()
  serials.add((await issued(world)).serialNumber)
  assert.equal(serials.size, 5)
  assert.equal((await issued(world)).subjectAltName, 'DNS:b.example.com')
  assert.equal(await says(world), 'True')
})

test('a restart finds what it issued and leaves it alone', async () => {
  await using first = await aWorld()
  await first.client.create(aCertificate(['a.example.com']))
  await first.settled()
  const { serialNumber } = await issued(first)
  const { store, clock } = first
  const kinds = [certificate, plain('Secret'), plain('ConfigMap')]
  await using second = await startSmallWorld({ kinds, store, clock })
  await second.settled()
  assert.equal((await issued(second)).serialNumber, serialNumber)
  assert.equal(await says(second), 'True')
})

test('an authority of the user’s own signs from when it is there', async () => {
  await using world = await aWorld()
  await world.client.create(aCertificate(['a.example.com']))
  await world.settled()
  const own = createAuthority({ commonName: 'mine', nowMs: world.clock.now() })
  const { data } = anAuthority(own.cert, own.key)
  await world.client.patch('Secret', 'knative-serving', 'knode-ca', { data: data! })
  await world.settled()
  assert.equal((await issued(world)).issuer, 'CN=mine')
  assert.equal((await trusted(world)).subject, 'CN=mine')
  await world.client.delete('Secret', 'knative-serving', 'knode-ca')
  await world.settled()
  assert.equal((await issued(world)).issuer, 'CN=Knode authority')
  assert.equal((await trusted(world)).subject, 'CN=Knode authority')
})

test('an authority that ends soon signs for as long as it lasts, and is then said to be over', async () => {
  const clock = new FakeClock(Date.UTC(2026, 0, 1))
  const own = createAuthority({ commonName: 'short', nowMs: clock.now(), validDays: 10 })
  await using world = await aWorld([anAuthority(own.cert, own.key)])
  await world.client.create(aCertificate(['a.example.com']))
  await world.settled()
  const { serialNumber, validTo } = await issued(world)
  assert.equal(Date.parse(validTo), Date.UTC(2026, 0, 11))
  await world.advance(9 * dayMs)
  assert.equal((await issued(world)).serialNumber, serialNumber)
  await world.advance(2 * dayMs)
  assert.match(
    (await says(world)) ?? '',
    /^False AuthorityInvalid: .* it expired on Jan 11 .* Deleting it makes a new one\.$/,
  )
})

const nowMs = Date.UTC(2026, 0, 1)
const someAuthority = createAuthority({ commonName: 'a', nowMs })
const leaf = createCertificate({ commonName: 'l', hosts: ['l'], nowMs, authority: someAuthority })
const useless: [string, Secret, string][] = [
  ['without key', aSecret('knative-serving', 'knode-ca', { 'tls.crt': leaf.cert }), 'it has no tls.key'],
  ['whose key is another’s', anAuthority(someAuthority.cert, leaf.key), 'the key is not that of the certificate'],
  ['that is none', anAuthority(leaf.cert, leaf.key), 'its certificate is not that of an authority'],
]
for (const [what, secret, why] of useless) {
  test(`an authority ${what} is left as it is, and said to be of no use`, async () => {
    await using world = await aWorld([secret])
    await world.client.create(aCertificate(['a.example.com']))
    await world.settled()
    const place = 'Secret "knative-serving/knode-ca"'
    assert.equal(
      await says(world),
      `False AuthorityInvalid: ${place} holds no authority: ${why}. Deleting it makes a new one.`,
    )
    await world.client.delete('Secret', 'knative-serving', 'knode-ca')
    await world.settled()
    assert.equal(await says(world), 'True')
  })
}

test('a Secret that is somebody else’s stays as it is', async () => {
  const mine = aSecret('shop', 'hello-tls', { 'tls.crt': 'mine', 'tls.key': 'mine' })
  await using world = await aWorld([mine])
  await world.client.create(aCertificate(['a.example.com']))
  await world.settled()
  assert.equal(await says(world), 'False NotOwned: There is an existing Secret "hello-tls" that we do not own.')
  assert.deepEqual((await world.client.get<Secret>('Secret', 'shop', 'hello-tls'))?.data, mine.data)
  await world.client.delete('Secret', 'shop', 'hello-tls')
  await world.settled()
  assert.equal(await says(world), 'True')
})

for (const name of ['bücher.example', 'a b', '*', `${'a'.repeat(300)}.example`]) {
  test(`${name.slice(0, 20)} is no name to certify`, async () => {
    await using world = await aWorld()
    await world.client.create(aCertificate(['a.example.com', name]))
    await world.settled()
    assert.equal(await says(world), `False InvalidDNSName: ${JSON.stringify(name)} is no DNS name.`)
    assert.deepEqual(await world.client.list('Secret'), [])
  })
}

for (const [certificateClass, isOurs] of [
  [undefined, true],
  ['cert-manager.certificate.networking.knative.dev', true],
  ['knode.certificate.networking.knative.dev', true],
  ['somebody.example.com', false],
] as const) {
  test(`class ${certificateClass ?? 'that is not given'} is ${isOurs ? '' : 'not '}provided here`, async () => {
    await using world = await aWorld()
    await world.client.create(aCertificate(['a.example.com'], certificateClass))
    await world.settled()
    assert.equal(await says(world), isOurs ? 'True' : undefined)
    assert.equal((await world.client.list('Secret')).length, isOurs ? 2 : 0, 'nothing is made before it is needed')
  })
}

test('a hundred who ask at once have one authority', async () => {
  await using world = await aWorld()
  const ask = (at: number): Promise<Certificate> => {
    const wanted = aCertificate([`h${at}.example.com`])
    return world.client.create({
      ...wanted,
      metadata: { ...wanted.metadata, name: `c${at}` },
      spec: { ...wanted.spec, secretName: `s${at}` },
    })
  }
  await Promise.all(Array.from({ length: 100 }, (_, at) => ask(at)))
  await world.settled()
  const secrets = await world.client.list<Secret>('Secret')
  assert.equal(secrets.length, 101)
  const issuers = secrets.flatMap((secret) => (secret.metadata.namespace === 'shop' ? [secret.data!['ca.crt']] : []))
  assert.equal(new Set(issuers).size, 1)
  assert.deepEqual(world.warnings, [])
})
