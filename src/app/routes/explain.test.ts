import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ScaleSnapshot } from '../../engine/autoscaler.ts'
import { scaleSettings } from '../../engine/autoscaling/scale-settings.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { explainRoute } from './explain.ts'
import type { Explanation } from './explain.ts'
import { aRouteBed } from './test-route.ts'

const service: Resource = {
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Service',
  metadata: { name: 'hello', namespace: 'shop' },
  status: {
    url: 'http://hello.shop.example.com',
    latestCreatedRevisionName: 'hello-00003',
    traffic: [
      { revisionName: 'hello-00002', percent: 90, latestRevision: true },
      { revisionName: 'hello-00002', percent: 10, latestRevision: false, tag: 'old' },
    ],
    conditions: [{ type: 'Ready', status: 'False', reason: 'RevisionFailed', message: 'no' }],
  },
}

const aRevision = (generation: number): Resource => ({
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Revision',
  metadata: {
    name: `hello-0000${generation}`,
    namespace: 'shop',
    labels: {
      'serving.knative.dev/service': 'hello',
      'serving.knative.dev/configurationGeneration': String(generation),
    },
  },
})

const aSnapshot = (name: string, changes: Partial<ScaleSnapshot> = {}): ScaleSnapshot => ({
  namespace: 'shop',
  name,
  settings: scaleSettings(
    { annotations: {}, containerConcurrency: 0, isReachable: true },
    { autoscaler: {}, deployment: {} },
  ),
  ready: 0,
  replicas: 0,
  want: 0,
  activity: 'inactive',
  activityForMs: 0,
  isInitialized: true,
  mode: 'Proxy',
  activators: 2,
  inFlight: 0,
  bounds: [],
  isResting: true,
  ...changes,
})

async function aBed(snapshots: ScaleSnapshot[], revisions = [1, 2, 3]) {
  const autoscaler = {
    snapshot: (_: string, name: string) => snapshots.find((snapshot) => snapshot.name === name),
  }
  const bed = await aRouteBed(explainRoute, { autoscaler })
  bed.objects.push(service, ...revisions.map(aRevision))
  return bed
}

test('a Service is told with those of its Revisions that count, newest first', async () => {
  await using bed = await aBed([aSnapshot('hello-00001'), aSnapshot('hello-00002', { want: 2, ready: 2 })])
  const { code, text } = await bed.call('/knode/v1/explain?kind=Service.serving.knative.dev&namespace=shop&name=hello')
  assert.equal(code, 200)
  const explanation = JSON.parse(text) as Explanation
  assert.equal(explanation.url, 'http://hello.shop.example.com')
  assert.deepEqual(explanation.ready, { status: 'False', reason: 'RevisionFailed', message: 'no' })
  assert.deepEqual(
    explanation.revisions.map(({ name, traffic, sentences }) => ({ name, traffic, sentences })),
    [
      { name: 'hello-00003', traffic: [], sentences: ['Nothing looks after its scale.'] },
      {
        name: 'hello-00002',
        traffic: [
          { percent: 90, latestRevision: true },
          { percent: 10, tag: 'old', latestRevision: false },
        ],
        sentences: ['2 instances wanted, 2 ready.'],
      },
    ],
  )
})

test('an old Revision that still runs is told, too', async () => {
  await using bed = await aBed([aSnapshot('hello-00001', { ready: 1, replicas: 0 })])
  const { text } = await bed.call('/knode/v1/explain?kind=Service.serving.knative.dev&namespace=shop&name=hello')
  const names = (JSON.parse(text) as Explanation).revisions.map(({ name }) => name)
  assert.deepEqual(names, ['hello-00003', 'hello-00002', 'hello-00001'])
})

test('one Revision is told by itself, with all numbers', async () => {
  await using bed = await aBed([aSnapshot('hello-00001')])
  const path = '/knode/v1/explain?kind=Revision.serving.knative.dev&namespace=shop&name=hello-00001'
  const { revisions } = JSON.parse((await bed.call(path)).text) as Explanation
  assert.equal(revisions.length, 1)
  assert.equal(revisions[0]!.scale?.settings.target, 70)
})

test('what is not there, or is of another kind, is refused', async () => {
  await using bed = await aBed([])
  const gone = await bed.call('/knode/v1/explain?kind=Service.serving.knative.dev&namespace=shop&name=gone')
  assert.deepEqual([gone.code, gone.message], [404, 'services.serving.knative.dev "gone" not found'])
  const other = await bed.call('/knode/v1/explain?kind=Broker.eventing.knative.dev&name=x')
  assert.equal(other.code, 400)
  assert.match(other.message ?? '', /^kind: expected one of Service\.serving\.knative\.dev, .*, got "Broker/)
})
