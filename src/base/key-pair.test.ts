import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { createCertificate } from './certificate.ts'
import { checkKeyPair } from './key-pair.ts'

const nowMs = Date.now()
const { cert, key } = createCertificate({ commonName: 'a', hosts: ['a.example.com'], nowMs })
const other = createCertificate({ commonName: 'b', hosts: ['b.example.com'], nowMs })
const encryptedKey = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' },
}).privateKey
const cut = (pem: string): string => pem.slice(0, pem.length / 2)

test('a pair that fits is read', () => {
  assert.equal(checkKeyPair({ cert, key }).checkHost('a.example.com'), 'a.example.com')
  assert.equal(checkKeyPair({ cert: cert + other.cert, key }).subject, 'CN=a', 'the first one is meant')
})

const bad: [string, { cert: string; key: string }, RegExp][] = [
  ['another’s key', { cert, key: other.key }, /^the key is not that of the certificate$/],
  ['no certificate', { cert: 'hello', key }, /^the certificate is no PEM that can be read$/],
  ['half a certificate', { cert: cut(cert), key }, /^the certificate is no PEM that can be read$/],
  ['a key in the certificate’s place', { cert: key, key }, /^the certificate is no PEM that can be read$/],
  ['no key', { cert, key: '' }, /^the key is no PEM that can be read$/],
  ['half a key', { cert, key: cut(key) }, /^the key is no PEM that can be read$/],
  ['a key with a password', { cert, key: encryptedKey }, /^the key is no PEM that can be read$/],
  ['a chain that breaks off', { cert: cert + cut(other.cert), key }, /^TLS cannot use them: /],
]
for (const [what, pair, message] of bad) {
  test(`${what} is refused, and the key is not told`, () => {
    assert.throws(
      () => checkKeyPair(pair),
      (error: Error) => message.test(error.message) && !error.message.includes(key.slice(40, 80)),
    )
  })
}
