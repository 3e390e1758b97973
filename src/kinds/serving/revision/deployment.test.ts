import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../../base/fake-clock.ts'
import { FakeClient } from '../../../engine/control-loop/fake-client.ts'
import { reconcileOnce } from '../../../engine/control-loop/reconcile-once.ts'
import type { Container } from '../../../model/serving/container-schema.ts'
import type { RevisionSpec } from '../../../model/serving/revision-template.ts'
import { openResourceStore } from '../../../ports/resource-store/open.ts'
import type { Deployment } from '../../apps/deployment/schema.ts'
import { makeDeployment, updatedDeployment } from './deployment.ts'
import { doorSpec } from './door.ts'
import { revision as revisionDefinition } from './kind.ts'
import type { Revision, RevisionStatus } from './schema.ts'

const shipped = { autoscaler: {}, deployment: {}, features: {} }
const image = 'example.com/hello'

function aRevision(
  containers: Container[] = [{ name: 'user-container', image }],
  annotations: Record<string, string> = {},
  more: { spec?: Partial<RevisionSpec>; status?: RevisionStatus; labels?: Record<string, string> } = {},
): Revision {
  return {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Revision',
    metadata: {
      name: 'hello-00001',
      namespace: 'shop',
      uid: 'u1',
      annotations,
      labels: {
        'serving.knative.dev/service': 'hello',
        'serving.knative.dev/configuration': 'hello',
        'serving.knative.dev/routingState': 'active',
        ...more.labels,
      },
    },
    spec: { timeoutSeconds: 60, containers, ...more.spec },
    ...(more.status === undefined ? {} : { status: more.status }),
  }
}

const podOf = (revision: Revision, config = shipped) => makeDeployment(revision, config).spec.template!
const containersOf = (revision: Revision, config = shipped) => podOf(revision, config).spec!.containers!

test('every container learns whose it is, and the one that takes requests its port, after what its user set', () => {
  const [main, sidecar] = containersOf(
    aRevision([
      { name: 'main', image, ports: [{ containerPort: 9000, name: 'h2c' }], env: [{ name: 'TARGET', value: 'x' }] },
      { name: 'sidecar', image, env: [{ name: 'PORT', value: '7' }] },
    ]),
  )
  const knative = [
    { name: 'K_REVISION', value: 'hello-00001' },
    { name: 'K_CONFIGURATION', value: 'hello' },
    { name: 'K_SERVICE', value: 'hello' },
  ]
  assert.deepEqual(main?.env, [{ name: 'TARGET', value: 'x' }, { name: 'PORT', value: '9000' }, ...knative])
  assert.deepEqual(main?.ports, [{ name: 'h2c', containerPort: 9000 }])
  assert.deepEqual(sidecar?.env, [{ name: 'PORT', value: '7' }, ...knative])
  assert.equal(sidecar?.ports, undefined)
})

test('without a Service the name of the Service is empty', () => {
  const revision = aRevision()
  delete revision.metadata.labels
  const names = containersOf(revision)[0]!.env!.filter(({ name }) => name?.startsWith('K_'))
  assert.deepEqual(
    names.map(({ value }) => value),
    ['hello-00001', '', ''],
  )
})

test('only a port behind which HTTP/2 is spoken keeps its name: probes have to know', () => {
  for (const name of ['h2c', 'http1', '']) {
    const [container] = containersOf(aRevision([{ name: 'a', image, ports: [{ name, containerPort: 9000 }] }]))
    assert.deepEqual(container?.ports, [{ name: name === 'h2c' ? 'h2c' : 'user-port', containerPort: 9000 }])
  }
})

test('a port may have a protocol and no number', () => {
  const revision = aRevision([{ name: 'a', image, ports: [{ name: 'h2c' }] }])
  assert.partialDeepStrictEqual(doorSpec(revision), { containerPort: 8080, protocol: 'h2c' })
  assert.deepEqual(containersOf(revision)[0]?.ports, [{ name: 'h2c', containerPort: 8080 }])
})

test('probes that name no port number mean the one requests go to', () => {
  const [container] = containersOf(
    aRevision([
      {
        name: 'a',
        image,
        ports: [{ containerPort: 9000, name: 'http1' }],
        readinessProbe: { tcpSocket: { port: 0 }, successThreshold: 1 },
        livenessProbe: { httpGet: { path: '/alive', port: 'http1' } },
        startupProbe: { grpc: {}, periodSeconds: 3 },
      },
    ]),
  )
  // Readiness keeps having no period: it is probed quickly.
  assert.deepEqual(container?.readinessProbe, { tcpSocket: { port: 9000 }, successThreshold: 1 })
  assert.deepEqual(container?.livenessProbe, { httpGet: { path: '/alive', port: 9000 }, periodSeconds: 10 })
  assert.deepEqual(container?.startupProbe, { grpc: { port: 9000 }, periodSeconds: 3 })
})

test('a liveness probe of another port goes to the port of requests, unless several containers may be probed', () => {
  const revision = aRevision([
    {
      name: 'a',
      image,
      livenessProbe: { tcpSocket: { port: 1234 } },
      readinessProbe: { httpGet: { port: 4321 } },
    },
  ])
  const [strict] = containersOf(revision)
  assert.equal(strict?.livenessProbe?.tcpSocket?.port, 8080)
  assert.equal(strict?.readinessProbe?.httpGet?.port, 4321)
  const [free] = containersOf(revision, { ...shipped, features: { 'multi-container-probing': 'enabled' } })
  assert.equal(free?.livenessProbe?.tcpSocket?.port, 1234)
})

test('a Pod may finish what a request may take, tells its last words, and has none of Serving’s own fields', () => {
  const { spec } = podOf(
    aRevision(
      [
        { name: 'a', image, terminationMessagePolicy: 'File' },
        { name: 'b', image, ports: [{}] },
      ],
      {},
      {
        spec: {
          containerConcurrency: 3,
          responseStartTimeoutSeconds: 1,
          idleTimeoutSeconds: 2,
          serviceAccountName: 'me',
        },
      },
    ),
  )
  const { containers, ...rest } = spec!
  assert.deepEqual(rest, { serviceAccountName: 'me', terminationGracePeriodSeconds: 60 })
  assert.deepEqual(
    containers?.map(({ terminationMessagePolicy }) => terminationMessagePolicy),
    ['File', 'FallbackToLogsOnError'],
  )
})

test('Pods run the images that were looked up', () => {
  const digest = `${image}@sha256:1`
  const revision = aRevision(
    [
      { name: 'a', image, ports: [{}] },
      { name: 'b', image: 'other' },
    ],
    {},
    {
      spec: { initContainers: [{ name: 'i', image }] },
      status: {
        containerStatuses: [
          { name: 'a', imageDigest: digest },
          { name: 'b', imageDigest: '' },
        ],
        initContainerStatuses: [{ name: 'i', imageDigest: `${digest}i` }],
      },
    },
  )
  assert.deepEqual(
    containersOf(revision).map((container) => container.image),
    [digest, 'other'],
  )
  const [init] = podOf(revision).spec!.initContainers!
  assert.equal(init?.image, `${digest}i`)
  assert.equal(init?.env, undefined)
})

test('labels and annotations go down to the Pods, but for what changes while the Revision lives', () => {
  const annotations = {
    'knode.dev/command': 'node x.ts',
    mine: 'yes',
    'autoscaling.knative.dev/min-scale': '1',
    'serving.knative.dev/creator': 'anna',
    'serving.knative.dev/routes': 'hello',
    'serving.knative.dev/routingStateModified': '2026-01-01T00:00:00Z',
    'serving.knative.dev/lastPinned': '1',
    'serving.knative.dev/no-gc': 'true',
  }
  const { metadata, spec } = makeDeployment(aRevision(undefined, annotations), shipped)
  const { 'serving.knative.dev/deployment-hash': hash, ...labels } = metadata.labels!
  const expected = {
    'serving.knative.dev/service': 'hello',
    'serving.knative.dev/configuration': 'hello',
    'serving.knative.dev/revision': 'hello-00001',
    'serving.knative.dev/revisionUID': 'u1',
    app: 'hello-00001',
  }
  assert.match(hash!, /^[0-9a-f]{10}$/)
  assert.deepEqual(labels, expected)
  assert.deepEqual(spec.template?.metadata?.labels, expected)
  const kept = { 'knode.dev/command': 'node x.ts', mine: 'yes', 'serving.knative.dev/creator': 'anna' }
  assert.deepEqual(metadata.annotations, kept)
  assert.deepEqual(spec.template?.metadata?.annotations, {
    ...kept,
    'kubectl.kubernetes.io/default-container': 'user-container',
  })
  assert.deepEqual(spec.selector, { matchLabels: { 'serving.knative.dev/revisionUID': 'u1' } })
  const own = makeDeployment(aRevision(undefined, {}, { labels: { app: 'mine' } }), shipped)
  assert.equal(own.metadata.labels?.['app'], 'mine')
})

test('initial scale and progress deadline come from the Revision, else from the ConfigMaps', () => {
  const config = { autoscaler: { 'initial-scale': '2' }, deployment: { 'progress-deadline': '90s' }, features: {} }
  assert.partialDeepStrictEqual(makeDeployment(aRevision(), shipped).spec, {
    replicas: 1,
    progressDeadlineSeconds: 600,
  })
  assert.partialDeepStrictEqual(makeDeployment(aRevision(), config).spec, { replicas: 2, progressDeadlineSeconds: 90 })
  const annotations = {
    'autoscaling.knative.dev/initialScale': '0',
    'serving.knative.dev/progress-deadline': '1m5s',
  }
  assert.partialDeepStrictEqual(makeDeployment(aRevision(undefined, annotations), config).spec, {
    replicas: 0,
    progressDeadlineSeconds: 65,
  })
})

test('a changed Deployment keeps its replicas, its selector and what others wrote on it', () => {
  const revision = aRevision()
  const before = makeDeployment(revision, shipped)
  assert.equal(updatedDeployment(before, makeDeployment(revision, shipped)), undefined)
  const stored: Deployment = structuredClone(before)
  stored.spec.replicas = 7
  stored.metadata.resourceVersion = '12'
  stored.metadata.annotations!['deployment.kubernetes.io/revision'] = '1'
  stored.spec.template!.metadata!.annotations!['kubectl.kubernetes.io/restartedAt'] = 'now'
  stored.spec.template!.metadata!.annotations!['knode.dev/command'] = 'old'
  const wanted = makeDeployment(revision, { ...shipped, deployment: { 'progress-deadline': '90s' } })
  const updated = updatedDeployment(stored, wanted)
  assert.equal(updated?.spec.replicas, 7)
  assert.equal(updated?.spec.progressDeadlineSeconds, 90)
  assert.equal(updated?.metadata.resourceVersion, '12')
  assert.equal(updated?.metadata.annotations?.['deployment.kubernetes.io/revision'], '1')
  assert.deepEqual(updated?.spec.template?.metadata?.annotations, {
    'kubectl.kubernetes.io/restartedAt': 'now',
    'kubectl.kubernetes.io/default-container': 'user-container',
  })
})

test('no reconcile of a Revision ever writes the replicas of its Deployment again', async () => {
  const status = { containerStatuses: [{ name: 'user-container', imageDigest: '' }] }
  const revision = aRevision(undefined, { mine: 'changed' }, { status })
  const scaled = makeDeployment(aRevision(undefined, {}, { status }), shipped)
  scaled.spec.replicas = 5
  const store = await openResourceStore({ driver: 'memory' })
  const client = new FakeClient({ store, clock: new FakeClock() })
  const revisions = { find: () => undefined } as never
  const deps = { client, revisions }
  await reconcileOnce(revision, { kind: revisionDefinition, stored: [scaled], deps })
  const after = await client.get<Deployment>('Deployment.apps', 'shop', 'hello-00001-deployment')
  assert.equal(after?.metadata.annotations?.['mine'], 'changed')
  assert.equal(after?.spec.replicas, 5)
})
