// The end of a Pod: by its deletion, by its deadline, and what a restart of Knode makes of it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aPod, app, started, until } from '../../../test/harness/pod.ts'

const sick = { isWell: false, message: 'sick' } as const

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

test('a Pod that runs for longer than it may has failed', async () => {
  await using bed = await aPod({ spec: { activeDeadlineSeconds: 60, containers: [app] } })
  await started(bed)
  await bed.pass(60_000)
  await until(bed, () => bed.runner.hasStopped)
  assert.deepEqual([bed.status.phase, bed.status.reason], ['Failed', 'DeadlineExceeded'])
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
