// The API's front: who is let in, what is found at which path, how it ends.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settle } from '../../../base/fake-clock.ts'
import { aTrigger } from '../test-server.ts'
import { aFront, token } from './test-front.ts'

const triggers = '/apis/eventing.knative.dev/v1/namespaces/shop/triggers'

test('health checks answer everybody, everything else wants the token', async () => {
  await using front = await aFront()
  for (const path of ['/healthz', '/livez', '/readyz?verbose']) {
    const { code, text, headers } = await front.call('GET', path, undefined, { authorization: '' })
    assert.deepEqual([code, text], [200, 'ok'])
    assert.match(headers['content-type'] ?? '', /^text\/plain/)
  }
  for (const authorization of ['', 'Bearer', 'Bearer wrong', `Basic ${token}`, `Bearer ${token}x`]) {
    const { code, json, headers } = await front.call('GET', '/api', undefined, { authorization })
    assert.equal(code, 401, authorization)
    assert.equal(json.reason, 'Unauthorized')
    assert.equal(headers['www-authenticate'], 'Bearer')
  }
})

test('the version is one that Knative programs accept', async () => {
  await using front = await aFront()
  const { json } = await front.call('GET', '/version')
  assert.deepEqual([json.major, json.minor, json.gitVersion, json.gitCommit], ['1', '34', 'v1.34.1', 'knode-1.2.3'])
})

test('a Host or Origin of somebody else is refused', async () => {
  await using front = await aFront({ hostNames: ['knode.test'] })
  const { port } = new URL(front.url)
  const codeOf = async (headers: Record<string, string>) => (await front.call('GET', '/api', undefined, headers)).code
  for (const host of ['localhost', `LOCALHOST:${port}`, 'a.localhost', '127.9.9.9:1', '[::1]:80', 'knode.test:443']) {
    assert.equal(await codeOf({ host }), 200, host)
  }
  for (const host of ['evil.test', 'knode.test.evil.test', '10.0.0.1', 'localhost@evil.test', '127.0.0.1.evil.test']) {
    assert.equal(await codeOf({ host }), 403, host)
  }
  assert.equal(await codeOf({ host: `localhost:${port}`, origin: `http://localhost:${port}` }), 200)
  for (const origin of ['http://evil.test', 'http://localhost:1', 'null']) {
    assert.equal(await codeOf({ host: `localhost:${port}`, origin }), 403, origin)
  }
})

test('paths that mean nothing are not found, and methods that do not fit are not allowed', async () => {
  await using front = await aFront()
  for (const path of [
    '/nonsense',
    '/api/namespaces/shop/s/x',
    '/api/v1/nonsense',
    '/apis/eventing.knative.dev/v9/triggers',
    '/apis/eventing.knative.dev/v1/triggers/t',
    `${triggers}/t/scale`,
    '/api/v1/namespaces/shop/namespaces/shop',
    '/api/v1/%zz',
    '//api/v1/configmaps',
  ]) {
    for (const method of ['GET', 'DELETE']) {
      const { code } = await front.call(method, path)
      assert.equal(code, 404, `${method} ${path}`)
    }
  }
  for (const [method, path, action] of [
    ['PUT', triggers, 'put'],
    ['POST', `${triggers}/t`, 'post'],
    ['POST', '/apis/eventing.knative.dev/v1/triggers', 'post'],
    ['DELETE', `${triggers}/t/status`, 'delete'],
  ] as const) {
    const { code, json } = await front.call(method, path)
    assert.equal(code, 405, `${method} ${path}`)
    assert.equal(json.message, `${action} is not supported on resources of kind "triggers.eventing.knative.dev"`)
    assert.deepEqual(json.details, { group: 'eventing.knative.dev', kind: 'triggers' })
  }
  assert.equal((await front.call('POST', '/version')).code, 405)
})

test('impersonation changes who asks', async () => {
  await using front = await aFront()
  const review = (headers: Record<string, string>) =>
    front.call('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {}, headers)
  assert.equal((await review({})).json.status.userInfo.username, 'kubernetes-admin')
  const bob = await review({ 'impersonate-user': 'bob', 'impersonate-group': 'cooks' })
  assert.deepEqual(bob.json.status.userInfo, { username: 'bob', groups: ['cooks', 'system:authenticated'] })
  assert.equal((await review({ 'impersonate-group': 'cooks' })).code, 400)
  const created = await front.call('POST', triggers, aTrigger('t'), { 'impersonate-user': 'bob' })
  assert.equal(created.json.metadata.annotations['eventing.knative.dev/creator'], 'bob')
})

test('reviews say what one token may do', async () => {
  await using front = await aFront()
  const review = async (group: string, plural: string, spec: object) =>
    (await front.call('POST', `/apis/${group}.k8s.io/v1/${plural}`, { spec })).json.status
  assert.equal((await review('authorization', 'selfsubjectaccessreviews', {})).allowed, true)
  assert.equal((await review('authorization', 'selfsubjectrulesreviews', { namespace: 'a' })).resourceRules.length, 1)
  assert.equal((await review('authentication', 'tokenreviews', { token })).user.username, 'kubernetes-admin')
  assert.equal((await review('authentication', 'tokenreviews', { token: 'other' })).authenticated, false)
  assert.equal((await front.call('GET', '/apis/authentication.k8s.io/v1/tokenreviews')).code, 405)
})

test('extra routes come first, behind the same guard', async () => {
  const seen: string[] = []
  await using front = await aFront({
    extraRoutes: [
      {
        matches: (path) => path === '/metrics',
        handle(_, response, { user, url }) {
          seen.push(`${user.username} ${url.search}`)
          response.end('up 1\n')
        },
      },
    ],
  })
  assert.equal((await front.call('GET', '/metrics?a=b')).text, 'up 1\n')
  assert.equal((await front.call('GET', '/metrics', undefined, { authorization: '' })).code, 401)
  assert.deepEqual(seen, ['kubernetes-admin ?a=b'])
})

test('stopping ends watches, lets requests in flight finish, and cuts off what takes too long', async () => {
  let release = (): void => undefined
  const held = new Promise<void>((resolve) => (release = resolve))
  const front = await aFront({
    extraRoutes: [
      { matches: (path) => path === '/slow', handle: async (_, response) => void (await held, response.end('done')) },
      { matches: (path) => path === '/stuck', handle: () => new Promise(() => undefined) },
    ],
  })
  const watching = await front.watch(`${triggers}?watch=true`)
  const slow = front.call('GET', '/slow')
  const stuck = assert.rejects(front.call('GET', '/stuck'))
  await front.call('GET', '/version')
  const stopped = front[Symbol.asyncDispose]()
  assert.equal(await watching.next(), undefined)
  release()
  assert.equal((await slow).text, 'done')
  await settle()
  await front.clock.advance(5_000)
  await stopped
  await stuck
  await front[Symbol.asyncDispose]()
})
