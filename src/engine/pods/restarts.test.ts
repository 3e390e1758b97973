// Containers that end, are sick or cannot start: what becomes of them and of their Pod.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aPod, app, settings, started, until } from '../../../test/harness/pod.ts'

const sick = { isWell: false, message: 'sick' } as const
const well = { isWell: true } as const

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
