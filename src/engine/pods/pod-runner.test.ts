// A Pod that runs: who starts when, what its status tells, and whom senders find.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aPod, app, started, until } from '../../../test/harness/pod.ts'

const sick = { isWell: false, message: 'sick' } as const
const well = { isWell: true } as const

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
