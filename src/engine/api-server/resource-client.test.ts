import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConflictError } from '../../base/errors.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { aCronTab, aServer, aTrigger, cronTabId, eventTypeId, triggerId } from './test-server.ts'
import type { Trigger } from './test-server.ts'

const inShop = <Body extends { metadata: object }>(body: Body) =>
  ({ ...body, metadata: { ...body.metadata, namespace: 'shop' } }) as unknown as Body & Resource

test('what is missing is undefined, not an error, and deleting it is fine', async () => {
  const { client } = await aServer()
  assert.equal(await client.get(triggerId, 'shop', 't'), undefined)
  await client.delete(triggerId, 'shop', 't')
  assert.deepEqual(await client.list(triggerId), [])
})

test('a client acts as the controllers’ service account', async () => {
  const { client } = await aServer()
  const created = await client.create(inShop(aTrigger('t')))
  assert.equal(
    created.metadata.annotations?.['eventing.knative.dev/creator'],
    'system:serviceaccount:knative-eventing:eventing-controller',
  )
  assert.deepEqual(
    created.metadata.managedFields?.map(({ manager }) => manager),
    ['controller'],
  )
  assert.deepEqual(await client.list(triggerId, 'shop'), [created])
})

test('an update with an old revision is a ConflictError, one without a revision always lands', async () => {
  const { client } = await aServer()
  const old = await client.create(inShop(aCronTab('c')))
  await client.patch(cronTabId, 'shop', 'c', { spec: { schedule: 'x' } })
  await assert.rejects(client.update({ ...old, spec: { schedule: 'y' } }), ConflictError)
  await assert.rejects(client.updateStatus({ ...old, status: { replicas: 1 } }), ConflictError)
  const { resourceVersion: _, ...metadata } = old.metadata
  const updated = await client.update({ ...old, metadata, spec: { schedule: 'y' } })
  assert.equal((updated.spec as { schedule?: string }).schedule, 'y')
})

test('updates without a revision survive each other', async () => {
  const { client } = await aServer()
  await client.create(inShop(aCronTab('c')))
  const updates = ['a', 'b', 'c', 'd'].map((schedule) => client.update(inShop(aCronTab('c', { schedule }))))
  const results = await Promise.all(updates)
  assert.equal(new Set(results.map(({ metadata }) => metadata.resourceVersion)).size, 4)
})

test('updateStatus writes the status and nothing else', async () => {
  const { client } = await aServer()
  const created = await client.create<Trigger>(inShop(aTrigger('t')))
  const draft = { ...created, spec: { broker: 'lie' }, status: { subscriberUri: 'http://x' } }
  const written = await client.updateStatus<Trigger>(draft)
  assert.deepEqual([written.spec.broker, written.status], ['orders', { subscriberUri: 'http://x' }])
})

test('refusals keep their status', async () => {
  const { client } = await aServer()
  await assert.rejects(client.create(inShop(aTrigger('t', { spec: { broker: '' } }))), {
    code: 400,
    reason: 'BadRequest',
  })
  await client.create(inShop(aTrigger('t')))
  await assert.rejects(client.create(inShop(aTrigger('t'))), { code: 409, reason: 'AlreadyExists' })
})

test('a delete can mean one very object, and what becomes of its dependents', async () => {
  const { client } = await aServer()
  await client.create(inShop(aTrigger('t')))
  await assert.rejects(client.delete(triggerId, 'shop', 't', { uid: 'other' }), { code: 409, reason: 'Conflict' })
  await client.delete(triggerId, 'shop', 't', { propagationPolicy: 'Foreground' })
  const lingering = await client.get(triggerId, 'shop', 't')
  assert.deepEqual(lingering?.metadata.finalizers, ['foregroundDeletion'])
})

test('a Namespace is finalized', async () => {
  const { client } = await aServer()
  await client.delete('Namespace', '', 'shop')
  const dying = await client.get('Namespace', '', 'shop')
  assert.ok(dying)
  await client.finalize({ ...dying, spec: { finalizers: [] } })
  assert.equal(await client.get('Namespace', '', 'shop'), undefined)
})

test('objects are read in their storage version, whatever version wrote them', async () => {
  const { client } = await aServer()
  const body = {
    apiVersion: 'eventing.knative.dev/v1beta3',
    kind: 'EventType',
    metadata: { name: 'e', namespace: 'shop' },
    spec: { attributes: [{ name: 'type', value: 'a' }] },
  }
  await client.create(body)
  const read = await client.get(eventTypeId, 'shop', 'e')
  assert.deepEqual([read?.apiVersion, read?.spec], ['eventing.knative.dev/v1beta2', { type: 'a' }])
})

test('an unknown kind is a programmer’s mistake and says which', async () => {
  const { client } = await aServer()
  await assert.rejects(client.get('Nothing.example.com', 'shop', 'x'), {
    message: 'no matches for kind "Nothing" in group "example.com"',
  })
})
