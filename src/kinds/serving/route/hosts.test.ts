import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aRoute, startRoutingWorld } from '../../../../test/harness/routing-world.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import type { Route } from './schema.ts'

const latest = (configurationName: string, percent = 100) => ({ configurationName, latestRevision: true, percent })
const pinned = (revisionName: string, percent: number, tag?: string) => ({
  revisionName,
  latestRevision: false,
  percent,
  ...(tag !== undefined && { tag }),
})

test('a Route for the cluster alone has no public host', async () => {
  await using world = await startRoutingWorld()
  await world.roll('hello', 'hello-00001')
  const labels = { 'networking.knative.dev/visibility': 'cluster-local' }
  await world.client.create(aRoute('hello', [{ ...latest('hello'), tag: 'now' }], { labels }))
  await world.settled()
  const { status } = await world.read<Route>('Route', 'hello')
  assert.equal(status?.url, 'http://hello.shop.svc.cluster.local')
  assert.equal(status.traffic?.[0]?.url, 'http://now-hello.shop.svc.cluster.local')
  assert.equal(world.ask('hello.shop').by, 'hello-00001')
  assert.deepEqual(world.ask('hello.shop.127.0.0.1.sslip.io'), { status: 404 })

  const noLabel = { metadata: { labels: { 'networking.knative.dev/visibility': null } } }
  await world.client.patch('Route.serving.knative.dev', 'shop', 'hello', noLabel)
  await world.settled()
  assert.equal(world.ask('hello.shop.127.0.0.1.sslip.io').by, 'hello-00001', 'the label can go again')
})

test('the label on a placeholder takes a tag, or the Route, out of the public alone', async () => {
  await using world = await startRoutingWorld()
  await world.roll('hello', 'hello-00001')
  await world.client.create(aRoute('hello', [{ ...latest('hello'), tag: 'now' }]))
  await world.settled()
  const label = { metadata: { labels: { 'networking.knative.dev/visibility': 'whatever' } } }
  await world.client.patch('Service', 'shop', 'now-hello', label)
  await world.settled()
  const { status } = await world.read<Route>('Route', 'hello')
  assert.equal(status?.url, 'http://hello.shop.127.0.0.1.sslip.io:7481')
  assert.equal(status.traffic?.[0]?.url, 'http://now-hello.shop.svc.cluster.local')
  assert.deepEqual(world.ask('now-hello.shop.127.0.0.1.sslip.io'), { status: 404 })
  assert.equal(world.ask('now-hello.shop').by, 'hello-00001')
  assert.equal(world.ask('hello.shop.127.0.0.1.sslip.io').by, 'hello-00001')
  const labels = (await world.read<Resource>('Service', 'now-hello')).metadata.labels
  assert.equal(labels?.['networking.knative.dev/visibility'], 'whatever', 'it is the user’s')
})

test('domains and templates are followed live', async () => {
  await using world = await startRoutingWorld()
  await world.roll('hello', 'hello-00001')
  await world.client.create(aRoute('hello', [{ ...latest('hello'), tag: 'now' }], { labels: { app: 'shop' } }))
  await world.settled()
  await world.configure('config-domain', { 'example.com': '', 'example.org': 'selector:\n  app: shop\n' })
  const { status } = await world.read<Route>('Route', 'hello')
  assert.equal(status?.url, 'http://hello.shop.example.org')
  assert.equal(world.ask('hello.shop.example.org').by, 'hello-00001')
  assert.deepEqual(world.ask('hello.shop.127.0.0.1.sslip.io'), { status: 404 })

  const templates = {
    'domain-template': '{{.Name}}-{{.Namespace}}.{{.Domain}}',
    'tag-template': '{{.Name}}-{{.Tag}}',
    'default-external-scheme': 'https',
  }
  await world.configure('config-network', templates)
  const after = await world.read<Route>('Route', 'hello')
  assert.equal(after.status?.url, 'https://hello-shop.example.org')
  assert.equal(after.status.traffic?.[0]?.url, 'https://hello-now-shop.example.org')
  assert.equal(world.ask('hello-now.shop.svc').by, 'hello-00001', 'the cluster’s hosts keep the default template')
  assert.equal(await world.says('Route', 'hello'), 'True')
})

test('a template that gives no host is told, and the old hosts go on', async () => {
  await using world = await startRoutingWorld()
  await world.roll('hello', 'hello-00001')
  await world.client.create(aRoute('hello', [latest('hello')]))
  await world.settled()
  await world.configure('config-network', { 'domain-template': '{{.Name}}_{{.Domain}}' })
  assert.match(
    await world.says('Route', 'hello'),
    /^False ErrorConfig: domain name error: invalid domain name "hello_127\.0\.0\.1\.sslip\.io": url: Invalid value: /,
  )
  assert.equal(world.ask('hello.shop.127.0.0.1.sslip.io').by, 'hello-00001')
  await world.configure('config-network', { 'domain-template': '{{.Nam}}' })
  const expected =
    "False ErrorConfig: domain name error: error executing the DomainTemplate: template: domain-template: can't evaluate " +
    'field Nam'
  assert.equal(await world.says('Route', 'hello'), expected)
})

test('of two Routes that want one host the first keeps serving; the other follows when it goes', async () => {
  await using world = await startRoutingWorld()
  await world.configure('config-network', { 'domain-template': 'shop.{{.Domain}}' })
  await world.roll('first', 'first-00001')
  await world.roll('second', 'second-00001')
  await world.client.create(aRoute('first', [latest('first')]))
  await world.settled()
  await world.client.create(aRoute('second', [latest('second')]))
  await world.settled()
  const rejected = 'Ingress rejected: ingress has a conflicting domain with another ingress'
  assert.equal(await world.says('Route', 'second'), `False DomainConflict: ${rejected}`)
  assert.equal(await world.says('Ingress', 'second', 'LoadBalancerReady'), `False DomainConflict: ${rejected}`)
  assert.equal(await world.says('Route', 'first'), 'True')
  assert.equal(world.ask('shop.127.0.0.1.sslip.io').by, 'first-00001')

  await world.client.delete('Route.serving.knative.dev', 'shop', 'first')
  await world.settled()
  assert.equal(world.ask('shop.127.0.0.1.sslip.io').by, 'second-00001')
  assert.equal(await world.says('Route', 'second'), 'True')
})

test('requests that name a tag in a header go there, where the feature is on', async () => {
  await using world = await startRoutingWorld()
  await world.roll('hello', 'hello-00001')
  await world.roll('hello', 'hello-00002')
  await world.client.create(aRoute('hello', [pinned('hello-00001', 100), { ...latest('hello', 0), tag: 'new' }]))
  await world.settled()
  assert.equal(world.ask('hello.shop', '/', { 'knative-serving-tag': 'new' }).by, 'hello-00001', 'it is off at first')
  await world.configure('config-features', { 'tag-header-based-routing': 'Enabled' })
  const tagged = world.ask('hello.shop', '/', { 'knative-serving-tag': 'new' })
  assert.equal(tagged.by, 'hello-00002')
  const unknown = world.ask('hello.shop', '/', { 'knative-serving-tag': 'nobody' })
  assert.equal(unknown.by, 'hello-00001')
  assert.equal(unknown.setHeaders?.['knative-serving-default-route'], 'true')
  assert.equal(world.ask('new-hello.shop').setHeaders?.['knative-serving-tag'], 'new')
  assert.equal(await world.says('Route', 'hello'), 'True')
})

test('clients are sent to HTTPS where config-network or the Route wants it', async () => {
  await using world = await startRoutingWorld()
  await world.roll('hello', 'hello-00001')
  await world.client.create(aRoute('hello', [latest('hello')]))
  await world.configure('config-network', { 'http-protocol': 'Redirected' })
  const host = 'hello.shop.127.0.0.1.sslip.io'
  assert.deepEqual(world.ask(host, '/a?b=c', { host: `${host}:7481` }), {
    status: 301,
    location: `https://${host}:7481/a?b=c`,
  })
  assert.equal(world.ask('hello.shop').by, 'hello-00001', 'programs that run here are not')
  const own = { metadata: { annotations: { 'networking.knative.dev/http-protocol': 'Enabled' } } }
  await world.client.patch('Route.serving.knative.dev', 'shop', 'hello', own)
  await world.settled()
  assert.equal(world.ask(host).by, 'hello-00001')
})
