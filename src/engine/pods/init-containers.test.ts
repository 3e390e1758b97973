// What runs before the containers of a Pod: init containers and sidecars.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aPod, app, until } from '../../../test/harness/pod.ts'

const sick = { isWell: false, message: 'sick' } as const
const well = { isWell: true } as const

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
