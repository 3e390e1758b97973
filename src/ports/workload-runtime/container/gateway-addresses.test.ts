import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rewriteEnv } from './gateway-addresses.ts'

const view = { port: 7481, hostAddress: '10.88.0.1', hostName: '10.88.0.1' }
const rewrite = (value: string): { value: string; hostnames: string[] } => {
  const { env, hostnames } = rewriteEnv({ K_SINK: value }, view)
  return { value: env['K_SINK']!, hostnames }
}

test('the gateway on loopback becomes the gateway of the machine around', () => {
  for (const host of ['127.0.0.1', 'localhost', '[::1]']) {
    assert.deepEqual(rewrite(`http://${host}:7481/default/shop?a=b`), {
      value: 'http://10.88.0.1:7481/default/shop?a=b',
      hostnames: [],
    })
  }
})

test('names of the cluster lead to the gateway', () => {
  const name = 'cart.shop.svc.cluster.local'
  assert.deepEqual(rewrite(`http://${name}/x`), { value: `http://${name}:7481/x`, hostnames: [name] })
  assert.deepEqual(rewrite(`http://${name}:80`), { value: `http://${name}:7481`, hostnames: [name] })
  assert.deepEqual(rewrite(`https://${name}/x`), { value: `https://${name}:7481/x`, hostnames: [name] })
  assert.deepEqual(rewrite(`https://${name}:443`), { value: `https://${name}:7481`, hostnames: [name] })
  assert.deepEqual(rewrite(`{"sink":"http://cart.shop.svc"}`), {
    value: `{"sink":"http://cart.shop.svc:7481"}`,
    hostnames: ['cart.shop.svc'],
  })
})

test('names that mean loopback everywhere lead to the gateway, if it is meant', () => {
  const name = 'cart.shop.127.0.0.1.sslip.io'
  assert.deepEqual(rewrite(`http://${name}:7481`), { value: `http://${name}:7481`, hostnames: [name] })
  assert.deepEqual(rewrite(`https://${name}:7481`), { value: `https://${name}:7481`, hostnames: [name] })
  assert.deepEqual(rewrite(`http://${name}:9000`), { value: `http://${name}:9000`, hostnames: [] })
})

test('everything else stays as it is', () => {
  for (const value of [
    'http://127.0.0.1:5432/db',
    'http://127.0.0.1:74810/',
    'https://127.0.0.1:7481',
    'http://example.com',
    'http://localhost:7481.example.com/',
    'http://svc.example/',
    '127.0.0.1:7481',
    '',
  ]) {
    assert.deepEqual(rewrite(value), { value, hostnames: [] })
  }
})
