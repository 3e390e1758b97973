import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../../base/fake-clock.ts'
import { FakeClient } from '../../../engine/control-loop/fake-client.ts'
import { reconcileOnce } from '../../../engine/control-loop/reconcile-once.ts'
import type { ReconcileRun } from '../../../engine/control-loop/reconcile-once.ts'
import type { Condition, KResourceStatus } from '../../../model/duck/types.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import type { TrafficTarget } from '../../../model/serving/traffic.ts'
import { openResourceStore } from '../../../ports/resource-store/open.ts'
import type { Configuration, ConfigurationStatus } from '../configuration/schema.ts'
import type { Revision } from '../revision/schema.ts'
import type { Route, RouteStatus } from '../route/schema.ts'
import { makeConfiguration, makeRoute } from './children.ts'
import { servingService } from './kind.ts'
import type { Service, ServiceSpec } from './schema.ts'

const template = { spec: { containers: [{ image: 'example.com/hello' }] } }
const ready: Condition = { type: 'Ready', status: 'True' }
const toLatest: TrafficTarget[] = [{ latestRevision: true, percent: 100 }]

function aService(spec: Partial<ServiceSpec> = {}, metadata: Partial<Resource['metadata']> = {}): Service {
  return {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: { name: 'hello', namespace: 'shop', uid: 'uid-of-hello', generation: 1, ...metadata },
    spec: { template, traffic: toLatest, ...spec },
  }
}

const stored = <Child extends Resource>(child: Child, status: Child['status'], metadata: object = {}): Child => ({
  ...child,
  metadata: { uid: `uid-of-${child.kind}`, generation: 1, ...child.metadata, ...metadata },
  ...(status === undefined ? {} : { status }),
})

const aConfiguration = (service: Service, status: ConfigurationStatus = {}): Configuration =>
  stored(makeConfiguration(service), {
    observedGeneration: 1,
    conditions: [ready],
    latestCreatedRevisionName: 'hello-00001',
    latestReadyRevisionName: 'hello-00001',
    ...status,
  })

const aRoute = (service: Service, status: RouteStatus = {}): Route =>
  stored(makeRoute(service), {
    observedGeneration: 1,
    conditions: [ready],
    url: 'http://hello.shop.example.com',
    address: { url: 'http://hello.shop.svc.cluster.local' },
    traffic: [{ revisionName: 'hello-00001', latestRevision: true, percent: 100 }],
    ...status,
  })

const run = (service: Service, others: Resource[] = []): Promise<ReconcileRun<Service>> =>
  reconcileOnce(service, { kind: servingService, stored: others })

async function find<Child extends Resource>(outcome: ReconcileRun<Service>, kind: string): Promise<Child> {
  return (await outcome.stored()).find((each) => each.kind === kind) as Child
}

test('a new Service gets a Configuration and a Route of its name, which carry its labels and annotations', async () => {
  const service = aService(
    { traffic: [{ revisionName: 'hello-00001', percent: 90 }, ...toLatest.map((each) => ({ ...each, percent: 10 }))] },
    {
      labels: { team: 'a' },
      annotations: {
        mine: 'yes',
        'serving.knative.dev/creator': 'anna',
        'serving.knative.dev/rollout-duration': '10s',
        'kubectl.kubernetes.io/last-applied-configuration': '{}',
      },
    },
  )
  const outcome = await run(service)
  const configuration = await find<Configuration>(outcome, 'Configuration')
  const route = await find<Route>(outcome, 'Route')
  assert.deepEqual(configuration.metadata.labels, {
    team: 'a',
    'serving.knative.dev/service': 'hello',
    'serving.knative.dev/serviceUID': 'uid-of-hello',
  })
  assert.deepEqual(configuration.metadata.annotations, {
    mine: 'yes',
    'serving.knative.dev/creator': 'anna',
    'serving.knative.dev/routes': 'hello',
  })
  assert.deepEqual(configuration.spec, { template })
  assert.deepEqual(route.metadata.labels, { team: 'a', 'serving.knative.dev/service': 'hello' })
  assert.deepEqual(route.metadata.annotations, {
    mine: 'yes',
    'serving.knative.dev/creator': 'anna',
    'serving.knative.dev/rollout-duration': '10s',
  })
  assert.deepEqual(route.spec.traffic, [
    { revisionName: 'hello-00001', percent: 90 },
    { configurationName: 'hello', latestRevision: true, percent: 10 },
  ])
  for (const child of [configuration, route]) {
    assert.partialDeepStrictEqual(child.metadata.ownerReferences, [
      { kind: 'Service', name: 'hello', controller: true },
    ])
  }
  assert.deepEqual(
    outcome.events.map(({ reason, message }) => `${reason}: ${message}`),
    ['Created: Created Configuration "hello"', 'Created: Created Route "hello"'],
  )
  assert.deepEqual(outcome.condition('ConfigurationsReady'), {
    status: 'Unknown',
    reason: 'OutOfDate',
    message: 'The Configuration is still working to reflect the latest desired specification.',
  })
  assert.deepEqual(outcome.condition('RoutesReady'), {
    status: 'Unknown',
    reason: 'OutOfDate',
    message: 'The Route is still working to reflect the latest desired specification.',
  })
})

test('a Service whose children are Ready is Ready, and shows where it is and what serves', async () => {
  const service = aService()
  const { status, condition, events } = await run(service, [aConfiguration(service), aRoute(service)])
  assert.equal(condition('Ready')?.status, 'True')
  assert.partialDeepStrictEqual(status, {
    url: 'http://hello.shop.example.com',
    address: { url: 'http://hello.shop.svc.cluster.local' },
    latestCreatedRevisionName: 'hello-00001',
    latestReadyRevisionName: 'hello-00001',
    traffic: [{ revisionName: 'hello-00001', latestRevision: true, percent: 100 }],
  })
  assert.deepEqual(events, [])
})

test('what its children say of themselves, a Service repeats', async () => {
  const service = aService()
  const failed: Condition = {
    type: 'Ready',
    status: 'False',
    reason: 'RevisionFailed',
    message: 'Revision "x" failed.',
  }
  const waiting: Condition = { type: 'Ready', status: 'Unknown', reason: 'RevisionMissing', message: 'it waits' }
  const { condition } = await run(service, [
    aConfiguration(service, { conditions: [failed] }),
    aRoute(service, { conditions: [waiting] }),
  ])
  assert.deepEqual(condition('ConfigurationsReady'), {
    status: 'False',
    reason: 'RevisionFailed',
    message: 'Revision "x" failed.',
  })
  assert.deepEqual(condition('RoutesReady'), { status: 'Unknown', reason: 'RevisionMissing', message: 'it waits' })
  assert.equal(condition('Ready')?.status, 'False')
})

test('a Route that still serves an older Revision keeps the Service from being Ready', async () => {
  const service = aService()
  const latest = { latestCreatedRevisionName: 'hello-00002', latestReadyRevisionName: 'hello-00002' }
  const rows: TrafficTarget[][] = [
    [{ revisionName: 'hello-00001', latestRevision: true, percent: 100 }],
    // A gradual rollout.
    [
      { revisionName: 'hello-00001', latestRevision: true, percent: 99 },
      { revisionName: 'hello-00002', latestRevision: true, percent: 1 },
    ],
  ]
  for (const traffic of rows) {
    const { condition } = await run(service, [aConfiguration(service, latest), aRoute(service, { traffic })])
    assert.deepEqual(condition('RoutesReady'), {
      status: 'Unknown',
      reason: 'TrafficNotMigrated',
      message: 'Traffic is not yet migrated to the latest revision.',
    })
  }
})

test('a child that somebody else made is left alone, and said to be not owned', async () => {
  const service = aService()
  const foreign = (child: Resource): Resource => ({ ...child, metadata: { ...child.metadata, ownerReferences: [] } })
  const first = await run(service, [foreign(aConfiguration(service))])
  assert.deepEqual(first.condition('ConfigurationsReady'), {
    status: 'False',
    reason: 'NotOwned',
    message: 'There is an existing Configuration "hello" that we do not own.',
  })
  assert.equal((first.thrown as Error).message, 'service: "hello" does not own configuration: "hello"')
  const second = await run(service, [aConfiguration(service), foreign(aRoute(service))])
  assert.deepEqual(second.condition('RoutesReady'), {
    status: 'False',
    reason: 'NotOwned',
    message: 'There is an existing Route "hello" that we do not own.',
  })
})

test('whatever somebody changed of the children is put back, surplus labels and annotations too', async () => {
  const service = aService({}, { annotations: { mine: 'yes' } })
  const strange = { labels: { strange: '1' }, annotations: { strange: '1', 'serving.knative.dev/routes': 'other' } }
  const configuration = stored(aConfiguration(service), { observedGeneration: 1 }, strange)
  const route = stored({ ...aRoute(service), spec: { traffic: [] } }, { observedGeneration: 1 }, strange)
  const outcome = await run(service, [configuration, route])
  const { metadata } = await find<Configuration>(outcome, 'Configuration')
  assert.deepEqual(metadata.labels, makeConfiguration(service).metadata.labels)
  // Other Routes that lead to it are the labeler's to tell.
  assert.deepEqual(metadata.annotations, { mine: 'yes', 'serving.knative.dev/routes': 'hello,other' })
  const mended = await find<Route>(outcome, 'Route')
  assert.deepEqual(mended.metadata.labels, makeRoute(service).metadata.labels)
  assert.deepEqual(mended.metadata.annotations, { mine: 'yes' })
  assert.deepEqual(mended.spec, makeRoute(service).spec)
})

test('an unchanged Service writes none of its children', async () => {
  const service = aService({}, { annotations: { mine: 'yes' } })
  const store = await openResourceStore({ driver: 'memory' })
  const client = new FakeClient({ store, clock: new FakeClock() })
  client.update = () => Promise.reject(new Error('a child was written'))
  const stored = [aConfiguration(service), aRoute(service)]
  const { thrown } = await reconcileOnce(service, { kind: servingService, stored, deps: { client } })
  assert.equal(thrown, undefined)
})

test('an edit of traffic or metadata makes no new Revision', async () => {
  const before = aService()
  const traffic = [{ revisionName: 'hello-00001', percent: 100 }]
  const after = aService({ traffic }, { labels: { team: 'b' }, generation: 2 })
  const outcome = await run(after, [aConfiguration(before), aRoute(before)])
  const configuration = await find<Configuration>(outcome, 'Configuration')
  assert.equal(configuration.metadata.labels?.['team'], 'b')
  assert.equal(configuration.metadata.generation, 1)
  const route = await find<Route>(outcome, 'Route')
  assert.deepEqual([route.spec.traffic, route.metadata.generation], [traffic, 2])
  assert.equal(outcome.condition('RoutesReady')?.reason, 'OutOfDate')
})

test('a default that came later makes no new Revision', async () => {
  const service = aService()
  const withDefault = aService({ template: { spec: { ...template.spec, containerConcurrency: 0 } } })
  for (const [object, stored] of [
    [service, aConfiguration(withDefault)],
    [withDefault, aConfiguration(service)],
  ] as const) {
    const outcome = await run(object, [stored])
    assert.equal((await find<Configuration>(outcome, 'Configuration')).metadata.generation, 1)
  }
})

test('with a Revision name of its own the Route waits for the Configuration', async () => {
  const service = aService({ template: { ...template, metadata: { name: 'hello-v2' } } })
  const outcome = await run(service, [aConfiguration(service, { observedGeneration: 0 })])
  assert.equal(outcome.condition('ConfigurationsReady')?.reason, 'OutOfDate')
  assert.equal(await find(outcome, 'Route'), undefined)
})

test('a Revision name that is taken moves no traffic', async () => {
  const service = aService({ template: { ...template, metadata: { name: 'hello-v2' } } })
  const revision = (image: string, owner: string, generation: string): Revision => ({
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Revision',
    metadata: {
      name: 'hello-v2',
      namespace: 'shop',
      labels: { 'serving.knative.dev/configurationGeneration': generation },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Configuration', name: 'c', uid: owner, controller: true }],
    },
    spec: { containers: [{ image }] },
  })
  const taken = {
    status: 'False',
    reason: 'RevisionNameTaken',
    message: 'The revision name "hello-v2" is taken by a conflicting Revision, so traffic will not be migrated',
  }
  for (const other of [
    revision('example.com/hello', 'somebody', '1'),
    revision('example.com/other', 'uid-of-Configuration', '7'),
  ]) {
    const outcome = await run(service, [aConfiguration(service), other])
    assert.deepEqual(outcome.condition('RoutesReady'), taken)
    assert.equal(await find(outcome, 'Route'), undefined)
  }
  const own = await run(service, [aConfiguration(service), revision('example.com/x', 'uid-of-Configuration', '1')])
  assert.notEqual(await find(own, 'Route'), undefined)
})

test('a Service that Knode 0.1 stored comes up with children, and loses what only 0.1 needed', async () => {
  const service = aService()
  const status: KResourceStatus & object = {
    observedGeneration: 3,
    conditions: [ready],
    annotations: { 'knode.dev/template': '0123456789abcdef', 'knode.dev/configuration-generation': '3' },
  }
  service.status = { ...status, latestCreatedRevisionName: 'hello-00003', latestReadyRevisionName: 'hello-00003' }
  const first = await run(service)
  assert.equal(first.status.annotations, undefined)
  assert.equal(first.condition('Ready')?.status, 'Unknown')
  assert.notEqual(await find(first, 'Configuration'), undefined)
  const later = await run({ ...service, status: first.status }, [aConfiguration(service), aRoute(service)])
  assert.equal(later.status.latestReadyRevisionName, 'hello-00001')
  assert.equal(later.condition('Ready')?.status, 'True')
})

test('a Service says in words why its latest Revision has as many instances as it has', async () => {
  const service = aService()
  const scaler = {
    apiVersion: 'autoscaling.internal.knative.dev/v1alpha1',
    kind: 'PodAutoscaler',
    metadata: { name: 'hello-00001', namespace: 'shop' },
    status: { annotations: { 'knode.dev/scale': '2 because of 14 requests at a time' } },
  }
  const { status } = await run(service, [aConfiguration(service), aRoute(service), scaler])
  assert.deepEqual(status.annotations, { 'knode.dev/scale': '2 because of 14 requests at a time' })
})
