import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'
import { requestHeaders, responseHeaders } from './forwarded-headers.ts'

const aRequest = (rawHeaders: string[], remoteAddress = '::ffff:10.0.0.9'): IncomingMessage =>
  ({ rawHeaders, socket: { remoteAddress } }) as unknown as IncomingMessage

function asObject(raw: string[]): Record<string, string> {
  const object: Record<string, string> = {}
  for (let at = 0; at < raw.length; at += 2) object[raw[at]!] = raw[at + 1]!
  return object
}

test('a program sees its client’s headers, and where the request came from', () => {
  const headers = requestHeaders(aRequest(['Host', 'hello.default', 'X-Mine', 'a', 'X-Mine', 'b']))
  assert.deepEqual(headers, [
    'Host',
    'hello.default',
    'X-Mine',
    'a',
    'X-Mine',
    'b',
    'X-Forwarded-For',
    '10.0.0.9',
    'X-Forwarded-Proto',
    'http',
    'K-Proxy-Request',
    'activator',
    'Forwarded',
    'for=10.0.0.9;proto=http',
  ])
})

test('each hop adds itself to X-Forwarded-For, and Forwarded is built from it', () => {
  const given = [
    'X-Forwarded-For',
    '1.2.3.4, 2001:db8::1',
    'X-Forwarded-Proto',
    'https',
    'X-Forwarded-Host',
    'shop.example',
  ]
  const headers = asObject(requestHeaders(aRequest(given)))
  assert.equal(headers['X-Forwarded-For'], '1.2.3.4, 2001:db8::1, 10.0.0.9')
  assert.equal(headers['X-Forwarded-Proto'], 'https')
  assert.equal(headers['Forwarded'], 'for=1.2.3.4;host=shop.example;proto=https, for="[2001:db8::1]", for=10.0.0.9')
})

test('a Forwarded that is there is left alone', () => {
  const headers = requestHeaders(aRequest(['Forwarded', 'for=1.1.1.1']))
  assert.deepEqual(
    headers.filter((text) => text.startsWith('for=')),
    ['for=1.1.1.1'],
  )
})

test('headers of one connection, and those between Knative’s hops, never reach a program', () => {
  const dropped = [
    'Connection',
    'keep-alive, X-Secret',
    'X-Secret',
    '1',
    'Keep-Alive',
    'timeout=5',
    'Transfer-Encoding',
    'chunked',
    'Expect',
    '100-continue',
    'TE',
    'trailers',
    'Upgrade',
    'h2c',
    'Proxy-Authorization',
    'x',
    'Knative-Serving-Revision',
    'x',
    'Knative-Serving-Namespace',
    'x',
    'K-Original-Host',
    'x',
    'K-Proxy-Request',
    'x',
  ]
  assert.deepEqual(Object.keys(asObject(requestHeaders(aRequest(dropped)))), [
    'X-Forwarded-For',
    'X-Forwarded-Proto',
    'K-Proxy-Request',
    'Forwarded',
  ])
})

test('a request that changes the protocol keeps the headers that say so', () => {
  const given = ['Connection', 'Upgrade', 'Upgrade', 'websocket', 'Sec-WebSocket-Key', 'k']
  const headers = asObject(requestHeaders(aRequest(given), { upgrade: true }))
  assert.deepEqual(
    [headers['Connection'], headers['Upgrade'], headers['Sec-WebSocket-Key']],
    ['Upgrade', 'websocket', 'k'],
  )
})

test('a client gets the program’s headers byte by byte, without those of the connection', () => {
  const bytes = ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'X-Name', Buffer.from('渴', 'utf8').toString('latin1')]
  const raw = [...bytes, 'Connection', 'close', 'Keep-Alive', 'timeout=5'].map((text) => Buffer.from(text, 'latin1'))
  assert.deepEqual(responseHeaders(raw), bytes)
})
