import assert from 'node:assert/strict'
import test from 'node:test'
import type { Autoscaler, ScaleState, ScalerOptions, ScalerRules } from '../../../engine/autoscaler.ts'
import { reconcileOnce } from '../../../engine/control-loop/reconcile-once.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import type { ServerlessService } from '../../networking/serverless-service/schema.ts'
import type { Metric } from '../metric/schema.ts'
import { podAutoscaler } from './kind.ts'
import type { PodAutoscaler } from './schema.ts'

const uid = 'uid-of-podautoscaler-hello-00001'

const aPodAutoscaler = (
  changes: Partial<PodAutoscaler['spec']> = {},
  more: Partial<PodAutoscaler> = {},
): PodAutoscaler => ({
  apiVersion: 'autoscaling.internal.knative.dev/v1alpha1',
  kind: 'PodAutoscaler',
  metadata: {
    name: 'hello-00001',
    namespace: 'shop',
    labels: { 'serving.knative.dev/service': 'hello', 'serving.knative.dev/configuration': 'hello' },
    annotations: {},
  },
  spec: {
    protocolType: 'http1',
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'hello-00001-deployment' },
    reachability: 'Reachable',
    ...changes,
  },
  ...more,
})

const deployment: Resource = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'hello-00001-deployment', namespace: 'shop' },
  spec: {
    replicas: 1,
    selector: { matchLabels: { 'serving.knative.dev/revisionUID': 'uid-1' } },
    template: { spec: { containers: [{ resources: { requests: { cpu: '250m' } } }, {}] } },
  },
}

const aServerlessService = (changes: Partial<ServerlessService> = {}): ServerlessService => ({
  apiVersion: 'networking.internal.knative.dev/v1alpha1',
  kind: 'ServerlessService',
  metadata: {
    name: 'hello-00001',
    namespace: 'shop',
    ownerReferences: [{ apiVersion: 'x', kind: 'PodAutoscaler', name: 'hello-00001', uid, controller: true }],
  },
  spec: { protocolType: 'http1', objectRef: aPodAutoscaler().spec.scaleTargetRef, mode: 'Proxy', numActivators: 3 },
  status: {
    serviceName: 'hello-00001',
    privateServiceName: 'hello-00001-private',
    observedGeneration: 1,
    conditions: [{ type: 'Ready', status: 'True' }],
  },
  ...changes,
})

const started: ScaleState = {
  want: 1,
  ready: 1,
  activity: 'active',
  reason: '',
  message: '',
  isInitialized: true,
  mode: 'Proxy',
  activators: 3,
  words: 'because',
}

async function reconciled(
  state: Partial<ScaleState> = {},
  {
    scaler = aPodAutoscaler(),
    stored = [deployment, aServerlessService()],
  }: { scaler?: PodAutoscaler; stored?: Resource[] } = {},
) {
  const opened: ScalerOptions[] = []
  const configured: ScalerRules[] = []
  const autoscaler: Autoscaler = {
    open(options) {
      opened.push(options)
      return {
        state: { ...started, ...state },
        configure: (rules) => void configured.push(rules),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      }
    },
    snapshot: () => undefined,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
  const run = await reconcileOnce(scaler, { kind: podAutoscaler, stored, deps: { autoscaler }, startWorkers: true })
  const applied = <Kind extends Resource>(kind: string): Kind | undefined =>
    run.applied.find((each): each is Kind => each.kind === kind)
  return { run, opened, configured, applied }
}

test('a scaler is opened for the Deployment, with the rules of annotations, ConfigMap and spec', async () => {
  const config = (name: string, data: Record<string, string>): Resource =>
    ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'knative-serving' }, data }) as Resource
  const scaler = aPodAutoscaler({ containerConcurrency: 10, reachability: 'Unreachable' })
  scaler.metadata.annotations = { 'autoscaling.knative.dev/max-scale': '4', 'autoscaling.knative.dev/min-scale': '2' }
  const stored = [
    deployment,
    config('config-autoscaler', { 'stable-window': '30s' }),
    config('config-deployment', { 'progress-deadline': '1m' }),
  ]
  const { opened, configured } = await reconciled({}, { scaler, stored })
  const { target, rules, before } = opened[0]!
  assert.deepEqual(target, { kind: 'Deployment.apps', name: 'hello-00001-deployment' })
  assert.equal(before, undefined)
  assert.deepEqual(
    [rules.selector, rules.service, rules.configuration, rules.cpuRequestMillis],
    [{ 'serving.knative.dev/revisionUID': 'uid-1' }, 'hello', 'hello', undefined],
  )
  const { total, maxScale, minScale, stableWindowMs, isReachable, activationTimeoutMs } = rules.settings
  assert.deepEqual(
    [total, maxScale, minScale, stableWindowMs, isReachable, activationTimeoutMs],
    [10, 4, 0, 30_000, false, 90_000],
  )
  assert.deepEqual(configured, [rules])
})

test('the status shows both scales, the Services, and why', async () => {
  const { run } = await reconciled({ want: 4, ready: 2, words: 'a surge' })
  const { desiredScale, actualScale, serviceName, metricsServiceName, annotations } = run.status
  assert.deepEqual(
    [desiredScale, actualScale, serviceName, metricsServiceName],
    [4, 2, 'hello-00001', 'hello-00001-private'],
  )
  assert.deepEqual(annotations, { 'knode.dev/scale': 'a surge' })
  assert.equal(run.condition('Ready')?.status, 'True')
})

test('what is not known yet does not hide what was known before a restart', async () => {
  assert.equal((await reconciled({ want: -1 })).run.status.desiredScale, -1)
  const scaler = aPodAutoscaler({}, { status: { desiredScale: 3 } })
  assert.equal((await reconciled({ want: -1 }, { scaler })).run.status.desiredScale, 3)
})

test('a scaler begins with what was stored before', async () => {
  const conditions = [
    { type: 'Active', status: 'False' as const },
    { type: 'ScaleTargetInitialized', status: 'True' as const },
  ]
  const { opened } = await reconciled({}, { scaler: aPodAutoscaler({}, { status: { conditions } }) })
  assert.deepEqual(opened[0]!.before, { activity: 'inactive', isInitialized: true })
})

test('activity becomes condition Active, and with it Ready', async () => {
  const queued = { activity: 'activating', reason: 'Queued', message: 'wait', isInitialized: false } as const
  const starting = await reconciled({ ...queued, ready: 0 })
  assert.deepEqual(starting.run.condition('Active'), { status: 'Unknown', reason: 'Queued', message: 'wait' })
  assert.equal(starting.run.condition('ScaleTargetInitialized')?.status, 'Unknown')
  const gone = await reconciled({ activity: 'inactive', reason: 'NoTraffic', message: 'none', want: 0 })
  assert.deepEqual(gone.run.condition('Ready'), { status: 'False', reason: 'NoTraffic', message: 'none' })
  assert.equal(gone.run.condition('ScaleTargetInitialized')?.status, 'True')
})

test('its ServerlessService has the mode and the activators, its Metric the windows in nanoseconds', async () => {
  const scaler = aPodAutoscaler({ protocolType: 'h2c' })
  scaler.metadata.annotations = { 'autoscaling.knative.dev/metric': 'rps', 'autoscaling.knative.dev/window': '20s' }
  const { applied } = await reconciled({ mode: 'Serve', activators: 5 }, { scaler })
  const network = applied<ServerlessService>('ServerlessService')!
  assert.deepEqual(network.spec, {
    mode: 'Serve',
    numActivators: 5,
    protocolType: 'h2c',
    objectRef: scaler.spec.scaleTargetRef,
  })
  assert.equal(network.metadata.annotations?.['autoscaling.knative.dev/metric'], undefined)
  assert.equal(network.metadata.labels?.['serving.knative.dev/service'], 'hello')
  assert.equal(network.metadata.ownerReferences?.[0]?.controller, true)
  assert.deepEqual(applied<Metric>('Metric')?.spec, {
    stableWindow: 20_000_000_000,
    panicWindow: 2_000_000_000,
    scrapeTarget: 'hello-00001-private',
  })
})

test('with the activator always in the path nobody else is asked', async () => {
  const scaler = aPodAutoscaler()
  scaler.metadata.annotations = { 'autoscaling.knative.dev/target-burst-capacity': '-1' }
  const { applied } = await reconciled({}, { scaler })
  assert.equal(applied<Metric>('Metric')?.spec.scrapeTarget, '')
})

test('until the Services are there it says so, and makes no Metric', async () => {
  const { run, applied } = await reconciled({}, { stored: [deployment] })
  const text = { status: 'Unknown', reason: 'NotReady', message: 'No Private Service Name' }
  assert.deepEqual(run.condition('SKSReady'), text)
  assert.equal(applied('Metric'), undefined)
})

test('a ServerlessService that is not Ready, or of an older spec, holds it up with its message', async () => {
  const conditions = [{ type: 'Ready', status: 'Unknown' as const, message: 'K8s Service is not ready' }]
  const notReady = aServerlessService({ status: { privateServiceName: 'p', serviceName: 's', conditions } })
  const { run } = await reconciled({}, { stored: [deployment, notReady] })
  assert.deepEqual(run.condition('SKSReady'), {
    status: 'Unknown',
    reason: 'NotReady',
    message: 'K8s Service is not ready',
  })
  const older = aServerlessService()
  older.status!.observedGeneration = 0
  assert.equal((await reconciled({}, { stored: [deployment, older] })).run.condition('SKSReady')?.status, 'Unknown')
})

test('a ServerlessService of somebody else is not taken', async () => {
  const foreign = aServerlessService()
  delete foreign.metadata.ownerReferences
  const { run } = await reconciled({}, { stored: [deployment, foreign] })
  assert.match(String(run.thrown), /PA: hello-00001 does not own ServerlessService: hello-00001/)
  assert.deepEqual(run.condition('Active'), {
    status: 'False',
    reason: 'NotOwned',
    message: 'There is an existing ServerlessService "hello-00001" that we do not own.',
  })
})

test('without its Deployment nothing is scaled', async () => {
  const { run, opened } = await reconciled({}, { stored: [] })
  assert.equal(opened.length, 0)
  assert.equal(run.condition('Active')?.reason, 'NoScaleTarget')
})

test('class hpa assigns all activators, measures by what is asked for, and has no Metric', async () => {
  const scaler = aPodAutoscaler()
  scaler.metadata.annotations = { 'autoscaling.knative.dev/class': 'hpa.autoscaling.knative.dev' }
  const network = aServerlessService()
  delete network.spec.numActivators
  const stored = [deployment, network]
  const { opened, applied } = await reconciled({ mode: 'Serve', activators: 0 }, { scaler, stored })
  assert.deepEqual([opened[0]!.rules.settings.class, opened[0]!.rules.cpuRequestMillis], ['hpa', 250])
  assert.equal('numActivators' in applied<ServerlessService>('ServerlessService')!.spec, false)
  assert.equal(applied('Metric'), undefined)
})

test('classes of others are left alone', () => {
  const reconciler = podAutoscaler.reconciler!({} as never)
  const isOurs = (name?: string): boolean => {
    const scaler = aPodAutoscaler()
    if (name !== undefined) scaler.metadata.annotations = { 'autoscaling.knative.dev/class': name }
    return reconciler.isOurs!(scaler)
  }
  const ours = [undefined, 'kpa.autoscaling.knative.dev', 'hpa.autoscaling.knative.dev', 'xpa.autoscaling.knative.dev']
  assert.deepEqual(ours.map(isOurs), [true, true, true, true])
  assert.equal(isOurs('keda.example.com'), false)
})
