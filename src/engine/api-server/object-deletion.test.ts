import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aServer, aTrigger, asJane, triggerId } from './test-server.ts'
import type { TestServer } from './test-server.ts'
import type { DeleteOptions } from './operations.ts'

const create = async (server: TestServer, finalizers?: string[]) =>
  (
    await server.operations.create(
      server.target(triggerId),
      'shop',
      aTrigger('t', { metadata: finalizers === undefined ? {} : { finalizers } }),
      asJane,
    )
  ).object

const remove = (server: TestServer, options: Omit<DeleteOptions, 'user'> = {}) =>
  server.operations.delete(server.target(triggerId), 'shop', 't', { ...asJane, ...options })

test('an object without finalizers goes at once, and the answer has its uid and the revision of its end', async () => {
  const server = await aServer()
  const before = await create(server)
  const { object, gone } = await remove(server)
  assert.equal(gone, true)
  assert.equal(object.metadata.uid, before.metadata.uid)
  assert.equal(object.metadata.resourceVersion, await server.operations.revision())
  await assert.rejects(server.operations.get(server.target(triggerId), 'shop', 't'), { code: 404 })
})

test('finalizers keep it: marked once, one generation on, unchanged by another delete', async () => {
  const server = await aServer()
  await create(server, ['example.com/a'])
  const { object, gone } = await remove(server)
  assert.equal(gone, false)
  const { deletionTimestamp, deletionGracePeriodSeconds, generation } = object.metadata
  assert.deepEqual([deletionTimestamp, deletionGracePeriodSeconds, generation], ['2026-01-01T00:00:00Z', 0, 2])
  await server.clock.advance(60_000)
  assert.deepEqual((await remove(server)).object, object)
})

const policies: [DeleteOptions['propagationPolicy'], string[] | undefined][] = [
  [undefined, undefined],
  ['Background', undefined],
  ['Foreground', ['foregroundDeletion']],
  ['Orphan', ['orphan']],
]
for (const [propagationPolicy, finalizers] of policies) {
  test(`propagation ${propagationPolicy} leaves the finalizers ${JSON.stringify(finalizers ?? [])}`, async () => {
    const server = await aServer()
    await create(server)
    const { object, gone } = await remove(server, propagationPolicy === undefined ? {} : { propagationPolicy })
    assert.equal(gone, finalizers === undefined)
    assert.deepEqual(object.metadata.finalizers, finalizers)
  })
}

test('a later delete may choose another policy, none keeps the first', async () => {
  const server = await aServer()
  await create(server, ['example.com/a'])
  await remove(server, { propagationPolicy: 'Foreground' })
  const kept = await remove(server)
  assert.deepEqual(kept.object.metadata.finalizers, ['example.com/a', 'foregroundDeletion'])
  const orphan = await remove(server, { propagationPolicy: 'Orphan' })
  assert.deepEqual(orphan.object.metadata.finalizers, ['example.com/a', 'orphan'])
  const background = await remove(server, { propagationPolicy: 'Background' })
  assert.deepEqual(background.object.metadata.finalizers, ['example.com/a'])
})

test('a precondition that does not hold is a conflict that names the Kind', async () => {
  const server = await aServer()
  const { metadata } = await create(server)
  const prefix = 'Operation cannot be fulfilled on Trigger.eventing.knative.dev "t": '
  await assert.rejects(remove(server, { preconditions: { uid: 'A' } }), {
    code: 409,
    reason: 'Conflict',
    message: `${prefix}the UID in the precondition (A) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    details: { name: 't', group: 'eventing.knative.dev', kind: 'Trigger' },
  })
  await assert.rejects(remove(server, { preconditions: { resourceVersion: '1' } }), {
    code: 409,
    message: `${prefix}the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`,
  })
  const { uid, resourceVersion } = metadata
  const preconditions = { uid: uid!, resourceVersion: resourceVersion! }
  assert.equal((await remove(server, { preconditions })).gone, true)
})

test('a dry run of a delete tells what would happen', async () => {
  const server = await aServer()
  const stored = await create(server)
  assert.equal((await remove(server, { dryRun: true })).gone, true)
  const foreground = await remove(server, { dryRun: true, propagationPolicy: 'Foreground' })
  assert.equal(foreground.object.metadata.deletionTimestamp, '2026-01-01T00:00:00Z')
  assert.deepEqual(await server.operations.get(server.target(triggerId), 'shop', 't'), stored)
})

test('a kind that takes its time has it until its finalizers go, and a later delete can only shorten it', async () => {
  const server = await aServer()
  const target = server.target('Deployment.apps')
  const body = { metadata: { name: 'web', finalizers: ['example.com/a'] } }
  await server.operations.create(target, 'shop', body, asJane)
  const deleted = async (gracePeriodSeconds?: number): Promise<[string | undefined, number | undefined]> => {
    const options = { ...asJane, ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }) }
    const { metadata } = (await server.operations.delete(target, 'shop', 'web', options)).object
    return [metadata.deletionTimestamp, metadata.deletionGracePeriodSeconds]
  }
  assert.deepEqual(await deleted(), ['2026-01-01T00:00:30Z', 30])
  assert.deepEqual(await deleted(60), ['2026-01-01T00:00:30Z', 30])
  assert.deepEqual(await deleted(5), ['2026-01-01T00:00:05Z', 5])
  assert.deepEqual(await deleted(0), ['2026-01-01T00:00:00Z', 0])
})
