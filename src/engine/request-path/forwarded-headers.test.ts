import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'
import { seededRandom } from '../../base/random.ts'
import { answerHeaders, bodyBytesOf, requestHeaders } from './forwarded-headers.ts'
import type { HeaderRules } from './forwarded-headers.ts'

const toRevision: HeaderRules = { kind: 'revision', random: seededRandom(1) }
const toService: HeaderRules = { ...toRevision, kind: 'service' }

const aRequest = (rawHeaders: string[], remoteAddress = '::ffff:10.0.0.9'): IncomingMessage =>
  ({ rawHeaders, socket: { remoteAddress } }) as unknown as IncomingMessage

function asObject(raw: string[]): Record<string, string> {
  const object: Record<string, string> = {}
  for (let at = 0; at < raw.length; at += 2) object[raw[at]!] = raw[at + 1]!
  return object
}

test('headers that are set replace those of their names, and no others', () => {
  const given = ['constructor', 'a', '__proto__', 'b', 'X-Mine', 'c']
  const headers = requestHeaders(aRequest(given), toService, { setHeaders: { 'x-mine': 'd' } })
  assert.deepEqual(headers.slice(0, 6), ['constructor', 'a', '__proto__', 'b', 'x-mine', 'd'])
})

test('a program sees its client’s headers, and where the request came from', () => {
  const given = ['Host', 'hello.default', 'X-Mine', 'a', 'X-Mine', 'b', 'traceparent', '00-1-2-01']
  const headers = requestHeaders(aRequest(given), toRevision)
  assert.deepEqual(headers, [
    'Host',
    'hello.default',
    'X-Mine',
    'a',
    'X-Mine',
    'b',
    'traceparent',
    '00-1-2-01',
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
  const headers = asObject(requestHeaders(aRequest(given), toRevision))
  assert.equal(headers['X-Forwarded-For'], '1.2.3.4, 2001:db8::1, 10.0.0.9')
  assert.equal(headers['X-Forwarded-Proto'], 'https')
  assert.equal(headers['Forwarded'], 'for=1.2.3.4;host=shop.example;proto=https, for="[2001:db8::1]", for=10.0.0.9')
})

test('a Forwarded that is there is left alone', () => {
  const headers = requestHeaders(aRequest(['Forwarded', 'for=1.1.1.1']), toRevision)
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
  assert.deepEqual(Object.keys(asObject(requestHeaders(aRequest(dropped), toRevision))), [
    'X-Forwarded-For',
    'X-Forwarded-Proto',
    'K-Proxy-Request',
    'Forwarded',
    'Traceparent',
  ])
})

test('a request that changes the protocol keeps the headers that say so', () => {
  const given = ['Connection', 'Upgrade', 'Upgrade', 'websocket', 'Sec-WebSocket-Key', 'k']
  const headers = asObject(requestHeaders(aRequest(given), toRevision, {}, { upgrade: true }))
  assert.deepEqual(
    [headers['Connection'], headers['Upgrade'], headers['Sec-WebSocket-Key']],
    ['Upgrade', 'websocket', 'k'],
  )
})

test('a client gets the program’s headers byte by byte, without those of the connection', () => {
  const bytes = ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'X-Name', Buffer.from('渴', 'utf8').toString('latin1')]
  const raw = [...bytes, 'Connection', 'close', 'Keep-Alive', 'timeout=5'].map((text) => Buffer.from(text, 'latin1'))
  assert.deepEqual(answerHeaders(raw), { headers: bytes, hasLength: false })
  assert.equal(answerHeaders(['content-length', '0']).hasLength, true)
})

test('a request without a trace begins one', () => {
  const { Traceparent } = asObject(requestHeaders(aRequest([]), toRevision))
  assert.match(Traceparent!, /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
})

test('every digit of a new trace is random: others decide by them which traces they record', () => {
  const seen = Array.from({ length: 48 }, () => new Set<string>())
  for (let at = 0; at < 400; at++) {
    const { Traceparent } = asObject(requestHeaders(aRequest([]), toRevision))
    const digits = Traceparent!.slice(3, -3).replace('-', '')
    for (const [place, digitsSeen] of seen.entries()) digitsSeen.add(digits[place]!)
  }
  assert.ok(seen.every(({ size }) => size === 16))
})

test('a route’s headers are set, whatever the client sent, and its own are not shown to the program', () => {
  const setHeaders = { 'x-tag': 'ours', 'knative-serving-revision': 'hello-00001', 'x-forwarded-proto': 'https' }
  const given = ['Host', 'hello.default', 'X-Tag', 'forged', 'X-Tag', 'twice', 'X-Forwarded-Proto', 'gopher']
  const headers = requestHeaders(aRequest(given), toService, { setHeaders })
  assert.deepEqual(headers, ['Host', 'hello.default', 'x-tag', 'ours', 'x-forwarded-proto', 'https'])
  const once = requestHeaders(aRequest(given), toRevision, { setHeaders })
  assert.equal(once.filter((text) => text.toLowerCase() === 'x-forwarded-proto').length, 1)
  assert.equal(asObject(once)['X-Forwarded-Proto'], 'https')
})

test('headers of any name pass a route that sets others', () => {
  const given = ['Constructor', 'a', '__proto__', 'b']
  assert.deepEqual(requestHeaders(aRequest(given), toService, { setHeaders: { 'x-tag': 'ours' } }).slice(0, 4), given)
})

test('a rewritten Host reaches the program, and so does the one its client asked for if the route tells it', () => {
  const given = aRequest(['Host', 'shop.example', 'K-Original-Host', 'forged'])
  const host = 'hello.default.svc.cluster.local'
  assert.deepEqual(requestHeaders(given, toService, { host }), ['Host', host])
  const setHeaders = { 'k-original-host': 'shop.example' }
  assert.deepEqual(requestHeaders(given, toService, { host, setHeaders }), ['Host', 'shop.example'])
})

test('a client that sends a whole URL asks for the host of that URL', () => {
  const given = Object.assign(aRequest(['Host', 'proxy.example']), { url: 'http://hello.default:81/a?b' })
  assert.deepEqual(requestHeaders(given, toService), ['Host', 'hello.default:81'])
})

test('a core Service adds nothing', () => {
  const given = ['Host', 'web.default', 'X-Forwarded-For', '1.2.3.4']
  assert.deepEqual(requestHeaders(aRequest([...given, 'Connection', 'close']), toService), given)
})

test('the length of a body is known from its headers', () => {
  assert.equal(bodyBytesOf({ rawHeaders: ['Host', 'a'] }), 0)
  assert.equal(bodyBytesOf({ rawHeaders: ['CONTENT-LENGTH', '12'] }), 12)
  assert.equal(bodyBytesOf({ rawHeaders: ['Content-Length', '12', 'Transfer-Encoding', 'chunked'] }), undefined)
})

test('Connection does not take the host away', () => {
  const given = ['Host', 'hello.default', 'Connection', 'host, X-Mine', 'X-Mine', 'a']
  assert.deepEqual(requestHeaders(aRequest(given), toService), ['Host', 'hello.default'])
})
