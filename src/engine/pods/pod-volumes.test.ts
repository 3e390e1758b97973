// The files that a Pod finds: made before it starts, kept up to date, inside their volume.
import assert from 'node:assert/strict'
import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually } from '../../base/eventually.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { aPod, app, settings, started, until } from '../../../test/harness/pod.ts'

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
