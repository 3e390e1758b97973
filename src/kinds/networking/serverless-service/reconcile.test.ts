import assert from 'node:assert/strict'
import test from 'node:test'
import { FakeClock } from '../../../base/fake-clock.ts'
import { reconcileOnce } from '../../../engine/control-loop/reconcile-once.ts'
import { createPodTable } from '../../../engine/pod-table.ts'
import { fieldErrorText } from '../../../model/kubernetes/field-error.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import type { Service } from '../../core/service/schema.ts'
import { serverlessService } from './kind.ts'
import type { ServerlessService, ServerlessServiceSpec } from './schema.ts'
import { validateServerlessService } from './validate.ts'

const selector = { 'serving.knative.dev/revisionUID': 'uid-1' }

const aServerlessService = (spec: Partial<ServerlessServiceSpec> = {}): ServerlessService => ({
  apiVersion: 'networking.internal.knative.dev/v1alpha1',
  kind: 'ServerlessService',
  metadata: { name: 'hello-00001', namespace: 'shop', labels: { app: 'hello' }, annotations: { note: 'kept' } },
  spec: {
    mode: 'Proxy',
    protocolType: 'http1',
    objectRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'hello-00001-deployment' },
    numActivators: 2,
    ...spec,
  },
})

const deployment: Resource = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'hello-00001-deployment', namespace: 'shop' },
  spec: { selector: { matchLabels: selector } },
}

async function reconciled(owner = aServerlessService(), { ready = 0, stored = [deployment] } = {}) {
  const pods = createPodTable({ clock: new FakeClock() })
  for (let index = 0; index < 2; index++) {
    const presence = { namespace: 'shop', name: `p${index}`, uid: `p${index}`, labels: selector, host: '127.0.0.1' }
    pods.register({ ...presence, ports: new Map(), portNames: new Map(), isReady: index < ready })
  }
  const run = await reconcileOnce(owner, { kind: serverlessService, stored, deps: { pods }, startWorkers: true })
  return { run, services: run.applied as Service[] }
}

const portsOf = ({ spec }: Service): unknown =>
  spec.ports?.map(({ name, port, targetPort, appProtocol }) => [
    name,
    port,
    targetPort,
    ...(appProtocol === undefined ? [] : [appProtocol]),
  ])

test('a private Service selects the Pods, a public one stands for whoever serves', async () => {
  const { run, services } = await reconciled()
  const [inner, outer] = services
  assert.deepEqual(portsOf(inner!), [
    ['http', 80, 8012],
    ['https', 443, 8112],
    ['http-autometric', 9090, 'http-autometric'],
    ['http-usermetric', 9091, 'http-usermetric'],
    ['http-istio', 8012, 8012],
  ])
  assert.deepEqual(inner!.spec.selector, selector)
  assert.deepEqual(portsOf(outer!), [
    ['http', 80, 8012],
    ['https', 443, 8112],
  ])
  assert.equal(outer!.spec.selector, undefined)
  assert.deepEqual([run.status.serviceName, run.status.privateServiceName], ['hello-00001', 'hello-00001-private'])
  const { labels } = outer!.metadata
  assert.equal(labels?.['networking.internal.knative.dev/serverlessservice'], 'hello-00001')
  assert.equal(labels?.['networking.internal.knative.dev/serviceType'], 'Public')
  assert.deepEqual([labels?.['app'], outer!.metadata.annotations?.['note']], ['hello', 'kept'])
})

test('h2c has ports of its own', async () => {
  const { services } = await reconciled(aServerlessService({ protocolType: 'h2c' }))
  assert.deepEqual((portsOf(services[0]!) as unknown[])[0], ['http2', 80, 8013, 'kubernetes.io/h2c'])
  assert.deepEqual((portsOf(services[1]!) as unknown[])[0], ['http2', 81, 8013, 'kubernetes.io/h2c'])
})

const backed = { reason: 'ActivatorEndpointsPopulated', message: 'Revision is backed by Activator' }

test('without a ready Pod it is not Ready, and the activator stands behind it whatever the mode', async () => {
  const { run } = await reconciled(aServerlessService({ mode: 'Serve' }))
  assert.deepEqual(run.condition('Ready'), {
    status: 'Unknown',
    reason: 'NoHealthyBackends',
    message: 'K8s Service is not ready',
  })
  assert.deepEqual(run.condition('ActivatorEndpointsPopulated'), { status: 'True', ...backed })
})

test('with a ready Pod it is Ready, and the mode says whether the activator stands before it', async () => {
  const proxied = await reconciled(aServerlessService(), { ready: 1 })
  assert.equal(proxied.run.condition('Ready')?.status, 'True')
  assert.deepEqual(proxied.run.condition('ActivatorEndpointsPopulated'), { status: 'True', ...backed })
  const served = await reconciled(aServerlessService({ mode: 'Serve' }), { ready: 1 })
  assert.deepEqual(served.run.condition('ActivatorEndpointsPopulated'), { status: 'False', ...backed })
})

test('a Service of somebody else is not taken', async () => {
  const foreign: Resource = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'hello-00001', namespace: 'shop' },
    spec: {},
  }
  const { run } = await reconciled(aServerlessService(), { stored: [deployment, foreign] })
  assert.match(String(run.thrown), /SKS: hello-00001 does not own Service: hello-00001/)
  assert.deepEqual(run.condition('EndpointsPopulated'), {
    status: 'False',
    reason: 'NotOwned',
    message: 'Resource hello-00001 of type Service is not owned by SKS',
  })
})

test('without its Deployment it waits', async () => {
  const { run, services } = await reconciled(aServerlessService(), { stored: [] })
  assert.equal(run.condition('EndpointsPopulated')?.reason, 'NoHealthyBackends')
  assert.equal(services.length, 0)
})

const refusals: [Partial<ServerlessServiceSpec> | undefined, string][] = [
  [{}, ''],
  [{ mode: undefined as never }, 'missing field(s): spec.mode'],
  [{ mode: 'Both' as never }, 'invalid value: Both: spec.mode'],
  [{ numActivators: -1 }, 'invalid value: -1: spec.numActivators'],
  [{ objectRef: {} }, 'missing field(s): spec.objectRef.apiVersion, spec.objectRef.kind, spec.objectRef.name'],
  [{ protocolType: '' as never }, 'missing field(s): spec.protocolType'],
]

test('what is wrong is named with its path', () => {
  for (const [spec, text] of refusals)
    assert.equal(fieldErrorText(validateServerlessService(aServerlessService(spec))), text)
  const empty = { ...aServerlessService(), spec: {} } as ServerlessService
  assert.equal(fieldErrorText(validateServerlessService(empty)), 'missing field(s): spec')
})
