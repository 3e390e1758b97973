import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { connect, createServer } from 'node:tls'
import { createCertificate } from './certificate.ts'

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
