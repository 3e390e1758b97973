import assert from 'node:assert/strict'
import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually } from '../../base/eventually.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { aPod } from '../../../test/harness/pod.ts'
import type { TestPod } from '../../../test/harness/pod.ts'

const sick = { isWell: false, message: 'sick' } as const
const well = { isWell: true } as const
const app = { name: 'app', image: 'app', ports: [{ name: 'http', containerPort: 8080 }] }
const settings: Resource & { data: Record<string, string> } = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'settings', namespace: 'default', uid: 'u', resourceVersion: '1' },
  data: { COLOR: 'blue' },
}

async function until(bed: TestPod, isSo: () => boolean): Promise<void> {
  await eventually(isSo, () => `${String(isSo)}; ${bed.summary.join(' ')}`, { turn: () => bed.pass() })
}

async function started(bed: TestPod): Promise<void> {
  bed.runner.start()
  await until(bed, () => bed.summary.slice(1).every((word) => word === 'ready'))
}

test('a Pod whose container is well is Running and Ready, and senders are told where it is reached', async () => {
  await using bed = await aPod()
  await started(bed)
  assert.deepEqual(bed.summary, ['Running', 'ready'])
  const { port } = bed.running['app']!
  const { endpoint } = bed
  assert.equal(endpoint?.isReady, true)
  assert.deepEqual([endpoint?.host, endpoint?.portOf(8080), endpoint?.namedPort('http')], ['127.0.0.1', port, 8080])
  const conditions = bed.status.conditions!.map(({ type, status }) => `${type} ${status}`)
  assert.deepEqual(conditions, ['Initialized True', 'Ready True', 'ContainersReady True', 'PodScheduled True'])
  assert.equal(bed.status.podIP, '127.0.0.1')
  assert.equal(bed.status.startTime, '2026-01-01T00:00:00Z')
})

test('senders hear of readiness no later than the status tells it', async () => {
  await using bed = await aPod({ spec: { containers: [{ ...app, readinessProbe: { httpGet: { port: 8080 } } }] } })
  bed.probes['app'] = sick
  const seen: string[] = []
  using _watch = bed.pods.watch('default', { app: 'web' }, () => {
    seen.push(`${bed.endpoint?.isReady} ${bed.status.conditions?.[1]?.status}`)
  })
  bed.runner.start()
  await until(bed, () => bed.summary[1] === 'running')
  assert.equal(bed.endpoint?.isReady, false)
  assert.match(bed.status.conditions?.[1]?.message ?? '', /containers with unready status: \[app\]/)
  bed.probes['app'] = well
  await bed.pass(10)
  assert.equal(bed.endpoint?.isReady, true)
  assert.equal(seen.at(-1), 'true True')
})

test('init containers run to their end one after the other, then the others start', async () => {
  const spec = {
    initContainers: [
      { name: 'first', image: 'first' },
      { name: 'second', image: 'second' },
    ],
    containers: [app],
  }
  await using bed = await aPod({ spec })
  bed.runner.start()
  await until(bed, () => bed.running['first'] !== undefined)
  assert.deepEqual(Object.keys(bed.running), ['first'])
  assert.deepEqual(bed.summary, ['Pending', 'running', 'ContainerCreating', 'PodInitializing'])
  bed.running['first']!.end({ code: 0 })
  await until(bed, () => bed.running['second'] !== undefined)
  bed.running['second']!.end({ code: 0 })
  await until(bed, () => bed.summary[3] === 'ready')
  assert.deepEqual(bed.summary, ['Running', 'Completed', 'Completed', 'ready'])
})

test('an init container that fails is tried again, and fails the Pod where nothing restarts', async () => {
  const spec = { initContainers: [{ name: 'first', image: 'first' }], containers: [app] }
  await using bed = await aPod({ spec, programs: { first: { exit: { code: 1 } } } })
  bed.runner.start()
  await until(bed, () => bed.summary[1] === 'CrashLoopBackOff')
  assert.equal(bed.summary[0], 'Pending')
  await using never = await aPod({
    spec: { ...spec, restartPolicy: 'Never' },
    programs: { first: { exit: { code: 1 } } },
  })
  never.runner.start()
  await until(never, () => never.summary[0] === 'Failed')
  assert.equal(never.runtime.started.length, 1)
})

test('an init container that restarts always is a sidecar: the others start beside it', async () => {
  const spec = { initContainers: [{ name: 'side', image: 'side', restartPolicy: 'Always' }], containers: [app] }
  await using bed = await aPod({ spec })
  bed.runner.start()
  await until(bed, () => bed.summary.at(-1) === 'ready')
  assert.deepEqual(Object.keys(bed.running).sort(), ['app', 'side'])
})

test('the container with a port starts first, the others share its network, and all have to be ready', async () => {
  const spec = { containers: [{ name: 'side', image: 'side', readinessProbe: { exec: { command: ['x'] } } }, app] }
  await using bed = await aPod({ spec })
  bed.probes['side'] = sick
  bed.runner.start()
  await until(bed, () => bed.running['side'] !== undefined)
  assert.equal(bed.runtime.started[0]?.spec.name, 'web_app_0')
  assert.equal(bed.running['side']?.spec.network?.of, bed.running['app'])
  assert.equal(bed.endpoint?.isReady, false)
  bed.probes['side'] = well
  await bed.pass(1_000)
  await until(bed, () => bed.endpoint?.isReady === true)
})

test('when the container whose network is shared is started again, so are those that share it', async () => {
  await using bed = await aPod({ spec: { containers: [app, { name: 'side', image: 'side' }] } })
  await started(bed)
  bed.running['app']!.end({ code: 1 })
  await until(bed, () => bed.summary[1] === 'CrashLoopBackOff')
  await bed.pass(1_000)
  await until(bed, () => bed.runtime.started.length === 4 && bed.summary.slice(1).every((word) => word === 'ready'))
  assert.equal(bed.running['side']?.spec.network?.of, bed.running['app'])
  assert.equal(bed.status.containerStatuses?.[1]?.restartCount, 1)
})

test('a container whose image is changed is replaced, whatever the Pod’s restart policy is', async () => {
  await using bed = await aPod({ spec: { restartPolicy: 'Never', containers: [app] } })
  await started(bed)
  const changed = { ...bed.pod, spec: { ...bed.pod.spec, containers: [{ ...app, image: 'app:2' }] } }
  await bed.runner.refresh(changed)
  await until(bed, () => bed.running['app']?.spec.image === 'app:2' && bed.summary[1] === 'ready')
  assert.equal(bed.runtime.started.length, 2)
  assert.equal(bed.status.containerStatuses?.[0]?.image, 'app:2')
})

test('a container that ends is started again after 1 s, 2 s, 4 s, up to a minute; its last words are kept', async () => {
  const program = { prints: ['boom'], exit: { code: 5 } }
  const container = { ...app, terminationMessagePolicy: 'FallbackToLogsOnError' }
  await using bed = await aPod({ spec: { containers: [container] }, programs: { app: program } })
  bed.runner.start()
  const waits: number[] = []
  for (let restart = 1; restart <= 8; restart++) {
    await until(bed, () => bed.summary[1] === 'CrashLoopBackOff')
    const waitMs = Number(/back-off (\d+)s/.exec(bed.status.containerStatuses![0]!.state.waiting!.message!)![1]) * 1_000
    waits.push(waitMs)
    await bed.pass(waitMs - 1)
    assert.equal(bed.runtime.started.length, restart)
    await bed.pass(1)
    await until(bed, () => bed.runtime.started.length === restart + 1)
  }
  assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000])
  const { lastState, restartCount } = bed.status.containerStatuses![0]!
  const { exitCode, reason, message } = lastState.terminated!
  assert.deepEqual([exitCode, reason, message, restartCount], [5, 'Error', 'boom', 8])
  assert.equal(bed.runtime.started.at(-1)?.spec.name, 'web_app_8')
  assert.equal(bed.summary[0], 'Running')
})

test('nobody sends to a container that has ended, not even while its last words are read', async () => {
  await using bed = await aPod()
  await started(bed)
  const { endpoint } = bed
  bed.running['app']!.end({ code: 1 })
  await Promise.resolve()
  assert.equal(endpoint?.isReady, false)
})

test('a container that ran for long starts anew with short waits', async () => {
  await using bed = await aPod()
  await started(bed)
  for (const expected of [1, 2]) {
    bed.running['app']!.end({ code: 1 })
    await until(bed, () => bed.summary[1] === 'CrashLoopBackOff')
    assert.match(bed.status.containerStatuses![0]!.state.waiting!.message!, new RegExp(`back-off ${expected}s`))
    await bed.pass(expected * 1_000)
    await until(bed, () => bed.summary[1] === 'ready')
  }
  await bed.pass(60_000)
  bed.running['app']!.end({ code: 1 })
  await until(bed, () => bed.summary[1] === 'CrashLoopBackOff')
  assert.match(bed.status.containerStatuses![0]!.state.waiting!.message!, /back-off 1s/)
})

test('a container that a signal ends, or that needs too much memory, says so', async () => {
  await using bed = await aPod()
  await started(bed)
  bed.running['app']!.end({ signal: 'SIGKILL', outOfMemory: true })
  await until(bed, () => bed.summary[1] === 'CrashLoopBackOff')
  const { exitCode, signal, reason } = bed.status.containerStatuses![0]!.lastState.terminated!
  assert.deepEqual([exitCode, signal, reason], [137, 9, 'OOMKilled'])
  assert.equal(bed.endpoint?.isReady, false)
})

test('what restartPolicy says is done: a Pod that may end has succeeded or failed, and takes no requests', async () => {
  const rows = [
    ['Never', 0, 'Succeeded'],
    ['Never', 3, 'Failed'],
    ['OnFailure', 0, 'Succeeded'],
    ['OnFailure', 3, 'Running'],
    ['Always', 0, 'Running'],
  ] as const
  for (const [restartPolicy, code, phase] of rows) {
    await using bed = await aPod({ spec: { restartPolicy, containers: [app] } })
    await started(bed)
    bed.running['app']!.end({ code })
    await until(bed, () => !['ready', 'running'].includes(bed.summary[1]!))
    assert.equal(bed.summary[0], phase, `${restartPolicy} ${code}`)
    assert.equal(bed.endpoint?.isReady ?? false, false)
  }
})

test('a sick container is stopped and started again at once, the Pod stays', async () => {
  const livenessProbe = { httpGet: { port: 8080 }, periodSeconds: 1, failureThreshold: 1 }
  await using bed = await aPod({ spec: { containers: [{ ...app, livenessProbe }] } })
  await started(bed)
  bed.probes['app'] = sick
  await bed.pass(1_000)
  bed.probes['app'] = well
  await until(bed, () => bed.runtime.started.length === 2)
  await bed.pass(50)
  await until(bed, () => bed.summary[1] === 'ready')
  assert.equal(bed.status.containerStatuses?.[0]?.restartCount, 1)
  assert.ok(bed.events.includes('Normal Killing Container app failed liveness probe, will be restarted'))
  assert.ok(bed.events.includes('Warning Unhealthy Liveness probe failed: sick'))
})

test('a missing ConfigMap is told, and the container starts as soon as it is there', async () => {
  const container = { ...app, envFrom: [{ configMapRef: { name: 'settings' } }] }
  await using bed = await aPod({ spec: { containers: [container] } })
  bed.runner.start()
  await until(bed, () => bed.summary[1] === 'CreateContainerConfigError')
  assert.equal(bed.status.containerStatuses?.[0]?.state.waiting?.message, 'configmap "settings" not found')
  assert.equal(bed.summary[0], 'Pending')
  for (let look = 0; look < 5; look++) {
    await bed.runner.refresh(bed.pod)
    await bed.pass()
  }
  assert.equal(bed.events.length, 1, 'as long as nothing changes, nothing is tried')
  bed.objects['ConfigMap settings'] = settings
  await bed.runner.refresh(bed.pod)
  await until(bed, () => bed.summary[1] === 'ready')
  assert.equal(bed.running['app']?.spec.env['COLOR'], 'blue')
})

test('an image that nothing runs is told, and asked for again with growing waits', async () => {
  await using bed = await aPod({ spec: { containers: [{ ...app, image: 'missing' }] } })
  bed.runner.start()
  await until(bed, () => bed.summary[1] === 'ErrImagePull')
  assert.equal(bed.status.containerStatuses?.[0]?.state.waiting?.message, 'no script for image missing')
  await bed.pass(1_000)
  await until(bed, () => bed.summary[1] === 'ImagePullBackOff')
  assert.equal(bed.events.filter((event) => event.startsWith('Warning Failed')).length, 1)
})

test('volumes are files before the container starts, follow their ConfigMap, and go with the Pod', async () => {
  const spec = {
    containers: [
      {
        ...app,
        volumeMounts: [
          { name: 'config', mountPath: '/etc/config' },
          { name: 'scratch', mountPath: '/scratch', subPathExpr: '$(WHO)' },
        ],
        env: [{ name: 'WHO', value: 'me' }],
      },
    ],
    volumes: [
      { name: 'config', configMap: { name: 'settings' } },
      { name: 'scratch', emptyDir: {} },
    ],
  }
  await using bed = await aPod({ spec, objects: [settings] })
  await started(bed)
  const { mounts } = bed.running['app']!.spec
  assert.deepEqual(mounts, [
    { hostPath: join(bed.directory, 'config'), mountPath: '/etc/config', readOnly: true },
    { hostPath: join(bed.directory, 'scratch'), mountPath: '/scratch', readOnly: false, subPath: 'me' },
  ])
  const file = join(bed.directory, 'config', 'COLOR')
  assert.equal(await readFile(file, 'utf8'), 'blue')
  const changed = { ...settings.metadata, resourceVersion: '2' }
  bed.objects['ConfigMap settings'] = { ...settings, metadata: changed, data: { COLOR: 'red' } } as Resource
  await bed.runner.refresh(bed.pod)
  assert.equal(await readFile(file, 'utf8'), 'red')
  const stopped = bed.runner.stop({ graceMs: 0 })
  await until(bed, () => bed.runner.hasStopped)
  await stopped
  await assert.rejects(stat(bed.directory), { code: 'ENOENT' })
})

test('a Pod on its way out takes no new requests, finishes those it has, then its containers end', async () => {
  await using bed = await aPod()
  await started(bed)
  const endpoint = bed.endpoint!
  endpoint.acquire()
  const stopped = bed.runner.stop({ graceMs: 30_000 })
  await bed.pass(10_000)
  assert.equal(endpoint.isReady, false)
  assert.deepEqual(Object.keys(bed.running), ['app'])
  endpoint.release()
  await until(bed, () => bed.runner.hasStopped)
  await stopped
  assert.deepEqual(bed.running, {})
  assert.equal(bed.endpoint, undefined)
})

test('a request that does not end, and a program that does not, are cut off by the grace period', async () => {
  await using bed = await aPod({ programs: { app: { stopMs: 60_000 } } })
  await started(bed)
  bed.endpoint!.acquire()
  const stopped = bed.runner.stop({ graceMs: 10_000 })
  await bed.pass(10_000)
  assert.equal(bed.runner.hasStopped, false, 'SIGTERM comes before SIGKILL')
  await bed.pass(2_000)
  await until(bed, () => bed.runner.hasStopped)
  await stopped
  assert.deepEqual(bed.status.containerStatuses?.[0]?.state.terminated?.signal, 9)
})

test('whoever is in a hurry later shortens the grace period', async () => {
  await using bed = await aPod()
  await started(bed)
  bed.endpoint!.acquire()
  const stopped = bed.runner.stop({ graceMs: 300_000 })
  await bed.pass(1_000)
  void bed.runner.stop({ graceMs: 0 })
  await until(bed, () => bed.runner.hasStopped)
  await stopped
})

test('a failing probe does not start again what is being stopped', async () => {
  const livenessProbe = { httpGet: { port: 8080 }, periodSeconds: 1, failureThreshold: 1 }
  await using bed = await aPod({ spec: { containers: [{ ...app, livenessProbe }] } })
  await started(bed)
  bed.endpoint!.acquire()
  bed.probes['app'] = sick
  void bed.runner.stop({ graceMs: 10_000 })
  await bed.pass(5_000)
  assert.equal(bed.runtime.started.length, 1)
  assert.ok(!bed.events.some((event) => event.includes('Killing')))
})

test('a Pod that is stopped while its container waits to be started again is gone at once', async () => {
  await using bed = await aPod({ programs: { app: { exit: { code: 1 } } } })
  bed.runner.start()
  await until(bed, () => bed.summary[1] === 'CrashLoopBackOff')
  void bed.runner.stop({ graceMs: 30_000 })
  await until(bed, () => bed.runner.hasStopped)
  assert.equal(bed.clock.pendingTimers, 0)
})

test('after a restart of Knode the containers start again in the same Pod, but those that have ended for good', async () => {
  const ended = { exitCode: 0, reason: 'Completed' }
  const status = {
    phase: 'Running' as const,
    initContainerStatuses: [
      {
        name: 'first',
        state: { terminated: ended },
        lastState: {},
        ready: true,
        restartCount: 0,
        image: '',
        imageID: '',
      },
    ],
    containerStatuses: [
      {
        name: 'app',
        state: { running: { startedAt: '2025-12-31T23:00:00Z' } },
        lastState: {},
        ready: true,
        restartCount: 2,
        image: 'app',
        imageID: '',
      },
    ],
  }
  const spec = { initContainers: [{ name: 'first', image: 'first' }], containers: [app] }
  await using bed = await aPod({ spec, status })
  bed.runner.start()
  await until(bed, () => bed.summary[2] === 'ready')
  assert.equal(bed.runtime.started.length, 1)
  const { restartCount, lastState } = bed.status.containerStatuses![0]!
  assert.equal(restartCount, 3)
  assert.deepEqual(lastState.terminated, {
    exitCode: 255,
    reason: 'Unknown',
    startedAt: '2025-12-31T23:00:00Z',
    finishedAt: '2026-01-01T00:00:00Z',
  })
})

test('directories of the Pod’s own outlive a restart of Knode, copies of secrets do not', async () => {
  const spec = {
    containers: [app],
    volumes: [
      { name: 'config', configMap: { name: 'settings' } },
      { name: 'own', emptyDir: {} },
    ],
  }
  await using bed = await aPod({ spec, objects: [settings] })
  await started(bed)
  const own = join(bed.directory, 'own', 'x')
  await writeFile(own, 'kept')
  const stopped = bed.runner.stop({ graceMs: 0, keepsData: true })
  await until(bed, () => bed.runner.hasStopped)
  await stopped
  assert.equal(await readFile(own, 'utf8'), 'kept')
  await assert.rejects(stat(join(bed.directory, 'config')), { code: 'ENOENT' })
})

test('a Pod that runs for longer than it may has failed', async () => {
  await using bed = await aPod({ spec: { activeDeadlineSeconds: 60, containers: [app] } })
  await started(bed)
  await bed.pass(60_000)
  await until(bed, () => bed.runner.hasStopped)
  assert.deepEqual([bed.status.phase, bed.status.reason], ['Failed', 'DeadlineExceeded'])
})

test('labels that change while it runs change whom senders find', async () => {
  await using bed = await aPod()
  await started(bed)
  await bed.runner.refresh({ ...bed.pod, metadata: { ...bed.pod.metadata, labels: { app: 'other' } } })
  assert.deepEqual(bed.pods.select('default', { app: 'web' }), [])
  assert.equal(bed.pods.select('default', { app: 'other' }).length, 1)
})

test('an image that is changed while its container is being started is not missed', async () => {
  await using bed = await aPod()
  bed.runner.start()
  while (bed.runtime.started.length === 0) await Promise.resolve()
  assert.equal(bed.summary[1], 'ContainerCreating')
  await bed.runner.refresh({ ...bed.pod, spec: { ...bed.pod.spec, containers: [{ ...app, image: 'app:2' }] } })
  await until(bed, () => bed.running['app']?.spec.image === 'app:2' && bed.summary[1] === 'ready')
  assert.equal(bed.runtime.running.length, 1)
})

test('files that tell of labels and annotations follow them', async () => {
  const volume = {
    name: 'about',
    downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] },
  }
  const container = { ...app, volumeMounts: [{ name: 'about', mountPath: '/about' }] }
  await using bed = await aPod({ spec: { containers: [container], volumes: [volume] } })
  await started(bed)
  const file = join(bed.directory, 'about', 'labels')
  assert.equal(await readFile(file, 'utf8'), 'app="web"')
  await bed.runner.refresh({ ...bed.pod, metadata: { ...bed.pod.metadata, labels: { app: 'web', tier: 'front' } } })
  assert.equal(await readFile(file, 'utf8'), 'app="web"\ntier="front"')
})

test('a folder inside an emptyDir is made for its mount, and none outside of the volume is mounted', async () => {
  const inside = { ...app, volumeMounts: [{ name: 'data', mountPath: '/data', subPath: 'deep/own' }] }
  const volumes = [{ name: 'data', emptyDir: {} }]
  await using bed = await aPod({ spec: { containers: [inside], volumes } })
  await started(bed)
  const { hostPath, subPath } = bed.running['app']!.spec.mounts![0]!
  assert.ok((await stat(join(hostPath, subPath!))).isDirectory())

  // What a program has put there may lead anywhere.
  await symlink('/', join(hostPath, 'way-out'))
  const changed = {
    ...inside,
    image: 'app:2',
    volumeMounts: [{ name: 'data', mountPath: '/data', subPath: 'way-out/etc' }],
  }
  await using escaping = await aPod({ spec: { containers: [changed], volumes } })
  await mkdir(join(escaping.directory, 'data'), { recursive: true })
  await symlink('/', join(escaping.directory, 'data', 'way-out'))
  escaping.runner.start()
  await until(escaping, () => escaping.summary[1] === 'CreateContainerConfigError')
  assert.match(escaping.status.containerStatuses![0]!.state.waiting!.message!, /subPath "way-out\/etc".*outside/)
})

test('a path made of variables does not lead out of its volume', async () => {
  const mount = { name: 'data', mountPath: '/data', subPathExpr: 'a/$(WHERE)' }
  for (const value of ['../../../etc', '..']) {
    const container = { ...app, env: [{ name: 'WHERE', value }], volumeMounts: [mount] }
    await using bed = await aPod({ spec: { containers: [container], volumes: [{ name: 'data', emptyDir: {} }] } })
    bed.runner.start()
    await until(bed, () => bed.summary[1] === 'CreateContainerConfigError')
    assert.match(bed.status.containerStatuses![0]!.state.waiting!.message!, /must not contain '\.\.'/)
  }
})

test('what goes wrong when an unwell container is to be ended does not end Knode', async () => {
  const probe = { httpGet: { port: 8080 }, periodSeconds: 1, failureThreshold: 1 }
  await using bed = await aPod({ spec: { containers: [{ ...app, livenessProbe: probe }] } })
  await started(bed)
  const workload = bed.running['app']!
  const stop = workload.stop.bind(workload)
  workload.stop = () => Promise.reject(new Error('the engine does not answer'))
  bed.probes['app'] = sick
  await bed.pass(5_000)
  assert.ok(bed.events.some((event) => event.includes('Killing')))
  await bed.runner.refresh({ ...bed.pod, spec: { ...bed.pod.spec, containers: [{ ...app, image: 'app:2' }] } })
  await bed.pass(1)
  workload.stop = stop
})

test('containers start once the sidecar before them has passed its startup probe', async () => {
  const probe = { httpGet: { port: 1 }, periodSeconds: 1, failureThreshold: 100 }
  const side = { name: 'side', image: 'side', restartPolicy: 'Always', startupProbe: probe }
  await using bed = await aPod({ spec: { initContainers: [side], containers: [app] } })
  bed.probes['side'] = sick
  bed.runner.start()
  await until(bed, () => bed.summary[1] === 'running')
  await bed.pass(5_000)
  assert.deepEqual(Object.keys(bed.running), ['side'])
  bed.probes['side'] = well
  await bed.pass(2_000)
  await until(bed, () => bed.summary[2] === 'ready')
})

test('a Pod is not ready before its sidecars are', async () => {
  const side = { name: 'side', image: 'side', restartPolicy: 'Always', readinessProbe: { httpGet: { port: 1 } } }
  await using bed = await aPod({ spec: { initContainers: [side], containers: [app] } })
  bed.probes['side'] = sick
  bed.runner.start()
  await until(bed, () => bed.summary[2] === 'ready')
  assert.equal(bed.endpoint?.isReady, false)
  assert.match(bed.status.conditions![1]!.message ?? '', /unready status: \[side\]/)
  bed.probes['side'] = well
  await bed.pass(1_000)
  assert.equal(bed.endpoint?.isReady, true)
  assert.equal(bed.status.conditions![1]!.status, 'True')
})

test('a token of a service account is a new one before it is out of date', async () => {
  const token = { serviceAccountToken: { path: 'token', expirationSeconds: 600 } }
  const container = { ...app, volumeMounts: [{ name: 'token', mountPath: '/token' }] }
  const volumes = [{ name: 'token', projected: { sources: [token] } }]
  await using bed = await aPod({ spec: { containers: [container], volumes } })
  await started(bed)
  const leftS = async (): Promise<number> => {
    const text = await readFile(join(bed.directory, 'token', 'token'), 'utf8')
    const { exp } = JSON.parse(Buffer.from(text.split('.')[1]!, 'base64url').toString()) as { exp: number }
    return exp - bed.clock.now() / 1_000
  }
  assert.equal(await leftS(), 600)
  for (let minutes = 1; minutes <= 60; minutes++) {
    await bed.pass(60_000)
    // Files are written in real time, in which the clock would stand still.
    const passing = { turn: () => bed.pass(100) }
    await eventually(async () => (await leftS()) > 60, `a fresh token after ${minutes} minutes`, passing)
  }
})

test('a deadline that is set or shortened while the Pod runs counts from its start', async () => {
  await using bed = await aPod()
  await started(bed)
  await bed.pass(60_000)
  await bed.runner.refresh({ ...bed.pod, spec: { ...bed.pod.spec, activeDeadlineSeconds: 100 } })
  await bed.runner.refresh({ ...bed.pod, spec: { ...bed.pod.spec, activeDeadlineSeconds: 90 } })
  await bed.pass(29_000)
  assert.equal(bed.summary[0], 'Running')
  await bed.pass(1_000)
  await until(bed, () => bed.summary[0] === 'Failed')
  assert.equal(bed.status.reason, 'DeadlineExceeded')
  assert.equal(bed.events.filter((event) => event.includes('DeadlineExceeded')).length, 1)
})

test('a port that no container declares is the program’s own number, or where none is declared its only port', async () => {
  await using bed = await aPod()
  await started(bed)
  const { port } = bed.running['app']!
  // As processes and containers with addresses of their own do.
  bed.running['app']!.portOf = (containerPort) => (containerPort === 8080 ? port : containerPort)
  assert.deepEqual(
    [8080, 9090].map((each) => bed.endpoint?.portOf(each)),
    [port, 9090],
  )

  await using bare = await aPod({ spec: { containers: [{ name: 'app', image: 'app' }] } })
  await started(bare)
  const own = bare.running['app']!.port
  assert.deepEqual(
    [8080, 3000].map((each) => bare.endpoint?.portOf(each)),
    [own, own],
  )
})
