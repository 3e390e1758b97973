import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock, settle } from '../../../base/fake-clock.ts'
import { reconcileOnce } from '../../../engine/control-loop/reconcile-once.ts'
import { createPodTable } from '../../../engine/pod-table.ts'
import { fieldErrorText } from '../../../model/kubernetes/field-error.ts'
import type { ContainerState, ContainerStatus, Pod, PodStatus } from '../../../model/kubernetes/pod/pod.ts'
import type { PodSpec } from '../../../model/kubernetes/pod/pod-spec-schema.ts'
import type { Volume } from '../../../model/kubernetes/pod/volume-schema.ts'
import { createFakeRuntime } from '../../../ports/workload-runtime/fake/fake-runtime.ts'
import { podColumns } from './columns.ts'
import { setDefaults } from './defaults.ts'
import { pod } from './kind.ts'
import { validatePod } from './validate.ts'

const container = { name: 'app', image: 'shop/app:1' }

function aPod(spec: PodSpec = {}, metadata: Partial<Pod['metadata']> = {}, status?: PodStatus): Pod {
  const made: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop', uid: 'uid', ...metadata },
    spec: { containers: [structuredClone(container)], ...spec },
  }
  setDefaults(made, { operation: 'create' })
  return status === undefined ? made : { ...made, status }
}

const complaints = (spec: PodSpec, old?: Pod): string =>
  fieldErrorText(validatePod(aPod(spec), { ...(old && { old }) } as never))

test('what is left out is as Kubernetes has it', () => {
  const { spec, status } = aPod({
    containers: [
      {
        ...container,
        ports: [{ containerPort: 80 }],
        resources: { limits: { cpu: '1' } },
        livenessProbe: { httpGet: { port: 80 } },
      },
    ],
    volumes: [{ name: 'a', configMap: { name: 'c' } }, { name: 'b' }],
  })
  assert.deepEqual(
    [spec.restartPolicy, spec.dnsPolicy, spec.terminationGracePeriodSeconds, spec.serviceAccountName, spec.nodeName],
    ['Always', 'ClusterFirst', 30, 'default', 'knode'],
  )
  const [made] = spec.containers!
  assert.equal(made!.imagePullPolicy, 'IfNotPresent')
  assert.deepEqual(made!.ports, [{ containerPort: 80, protocol: 'TCP' }])
  assert.deepEqual(made!.resources, { limits: { cpu: '1' }, requests: { cpu: '1' } })
  assert.deepEqual(made!.livenessProbe, {
    httpGet: { port: 80, path: '/', scheme: 'HTTP' },
    periodSeconds: 10,
    timeoutSeconds: 1,
    successThreshold: 1,
    failureThreshold: 3,
  })
  assert.deepEqual(spec.volumes, [
    { name: 'a', configMap: { name: 'c', defaultMode: 0o644 } },
    { name: 'b', emptyDir: {} },
  ])
  assert.deepEqual(status, { phase: 'Pending', qosClass: 'Burstable' })
})

test('Pods of Revisions keep probes without a period: those are the quick ones', () => {
  const readinessProbe = { tcpSocket: { port: 0 } }
  const { spec } = aPod(
    { containers: [{ ...container, readinessProbe }] },
    { labels: { 'serving.knative.dev/revision': 'r' } },
  )
  assert.deepEqual(spec.containers![0]!.readinessProbe, { ...readinessProbe, successThreshold: 1 })
})

test('the class of service follows from the resources', () => {
  const limits = { cpu: '1', memory: '1Gi' }
  const classOf = (resources: object): string | undefined =>
    aPod({ containers: [{ ...container, resources }] }).status?.qosClass
  assert.deepEqual(
    [
      classOf({}),
      classOf({ limits }),
      classOf({ requests: { cpu: '1' } }),
      classOf({ limits, requests: { cpu: '100m' } }),
    ],
    ['BestEffort', 'Guaranteed', 'Burstable', 'Burstable'],
  )
})

test('mistakes are told with their place', () => {
  const rows: [PodSpec, RegExp][] = [
    [{ containers: [] }, /missing field\(s\): spec\.containers/],
    [{ containers: [{ name: 'a' }] }, /missing field\(s\): spec\.containers\[0\]\.image/],
    [{ containers: [container, { ...container }] }, /Duplicate value: "app": spec\.containers\[1\]\.name/],
    [{ initContainers: [{ ...container }] }, /Duplicate value: "app": spec\.containers\[0\]\.name/],
    [{ containers: [{ ...container, name: 'A b' }] }, /invalid value: A b: spec\.containers\[0\]\.name/],
    [
      { containers: [{ ...container, ports: [{ containerPort: 70_000 }] }] },
      /Invalid value: 70000: must be between 1 and 65535, inclusive: spec\.containers\[0\]\.ports\[0\]\.containerPort/,
    ],
    [
      { containers: [{ ...container, volumeMounts: [{ name: 'v', mountPath: '/v' }] }] },
      /Not found: "v": spec\.containers\[0\]\.volumeMounts\[0\]\.name/,
    ],
    [
      { containers: [{ ...container, livenessProbe: { exec: {}, tcpSocket: { port: 1 } } }] },
      /may not specify more than 1 handler type: spec\.containers\[0\]\.livenessProbe/,
    ],
    [
      { containers: [{ ...container, livenessProbe: { exec: {}, successThreshold: 2 } }] },
      /Invalid value: 2: must be 1: spec\.containers\[0\]\.livenessProbe\.successThreshold/,
    ],
    [
      { volumes: [{ name: 'v', emptyDir: {}, configMap: { name: 'c' } }] },
      /may not specify more than 1 volume type: spec\.volumes\[0\]\.configMap/,
    ],
    [{ terminationGracePeriodSeconds: -1 }, /Invalid value: -1: .*: spec\.terminationGracePeriodSeconds/],
  ]
  for (const [spec, message] of rows) assert.match(complaints(spec), message)
  assert.equal(complaints({}), '')
})

test('a file of a volume has a path inside of it, whatever it comes from', () => {
  const itemsOf = (path: string) => [{ key: 'k', path }]
  const sourcesOf = (path: string): Volume[] => [
    { configMap: { name: 'c', items: itemsOf(path) } },
    { secret: { secretName: 's', items: itemsOf(path) } },
    { downwardAPI: { items: [{ path, fieldRef: { fieldPath: 'metadata.name' } }] } },
    { projected: { sources: [{ configMap: { name: 'c', items: itemsOf(path) } }] } },
    { projected: { sources: [{ secret: { name: 's', items: itemsOf(path) } }] } },
    { projected: { sources: [{ downwardAPI: { items: [{ path }] } }] } },
    { projected: { sources: [{ serviceAccountToken: { path } }] } },
  ]
  for (const path of ['../../out', '/etc/out', 'a/../../out', '..data']) {
    for (const source of sourcesOf(path)) {
      const complaint = complaints({ volumes: [{ name: 'v', ...source }] })
      assert.match(complaint, /invalid value: .*spec\.volumes\[0\]/, `${path} of ${JSON.stringify(source)}`)
    }
  }
  for (const source of sourcesOf('a/b..c')) assert.equal(complaints({ volumes: [{ name: 'v', ...source }] }), '')
})

test('of a Pod that is there only little may change', () => {
  const old = aPod()
  assert.equal(
    complaints({ containers: [{ ...container, image: 'shop/app:2' }] }, aPod({ containers: [container] })),
    '',
  )
  assert.equal(complaints({ activeDeadlineSeconds: 5 }, old), '')
  assert.match(complaints({ restartPolicy: 'Never' }, old), /pod updates may not change fields other than/)
})

const statusOf = (name: string, state: ContainerState, more: Partial<ContainerStatus> = {}): ContainerStatus => ({
  name,
  state,
  lastState: {},
  ready: false,
  restartCount: 0,
  image: '',
  imageID: '',
  ...more,
})
const running: ContainerState = { running: {} }
const ended = (exitCode: number, reason = ''): ContainerState => ({ terminated: { exitCode, reason } })

test('a table shows the word that tells most about a Pod', () => {
  const nowMs = Date.UTC(2026, 0, 1)
  const [ready, status, restarts] = podColumns.map(
    (column) => (object: Pod, nowMs: number) => column.print?.(object, nowMs),
  )
  const rows: [Partial<PodStatus>, string, string?][] = [
    [{ phase: 'Pending' }, 'Pending', '0/1'],
    [{ phase: 'Running', containerStatuses: [statusOf('app', running, { ready: true })] }, 'Running', '1/1'],
    [{ containerStatuses: [statusOf('app', { waiting: { reason: 'CrashLoopBackOff' } })] }, 'CrashLoopBackOff'],
    [{ containerStatuses: [statusOf('app', ended(0, 'Completed'))] }, 'Completed'],
    [{ containerStatuses: [statusOf('app', ended(3))] }, 'ExitCode:3'],
    [{ initContainerStatuses: [statusOf('i', running)] }, 'Init:0/1'],
    [{ initContainerStatuses: [statusOf('i', ended(1, 'Error'))] }, 'Init:Error'],
    [{ initContainerStatuses: [statusOf('i', { waiting: { reason: 'ErrImagePull' } })] }, 'Init:ErrImagePull'],
    [{ phase: 'Failed', reason: 'DeadlineExceeded' }, 'DeadlineExceeded'],
  ]
  for (const [given, word, count] of rows) {
    const init = given.initContainerStatuses === undefined ? {} : { initContainers: [{ name: 'i', image: 'i' }] }
    const object = aPod(init, {}, given)
    assert.equal(status!(object, nowMs), word)
    if (count !== undefined) assert.equal(ready!(object, nowMs), count)
  }
  assert.equal(status!(aPod({}, { deletionTimestamp: '2026-01-01T00:00:00Z' }), nowMs), 'Terminating')
  const crashed = statusOf('app', running, {
    restartCount: 3,
    lastState: { terminated: { exitCode: 1, finishedAt: '2025-12-31T23:59:00Z' } },
  })
  assert.equal(restarts!(aPod({}, {}, { containerStatuses: [crashed] }), nowMs), '3 (60s ago)')
})

test('a Pod is started once, and ends only when its requests are done and its containers gone', async () => {
  const clock = new FakeClock()
  const runtime = createFakeRuntime({ clock })
  const pods = createPodTable({ clock })
  const reconciler = pod.reconciler!({
    runtime,
    pods,
    clock,
    random: { uuid: () => 'u', next: () => 0 },
    podDirectory: '/nonexistent/knode',
    caches: { get: () => undefined, list: () => [] },
    log: { child: () => ({ info: () => undefined, warn: () => undefined }) },
  } as never)
  const workers = new Map<string, AsyncDisposable>()
  const context = {
    get: () => undefined,
    event: () => undefined,
    requeueAfter: () => undefined,
    requeue: () => undefined,
    workers: {
      ensure: async (name: string, _: unknown, start: () => Promise<AsyncDisposable>) =>
        void (workers.has(name) || workers.set(name, await start())),
    },
  } as never
  const object = aPod({}, { labels: { app: 'a' } })
  await reconciler.reconcile(object, context)
  while (pods.select('shop', { app: 'a' }).length === 0) await settle(1)
  await reconciler.reconcile(object, context)
  assert.equal(runtime.started.length, 1)
  assert.equal(object.status?.phase, 'Running')
  const [endpoint] = pods.select('shop', { app: 'a' })
  endpoint!.acquire()
  const leaving: Pod = { ...object, metadata: { ...object.metadata, deletionGracePeriodSeconds: 30 } }
  assert.equal(await reconciler.finalize!(leaving, context), 'later')
  await clock.advance(1_000)
  assert.equal(await reconciler.finalize!(leaving, context), 'later')
  endpoint!.release()
  while (runtime.running.length > 0) await settle(1)
  let done: void | 'later' = 'later'
  while (done === 'later') {
    await settle(1)
    done = await reconciler.finalize!(leaving, context)
  }
  for (const worker of workers.values()) await worker[Symbol.asyncDispose]()
})

test('a Pod that is over is not run again, and one that never ran here may go', async () => {
  const run = await reconcileOnce(aPod({}, {}, { phase: 'Succeeded' }), { kind: pod })
  assert.deepEqual([run.thrown, run.workers.size, run.status.phase], [undefined, 0, 'Succeeded'])
  const finalized = await reconcileOnce(aPod(), { kind: pod, finalize: true })
  assert.equal(finalized.thrown, undefined)
})
