import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import type { Deployment } from '../../apps/deployment/schema.ts'
import type { PodAutoscaler } from '../../autoscaling/pod-autoscaler/schema.ts'
import { aDeployment, aRevision, aScaler, active, available, condition, find, resolved, run } from './test-objects.ts'

test('a new Revision opens its door, and gets a Deployment of its initial scale and a PodAutoscaler', async () => {
  const labels = { 'serving.knative.dev/service': 'hello', 'serving.knative.dev/routingState': 'active' }
  const annotations = {
    'autoscaling.knative.dev/initial-scale': '3',
    'serving.knative.dev/routes': 'hello',
    mine: 'yes',
  }
  const spec = { containerConcurrency: 5, timeoutSeconds: 20, responseStartTimeoutSeconds: 7, idleTimeoutSeconds: 0 }
  const outcome = await run(aRevision(spec, { labels, annotations }))
  assert.deepEqual(outcome.workers.get('door'), {
    namespace: 'shop',
    name: 'hello-00001',
    uid: 'uid-of-hello',
    selector: { 'serving.knative.dev/revisionUID': 'uid-of-hello' },
    service: 'hello',
    containerPort: 8080,
    protocol: 'http1',
    containerConcurrency: 5,
    timeouts: { totalMs: 20_000, responseStartMs: 7_000 },
  })
  const deployment = await find<Deployment>(outcome, 'Deployment')
  assert.equal(deployment.metadata.name, 'hello-00001-deployment')
  assert.equal(deployment.spec.replicas, 3)
  const scaler = await find<PodAutoscaler>(outcome, 'PodAutoscaler')
  assert.equal(scaler.metadata.name, 'hello-00001')
  assert.deepEqual(scaler.spec, {
    containerConcurrency: 5,
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'hello-00001-deployment' },
    protocolType: 'http1',
    reachability: 'Reachable',
  })
  const { 'knode.dev/applied': _, ...scalerAnnotations } = scaler.metadata.annotations ?? {}
  assert.deepEqual(scalerAnnotations, {
    mine: 'yes',
    'autoscaling.knative.dev/initial-scale': '3',
    'autoscaling.knative.dev/class': 'kpa.autoscaling.knative.dev',
  })
  for (const type of ['ResourcesAvailable', 'ContainerHealthy', 'Active']) {
    assert.deepEqual(outcome.condition(type), { status: 'Unknown', reason: 'Deploying' }, type)
  }
})

test('a Revision whose instances are there is Ready, and tells so once', async () => {
  const object = aRevision()
  const stored = [aDeployment(object), aScaler(object, { actualScale: 1, desiredScale: 2 })]
  const outcome = await run(object, stored)
  assert.equal(outcome.condition('Ready')?.status, 'True')
  assert.equal(outcome.condition('Active')?.status, 'True')
  assert.partialDeepStrictEqual(outcome.status, { actualReplicas: 1, desiredReplicas: 2 })
  assert.deepEqual(outcome.events, [
    { type: 'Normal', reason: 'RevisionReady', message: 'Revision becomes ready upon all resources being ready' },
  ])
  assert.equal(outcome.trouble, null)
  const again = await run({ ...object, status: outcome.status }, stored)
  assert.deepEqual(again.events, [])
})

test('a Revision at zero stays Ready, and only says that it gets no traffic', async () => {
  const object = aRevision()
  const idle = condition('Ready', 'False', 'NoTraffic', 'The target is not receiving traffic.')
  const scaler = aScaler(object, { actualScale: 0, desiredScale: 0, conditions: [idle, active[1]!] })
  const outcome = await run(object, [aDeployment(object, { conditions: available }, 0), scaler])
  assert.equal(outcome.condition('Ready')?.status, 'True')
  assert.deepEqual(outcome.condition('Active'), {
    status: 'False',
    reason: 'NoTraffic',
    message: 'The target is not receiving traffic.',
  })
  const stored = outcome.status.conditions?.find(({ type }) => type === 'Active')
  assert.equal(stored?.severity, 'Info')
  assert.partialDeepStrictEqual(outcome.status, { actualReplicas: 0, desiredReplicas: 0 })
})

test('requests that wait at the activator are said to be buffered', async () => {
  const object = aRevision()
  const text = 'Requests to the target are being buffered as resources are provisioned.'
  const queued = condition('Ready', 'Unknown', 'Queued', text)
  const scaler = aScaler(object, { conditions: [queued, active[1]!], desiredScale: -1 })
  const outcome = await run(object, [aDeployment(object, { conditions: available }), scaler])
  assert.deepEqual(outcome.condition('Active'), { status: 'Unknown', reason: 'Queued', message: text })
  assert.equal(outcome.status.desiredReplicas, undefined)
})

test('a child that somebody else made is left alone, and said to be not owned', async () => {
  const object = aRevision()
  const foreign = (child: Resource): Resource => ({ ...child, metadata: { ...child.metadata, ownerReferences: [] } })
  const first = await run(object, [foreign(aDeployment(object))])
  assert.deepEqual(first.condition('ResourcesAvailable'), {
    status: 'False',
    reason: 'NotOwned',
    message: 'There is an existing Deployment "hello-00001-deployment" that we do not own.',
  })
  assert.match((first.thrown as Error).message, /^revision: "hello-00001" does not own Deployment/)
  const second = await run(object, [aDeployment(object), foreign(aScaler(object))])
  assert.equal(
    second.condition('ResourcesAvailable')?.message,
    'There is an existing PodAutoscaler "hello-00001" that we do not own.',
  )
})

test('annotations of the autoscaler that are edited on a Revision reach its PodAutoscaler at once', async () => {
  const min = 'autoscaling.knative.dev/min-scale'
  const first = aRevision({}, { annotations: { [min]: '1' } })
  const before = await run(first, [aDeployment(first)])
  const { resourceVersion: _, ...metadata } = (await find<PodAutoscaler>(before, 'PodAutoscaler')).metadata
  const stored = [aDeployment(first), { ...aScaler(first), metadata }]
  const raised = await run(aRevision({}, { annotations: { [min]: '2' } }), stored)
  assert.equal((await find<PodAutoscaler>(raised, 'PodAutoscaler')).metadata.annotations?.[min], '2')
  const dropped = await run(aRevision(), stored)
  assert.equal((await find<PodAutoscaler>(dropped, 'PodAutoscaler')).metadata.annotations?.[min], undefined)
  assert.equal((await find<Deployment>(dropped, 'Deployment')).metadata.generation, 1)
})

test('where the logs are comes from config-observability', async () => {
  const configMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'config-observability', namespace: 'knative-serving' },
    data: { 'logging.revision-url-template': 'http://logs.example/?revisionUID=${REVISION_UID}' },
  }
  assert.equal((await run(aRevision(), [configMap])).status.logUrl, 'http://logs.example/?revisionUID=uid-of-hello')
  assert.equal((await run(aRevision({}, {}, { ...resolved, logUrl: 'old' }))).status.logUrl, undefined)
})

test('the door logs requests as config-observability says', async () => {
  const metadata = { name: 'config-observability', namespace: 'knative-serving' }
  const labels = { 'serving.knative.dev/service': 'hello', 'serving.knative.dev/configuration': 'hello' }
  const told = async (data: Record<string, string>): Promise<unknown> => {
    const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data }
    return (await run(aRevision({}, { labels }), [configMap])).requestLog
  }
  assert.equal(
    await told({ 'logging.request-log-template': 'x', 'logging.enable-probe-request-log': 'true' }),
    undefined,
  )
  const on = { 'logging.enable-request-log': 'true' }
  const names = { service: 'hello', configuration: 'hello' }
  assert.deepEqual(await told({ ...on, 'logging.request-log-template': 'x' }), {
    template: 'x',
    withProbes: false,
    ...names,
  })
  const shipped = (await told({ ...on, 'logging.enable-probe-request-log': 'true' })) as { template: string }
  assert.match(shipped.template, /^\{"httpRequest": \{"requestMethod": "\{\{\.Request\.Method\}\}", /)
  assert.deepEqual({ ...shipped, template: '' }, { template: '', withProbes: true, ...names })
})

test('a function that may be asked at zero has a process warmed up for it', async () => {
  const warmed: (string | undefined)[] = []
  const runtime = { prewarm: (spec: { functionFile?: string }) => void warmed.push(spec.functionFile) } as never
  await run(aRevision({}, { annotations: { 'knode.dev/function': 'greet.ts' } }), [], { deps: { runtime } })
  assert.deepEqual(warmed, ['greet.ts'])
})
