// Which URLs this process answers itself, and where the others lead.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseTarget } from './target.ts'

const addresses = {
  gatewayUrl: 'http://127.0.0.1:7481',
  apiUrl: 'http://127.0.0.1:7480',
  serviceDomain: '127.0.0.1.sslip.io:7481',
}
const target = (url: string) => parseTarget({ url }, addresses)

const own: [string, string, string, string][] = [
  ['http://shop.default.svc.cluster.local', 'shop.default.svc.cluster.local', '/', '/'],
  ['http://Shop.default.svc.cluster.local:80/in?a=b', 'shop.default.svc.cluster.local', '/in', '/in?a=b'],
  ['https://shop.default.svc.cluster.local/', 'shop.default.svc.cluster.local', '/', '/'],
  ['http://127.0.0.1:7481/ns/broker', '', '/ns/broker', '/ns/broker'],
  ['http://localhost:7481/ns/broker', '', '/ns/broker', '/ns/broker'],
  ['http://hello.ns.127.0.0.1.sslip.io:7481/', 'hello.ns.127.0.0.1.sslip.io', '/', '/'],
  ['https://hello.ns.127.0.0.1.sslip.io:7481/a', 'hello.ns.127.0.0.1.sslip.io', '/a', '/a'],
  ['https://127.0.0.1:7481/ns/broker', '', '/ns/broker', '/ns/broker'],
]

for (const [url, host, path, fullPath] of own) {
  test(`${url} stays in the process`, () => {
    const { own, origin, path: requestPath, isSecureWithin = false } = target(url)
    assert.equal(isSecureWithin, url.startsWith('https:'))
    assert.deepEqual(own, { host, path })
    assert.equal(origin, addresses.gatewayUrl)
    assert.equal(requestPath, fullPath)
  })
}

const outside: [string, string, string][] = [
  ['http://example.com/a?b', 'http://example.com', '/a?b'],
  ['https://example.com', 'https://example.com', '/'],
  ['http://127.0.0.1:9999/x', 'http://127.0.0.1:9999', '/x'],
  ['http://hello.ns.127.0.0.1.sslip.io/', 'http://hello.ns.127.0.0.1.sslip.io', '/'],
  ['https://hello.ns.127.0.0.1.sslip.io/', 'https://hello.ns.127.0.0.1.sslip.io', '/'],
  ['http://svc.cluster.local.example.com/', 'http://svc.cluster.local.example.com', '/'],
  ['ftp://example.com/a/b', 'http://example.com', '/'],
  ['example.com/a/b', 'http://example.com', '/'],
  ['http://example.com/ö ü', 'http://example.com', '/%C3%B6%20%C3%BC'],
]

for (const [url, origin, path] of outside) {
  test(`${url} goes to ${origin}${path}`, () => {
    const parsed = target(url)
    assert.deepEqual([parsed.own, parsed.isSecureWithin], [undefined, undefined])
    assert.deepEqual([parsed.origin, parsed.path, parsed.objection], [origin, path, undefined])
  })
}

for (const url of ['', '/only/a/path', 'http://', 'http://a b/']) {
  test(`"${url}" is no URL to send to`, () => assert.match(String(target(url).objection), /is no URL/))
}

test('on the ports of the schemes themselves the gateway’s names need none', () => {
  const own = (url: string, port: string): boolean =>
    parseTarget({ url }, { ...addresses, gatewayUrl: `http://127.0.0.1:${port}`, serviceDomain: `svc.test:${port}` })
      .own !== undefined
  assert.ok(own('https://hello.ns.svc.test/', '443'))
  assert.ok(!own('http://hello.ns.svc.test/', '443'))
  assert.ok(own('http://hello.ns.svc.test/', '80'))
})
