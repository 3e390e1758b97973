// The API's port: HTTP and HTTPS on one, or an error that says why not.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { createCertificate } from '../../../base/certificate.ts'
import { aFront } from './test-front.ts'

test('one port speaks HTTP and HTTPS', async () => {
  const tls = createCertificate({ commonName: 'k', hosts: ['127.0.0.1'], nowMs: Date.now() })
  await using front = await aFront({ tls })
  assert.equal((await front.call('GET', '/version')).code, 200)
  const { request } = await import('node:https')
  const secure = request(`${front.url.replace('http:', 'https:')}/healthz`, { ca: tls.cert, agent: false }).end()
  const [answer] = (await once(secure, 'response')) as [{ statusCode: number; resume(): void }]
  answer.resume()
  assert.equal(answer.statusCode, 200)
})

test('without a certificate a TLS client is turned away, not left hanging', async () => {
  await using front = await aFront()
  const { request } = await import('node:https')
  const secure = request(`${front.url.replace('http:', 'https:')}/healthz`, { agent: false }).end()
  const [error] = (await once(secure, 'error')) as [NodeJS.ErrnoException]
  assert.match(String(error.code), /ECONNRESET|EPROTO/)
})

test('a taken port is one clear error', async () => {
  await using front = await aFront()
  await assert.rejects(aFront({ port: Number(new URL(front.url).port) }), {
    code: 'ADDRESS_IN_USE',
    message: /^127\.0\.0\.1:\d+ is already in use$/,
  })
})
