import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aRoute, startRoutingWorld } from '../../../../test/harness/routing-world.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import type { Ingress } from '../../networking/ingress/schema.ts'
import type { Route } from './schema.ts'

const latest = (configurationName: string, percent = 100) => ({ configurationName, latestRevision: true, percent })
const pinned = (revisionName: string, percent: number, tag?: string) => ({
  revisionName,
  latestRevision: false,
  percent,
  ...(tag !== undefined && { tag }),
})

test('a Route leads its hosts to the latest ready Revision, and is Ready', async () => {
  await using world = await startRoutingWorld()
  await world.roll('hello', 'hello-00001')
  await world.client.create(aRoute('hello', [latest('hello')]))
  await world.settled()
  assert.equal(await world.says('Route', 'hello'), 'True')
  const { status } = await world.read<Route>('Route', 'hello')
  assert.equal(status?.url, 'http://hello.shop.127.0.0.1.sslip.io:7481')
  assert.deepEqual(status?.address, { url: 'http://hello.shop.svc.cluster.local' })
  assert.deepEqual(status?.traffic, [{ revisionName: 'hello-00001', latestRevision: true, percent: 100 }])
  for (const host of [
    'hello.shop',
    'hello.shop.svc',
    'hello.shop.svc.cluster.local',
    'hello.shop.127.0.0.1.sslip.io',
  ]) {
    assert.equal(world.ask(host).by, 'hello-00001', host)
  }
  // The bare name is for search domains to expand.
  assert.deepEqual(world.ask('hello'), { status: 404 })
  assert.deepEqual(await world.events(), [
    'FinalizerUpdate: Updated "hello" finalizers x1',
    'Created: Created placeholder service "hello" x1',
    'Created: Created Ingress "hello" x1',
  ])
})

test('its children carry its labels and annotations, and who made them', async () => {
  await using world = await startRoutingWorld()
  await world.roll('hello', 'hello-00001')
  const labels = { team: 'a', 'networking.knative.dev/visibility': 'cluster-local' }
  const annotations = {
    mine: 'yes',
    'kubectl.kubernetes.io/last-applied-configuration': '{}',
    'networking.knative.dev/ingress-class': 'kourier.ingress.networking.knative.dev',
  }
  await world.client.create(aRoute('hello', [latest('hello')], { labels, annotations }))
  await world.settled()
  const ingress = await world.read<Ingress>('Ingress', 'hello')
  const route = await world.read<Route>('Route', 'hello')
  assert.deepEqual(ingress.metadata.labels, {
    ...labels,
    'serving.knative.dev/route': 'hello',
    'serving.knative.dev/routeNamespace': 'shop',
  })
  const { 'knode.dev/applied': _, ...ingressAnnotations } = ingress.metadata.annotations ?? {}
  assert.deepEqual(ingressAnnotations, {
    mine: 'yes',
    'networking.knative.dev/ingress.class': 'kourier.ingress.networking.knative.dev',
    'networking.internal.knative.dev/rollout':
      '{"configurations":[{"configurationName":"hello","percent":100,' +
      '"revisions":[{"revisionName":"hello-00001","percent":100}],"stepParams":{}}]}',
  })
  const owner = {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Route',
    name: 'hello',
    uid: route.metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  }
  assert.deepEqual(ingress.metadata.ownerReferences, [owner])
  const service = await world.read<Resource>('Service', 'hello')
  assert.deepEqual(service.metadata.ownerReferences, [owner])
  assert.deepEqual(service.metadata.labels, { team: 'a', 'serving.knative.dev/route': 'hello' })
  assert.equal(service.metadata.annotations?.['mine'], 'yes')
  assert.deepEqual(service.spec, {
    type: 'ExternalName',
    externalName: 'knode-gateway.knative-serving.svc.cluster.local',
    sessionAffinity: 'None',
    ports: [{ name: 'http2', port: 80, targetPort: 80, appProtocol: 'kubernetes.io/h2c' }],
  })
})

test('a split, and tags with hosts of their own: percent 0 is how a tag is made', async () => {
  await using world = await startRoutingWorld()
  await world.roll('hello', 'hello-00001')
  await world.roll('hello', 'hello-00002')
  const traffic = [
    pinned('hello-00001', 90, 'old'),
    { ...latest('hello', 10), tag: 'new' },
    pinned('hello-00001', 0, 'x'),
  ]
  await world.client.create(aRoute('hello', traffic))
  await world.settled()
  const { status } = await world.read<Route>('Route', 'hello')
  const url = (tag: string): string => `http://${tag}-hello.shop.127.0.0.1.sslip.io:7481`
  assert.deepEqual(status?.traffic, [
    { revisionName: 'hello-00001', latestRevision: false, percent: 90, tag: 'old', url: url('old') },
    { revisionName: 'hello-00002', latestRevision: true, percent: 10, tag: 'new', url: url('new') },
    { revisionName: 'hello-00001', latestRevision: false, percent: 0, tag: 'x', url: url('x') },
  ])
  assert.deepEqual(world.shares('new-hello.shop', 20), { 'hello-00002': 20 })
  assert.deepEqual(world.shares('x-hello.shop.127.0.0.1.sslip.io', 20), { 'hello-00001': 20 })
  const services = (await world.client.list('Service', 'shop')).map(({ metadata }) => metadata.name)
  assert.deepEqual(services, ['hello', 'new-hello', 'old-hello', 'x-hello'])

  await world.client.patch('Route.serving.knative.dev', 'shop', 'hello', { spec: { traffic: [latest('hello')] } })
  await world.settled()
  assert.deepEqual(
    (await world.client.list('Service', 'shop')).map(({ metadata }) => metadata.name),
    ['hello'],
    'placeholders of former tags go',
  )
  assert.deepEqual(world.ask('new-hello.shop'), { status: 404 })
})

test('a canary of 10 % takes 10 % of 2,000 requests, within 3 %', async () => {
  await using world = await startRoutingWorld()
  await world.roll('hello', 'hello-00001')
  await world.roll('hello', 'hello-00002')
  await world.client.create(aRoute('hello', [pinned('hello-00001', 90), pinned('hello-00002', 10)]))
  await world.settled()
  const shares = world.shares('hello.shop', 2_000)
  assert.deepEqual(Object.keys(shares).sort(), ['hello-00001', 'hello-00002'])
  assert.ok(Math.abs(shares['hello-00002']! - 200) <= 60, JSON.stringify(shares))
})

test('requests carry the Revision they go to, whatever their client says', async () => {
  await using world = await startRoutingWorld()
  await world.roll('hello', 'hello-00001')
  await world.client.create(aRoute('hello', [latest('hello')]))
  await world.settled()
  const { setHeaders } = world.ask('hello.shop', '/', { 'knative-serving-revision': 'admin-00001' })
  assert.deepEqual(setHeaders, { 'knative-serving-revision': 'hello-00001', 'knative-serving-namespace': 'shop' })
})

test('each way a target can be wrong is told in upstream’s words', async () => {
  const rows: [Parameters<typeof aRoute>[1], string, Record<string, string>?][] = [
    [[latest('nobody')], 'False ConfigurationMissing: Configuration "nobody" referenced in traffic not found.'],
    [[pinned('nobody-00001', 100)], 'False RevisionMissing: Revision "nobody-00001" referenced in traffic not found.'],
    [[latest('young')], 'Unknown RevisionMissing: Configuration "young" is waiting for a Revision to become ready.'],
    [[latest('ill')], 'False RevisionMissing: Configuration "ill" does not have any ready Revision.'],
    [[pinned('young-00001', 100)], 'Unknown RevisionMissing: Revision "young-00001" is not yet ready.'],
    [[pinned('ill-00001', 100)], 'False RevisionMissing: Revision "ill-00001" failed to become ready.'],
    [
      [pinned('young-00001', 50), pinned('ill-00001', 30), latest('nobody', 20)],
      'False ConfigurationMissing: Configuration "nobody" referenced in traffic not found.',
    ],
    [
      [pinned('hello-00001', 100)],
      'False RevisionNotOwned: Revision "hello-00001" does not belong to Service "mine".',
      { 'serving.knative.dev/service': 'mine' },
    ],
  ]
  await using world = await startRoutingWorld()
  await world.roll('young', 'young-00001', 'Unknown')
  await world.roll('ill', 'ill-00001', 'False')
  const ill = await world.read<Resource>('Configuration', 'ill')
  const conditions = [{ type: 'Ready', status: 'False' }]
  await world.client.updateStatus({ ...ill, status: { ...ill.status, conditions } })
  await world.roll('hello', 'hello-00001')
  for (const [index, [traffic, expected, labels]] of rows.entries()) {
    await world.client.create(aRoute(`r${index}`, traffic, labels === undefined ? {} : { labels }))
    await world.settled()
    assert.equal(await world.says('Route', `r${index}`, 'AllTrafficAssigned'), expected)
    assert.equal(await world.says('Route', `r${index}`), expected)
  }
})

test('a Revision of another Service is named with its owner', async () => {
  await using world = await startRoutingWorld()
  await world.roll('hello', 'hello-00001')
  const label = { metadata: { labels: { 'serving.knative.dev/service': 'hello' } } }
  await world.client.patch('Revision.serving.knative.dev', 'shop', 'hello-00001', label)
  const labels = { 'serving.knative.dev/service': 'mine' }
  await world.client.create(aRoute('mine', [pinned('hello-00001', 100)], { labels }))
  await world.settled()
  const expected = 'False RevisionNotOwned: Revision "hello-00001" belongs to Service "hello", not Service "mine".'
  assert.equal(await world.says('Route', 'mine'), expected)
})

test('what was programmed before goes on when a target is missing or fails, and heals by itself', async () => {
  await using world = await startRoutingWorld()
  await world.roll('hello', 'hello-00001')
  await world.client.create(aRoute('hello', [latest('hello')]))
  await world.settled()
  await world.client.patch('Route.serving.knative.dev', 'shop', 'hello', {
    spec: { traffic: [pinned('hello-00002', 100)] },
  })
  await world.settled()
  assert.match(await world.says('Route', 'hello'), /^False RevisionMissing/)
  assert.equal(world.ask('hello.shop').by, 'hello-00001')
  const { status } = await world.read<Route>('Route', 'hello')
  assert.deepEqual(status?.traffic, [{ revisionName: 'hello-00001', latestRevision: true, percent: 100 }])
  assert.equal(status.observedGeneration, 2, 'clients judge by the condition and the generation')

  await world.roll('hello', 'hello-00002')
  assert.equal(await world.says('Route', 'hello'), 'True')
  assert.equal(world.ask('hello.shop').by, 'hello-00002')
})

test('a latest Revision that fails leaves the one before it at work', async () => {
  await using world = await startRoutingWorld()
  await world.roll('hello', 'hello-00001')
  await world.client.create(aRoute('hello', [latest('hello')]))
  await world.settled()
  await world.roll('hello', 'hello-00002', 'False')
  assert.equal(await world.says('Route', 'hello'), 'True')
  assert.equal(world.ask('hello.shop').by, 'hello-00001')
})

test('a new latest Revision takes over at once when no time is given, and nothing is written twice', async () => {
  await using world = await startRoutingWorld()
  await world.roll('hello', 'hello-00001')
  await world.client.create(aRoute('hello', [latest('hello')]))
  await world.settled()
  await world.roll('hello', 'hello-00002')
  assert.deepEqual(world.shares('hello.shop', 20), { 'hello-00002': 20 })
  assert.equal(await world.says('Route', 'hello'), 'True')
  const before = (await world.read<Route>('Route', 'hello')).metadata.resourceVersion
  await world.configure('config-network', { 'rollout-duration': '0' })
  await world.advance(60_000)
  assert.equal((await world.read<Route>('Route', 'hello')).metadata.resourceVersion, before)
})

test('a Service that somebody else made keeps its name', async () => {
  const spec = { ports: [{ port: 80 }] }
  const metadata = { name: 'hello', namespace: 'shop', labels: { 'serving.knative.dev/route': 'hello' } }
  const foreign = { apiVersion: 'v1', kind: 'Service', metadata, spec } as Resource
  await using world = await startRoutingWorld({ stored: [foreign] })
  await world.roll('hello', 'hello-00001')
  await world.client.create(aRoute('hello', [latest('hello')]))
  await world.settled()
  const expected = 'False NotOwned: There is an existing placeholder Service "hello" that we do not own.'
  assert.equal(await world.says('Route', 'hello', 'IngressReady'), expected)
  assert.equal(await world.says('Route', 'hello'), expected)
  assert.match((await world.events()).join('\n'), /^InternalError: route: "hello" does not own Service: "hello" x/m)
  await world.client.delete('Service', 'shop', 'hello')
  await world.settled()
  assert.equal(await world.says('Route', 'hello'), 'True')
})

test('a deleted Route leaves no host, and no note on what it led to', async () => {
  await using world = await startRoutingWorld()
  await world.roll('hello', 'hello-00001')
  await world.client.create(aRoute('hello', [latest('hello')]))
  await world.settled()
  const noted = await world.read<Resource>('Revision', 'hello-00001')
  assert.equal(noted.metadata.annotations?.['serving.knative.dev/routes'], 'hello')
  await world.client.delete('Route.serving.knative.dev', 'shop', 'hello')
  await world.settled()
  assert.deepEqual(world.ask('hello.shop'), { status: 404 })
  const revision = await world.read<Resource>('Revision', 'hello-00001')
  assert.deepEqual(revision.metadata.annotations, {
    'serving.knative.dev/routingStateModified': '2026-01-01T00:00:00Z',
  })
  assert.equal(revision.metadata.labels?.['serving.knative.dev/routingState'], 'reserve')
  assert.deepEqual((await world.read<Resource>('Configuration', 'hello')).metadata.annotations, {})
})
