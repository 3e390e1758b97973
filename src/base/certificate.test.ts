import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect, createServer } from 'node:tls'
import { skipUnlessInstalled } from '../../test/harness/programs.ts'
import { temporaryDirectory } from '../../test/harness/temporary-directory.ts'
import { createAuthority, createCertificate } from './certificate.ts'

const nowMs = Date.now()
const hosts = ['localhost', '127.0.0.1', '::1', 'fe80::1:2', '::ffff:10.0.0.1', '*.local']

test('the certificate names all hosts, is its own authority, and lasts as long as asked', () => {
  const { cert, key } = createCertificate({ commonName: 'knode', hosts, nowMs, validDays: 30 })
  const parsed = new X509Certificate(cert)
  assert.ok(parsed.verify(parsed.publicKey))
  assert.ok(parsed.ca)
  assert.equal(parsed.subject, 'CN=knode')
  for (const ip of ['127.0.0.1', '::1', 'fe80::1:2', '::ffff:a00:1']) assert.ok(parsed.checkIP(ip) !== undefined, ip)
  assert.equal(parsed.checkHost('localhost'), 'localhost')
  assert.equal(parsed.checkHost('example.com'), undefined)
  const days = (Date.parse(parsed.validTo) - nowMs) / 86_400_000
  assert.ok(days > 29.9 && days <= 30)
  assert.match(key, /^-----BEGIN PRIVATE KEY-----/)
})

test('dates after 2049 are written in the long form', () => {
  const { cert } = createCertificate({ commonName: 'k', hosts: [], nowMs: Date.UTC(2049, 11, 31), validDays: 2 })
  assert.match(new X509Certificate(cert).validTo, /^Jan {2}2 .* 2050/)
})

test('a TLS client that trusts it connects', async () => {
  const { cert, key } = createCertificate({ commonName: 'knode', hosts, nowMs })
  const server = createServer({ cert, key }, (socket) => socket.end('hello'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const client = connect({ host: '127.0.0.1', port, ca: cert })
  const [data] = (await once(client, 'data')) as [Buffer]
  assert.equal(data.toString(), 'hello')
  assert.ok(client.authorized)
  server.close()
})

test('what an authority signs is trusted by who trusts it, for its own names only, and never longer than it lasts', () => {
  const authority = createAuthority({ commonName: 'some authority', nowMs, validDays: 60 })
  const signer = new X509Certificate(authority.cert)
  assert.ok(signer.ca && signer.verify(signer.publicKey))
  const leaf = new X509Certificate(
    createCertificate({ commonName: 'a.example.com', hosts: ['a.example.com'], nowMs, validDays: 90, authority }).cert,
  )
  assert.ok(leaf.checkIssued(signer) && leaf.verify(signer.publicKey))
  assert.deepEqual([leaf.ca, leaf.issuer, leaf.subject], [false, 'CN=some authority', 'CN=a.example.com'])
  assert.deepEqual([leaf.checkHost('a.example.com'), leaf.checkHost('b.example.com')], ['a.example.com', undefined])
  assert.equal(leaf.validTo, signer.validTo)
})

test('as many names as one likes fit into a certificate', () => {
  const many = Array.from({ length: 3_000 }, (_, at) => `host-number-${at}.example.com`)
  const { cert } = createCertificate({ commonName: 'many', hosts: many, nowMs })
  assert.equal(new X509Certificate(cert).checkHost(many.at(-1)!), many.at(-1))
})

for (const algorithm of [['ec', '-pkeyopt', 'ec_paramgen_curve:P-384'], ['rsa:2048']]) {
  test(`OpenSSL’s strictest check passes what is signed for an authority of its own making: ${algorithm[0]}`, async (t) => {
    if (!skipUnlessInstalled(t, 'openssl')) return
    await using directory = await temporaryDirectory()
    const at = (name: string): string => join(directory.path, name)
    const request = ['req', '-x509', '-nodes', '-newkey', ...algorithm, '-keyout', at('ca.key'), '-out', at('ca.crt')]
    const subject = ['-days', '10', '-subj', '/C=XX/O=Häuser/CN=mine', '-utf8']
    const usage = ['-addext', 'keyUsage=critical,keyCertSign,cRLSign']
    const made = spawnSync('openssl', [...request, ...subject, ...usage])
    assert.equal(made.status, 0, made.stderr.toString())
    const authority = { cert: await readFile(at('ca.crt'), 'utf8'), key: await readFile(at('ca.key'), 'utf8') }
    const { cert } = createCertificate({ commonName: 'a', hosts: ['a.example.com'], nowMs, authority })
    await writeFile(at('a.crt'), cert)
    const checked = spawnSync('openssl', ['verify', '-x509_strict', '-CAfile', at('ca.crt'), at('a.crt')])
    assert.equal(checked.status, 0, checked.stderr.toString())
  })
}

test('OpenSSL’s strictest check passes our own authority and what it signs', async (t) => {
  if (!skipUnlessInstalled(t, 'openssl')) return
  await using directory = await temporaryDirectory()
  const authority = createAuthority({ commonName: 'knode', nowMs })
  const [ca, leaf] = [join(directory.path, 'ca.crt'), join(directory.path, 'a.crt')]
  await writeFile(ca, authority.cert)
  await writeFile(leaf, createCertificate({ commonName: 'a', hosts: ['a.example.com'], nowMs, authority }).cert)
  const checked = spawnSync('openssl', ['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', ca, leaf])
  assert.equal(checked.status, 0, checked.stderr.toString())
})

test('a key that cannot sign here is said to', () => {
  const { cert } = createAuthority({ commonName: 'a', nowMs })
  const key = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const make = (): unknown => createCertificate({ commonName: 'a', hosts: ['a'], nowMs, authority: { cert, key } })
  assert.throws(make, /^Error: keys of type ed25519 cannot sign here: use EC or RSA$/)
})
