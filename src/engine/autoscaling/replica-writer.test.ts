import assert from 'node:assert/strict'
import test from 'node:test'
import { settle } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/log.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { StatusError } from '../../model/kubernetes/status-error.ts'
import type { Caches, ResourceClient } from '../reconciler.ts'
import { ReplicaWriter } from './replica-writer.ts'

const aDeployment = (replicas: number | undefined, resourceVersion: number, uid = 'u'): Resource => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'd', namespace: 'shop', uid, resourceVersion: String(resourceVersion) },
  spec: replicas === undefined ? {} : { replicas },
})

/** Writes wait until they are let through. */
function aBed(cached: Resource | undefined) {
  const bed = {
    cached,
    patches: [] as number[],
    release: () => undefined as void,
    fail: undefined as Error | undefined,
  }
  let version = 10
  const client = {
    async patch(_kind: string, _namespace: string, _name: string, { spec }: { spec: { replicas: number } }) {
      bed.patches.push(spec.replicas)
      await new Promise<void>((resolve) => (bed.release = resolve))
      if (bed.fail !== undefined) throw bed.fail
      return aDeployment(spec.replicas, ++version)
    },
  } as unknown as ResourceClient
  const writer = new ReplicaWriter({
    namespace: 'shop',
    target: { kind: 'Deployment.apps', name: 'd' },
    caches: { get: () => bed.cached } as unknown as Caches,
    client,
    log: silentLogger,
  })
  const through = async (): Promise<void> => {
    bed.release()
    await settle()
  }
  return { bed, writer, through }
}

test('only a difference is written', async () => {
  const { bed, writer } = aBed(aDeployment(3, 1))
  writer.set(3)
  await settle()
  assert.deepEqual([bed.patches, writer.isSettled], [[], true])
})

test('replicas that are not given are one', () => {
  assert.equal(aBed(aDeployment(undefined, 1)).writer.stored, 1)
})

test('while one write is under way only the newest wish is kept', async () => {
  const { bed, writer, through } = aBed(aDeployment(1, 1))
  for (const replicas of [2, 5, 9]) writer.set(replicas)
  assert.equal(writer.isSettled, false)
  await through()
  await through()
  assert.deepEqual([bed.patches, writer.stored, writer.isSettled], [[2, 9], 9, true])
})

test('what was just written counts until the cache shows it or something later', async () => {
  const { bed, writer, through } = aBed(aDeployment(1, 1))
  writer.set(4)
  await through()
  assert.equal(writer.stored, 4)
  bed.cached = aDeployment(2, 12)
  assert.equal(writer.stored, 2)
  bed.cached = aDeployment(1, 1, 'another')
  assert.equal(writer.stored, 1)
})

test('a Deployment that is gone or going is let be', async () => {
  const { bed, writer } = aBed(undefined)
  writer.set(4)
  bed.cached = aDeployment(1, 1)
  bed.cached.metadata.deletionTimestamp = '2026-01-01T00:00:00Z'
  writer.set(4)
  await settle()
  assert.deepEqual([bed.patches, writer.stored, writer.isSettled], [[], undefined, false])
})

test('a write that fails waits to be asked for again', async () => {
  const { bed, writer, through } = aBed(aDeployment(1, 1))
  bed.fail = new StatusError(404, 'NotFound', 'gone')
  writer.set(4)
  await through()
  assert.deepEqual([bed.patches, writer.isSettled], [[4], false])
  bed.fail = undefined
  writer.set(4)
  await through()
  assert.deepEqual([bed.patches, writer.isSettled], [[4, 4], true])
})

test('closing waits for the write that is under way, and begins no other', async () => {
  const { bed, writer, through } = aBed(aDeployment(1, 1))
  writer.set(2)
  writer.set(3)
  let isClosed = false
  const closing = writer.close().then(() => (isClosed = true))
  await settle()
  assert.equal(isClosed, false)
  await through()
  await closing
  assert.deepEqual(bed.patches, [2])
})
