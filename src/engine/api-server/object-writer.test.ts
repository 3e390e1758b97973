import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { aCronTab, aServer, aTrigger, asJane, cronTabId, deploymentId, triggerId } from './test-server.ts'
import type { TestServer } from './test-server.ts'

const create = async (server: TestServer, body: object, id = triggerId, options = asJane): Promise<Resource> =>
  (await server.operations.create(server.target(id), 'shop', body, options)).object

const merge = async (server: TestServer, name: string, body: object, id = triggerId): Promise<Resource> =>
  (await server.operations.patch(server.target(id), 'shop', name, { type: 'merge', body }, asJane)).object

test('the server decides over uid, times, generation, revision and status of a new object', async () => {
  const server = await aServer()
  const metadata = {
    name: 't',
    uid: 'mine',
    creationTimestamp: null,
    deletionTimestamp: '2020-01-01T00:00:00Z',
    deletionGracePeriodSeconds: 5,
    generation: 7,
    selfLink: '/x',
    resourceVersion: '0',
    labels: { app: 'x' },
  }
  const object = await create(server, { ...aTrigger('t', { status: { subscriberUri: 'http://lie' } }), metadata })
  const { uid, resourceVersion, managedFields: _, annotations: __, ...rest } = object.metadata
  assert.match(uid ?? '', /^[0-9a-f]{8}-/)
  assert.match(resourceVersion ?? '', /^[1-9]\d*$/)
  assert.deepEqual(rest, {
    name: 't',
    namespace: 'shop',
    creationTimestamp: '2026-01-01T00:00:00Z',
    generation: 1,
    labels: { app: 'x' },
  })
  assert.equal(object.status, undefined)
})

test('a create that brings a revision is refused', async () => {
  const server = await aServer()
  await assert.rejects(create(server, aTrigger('t', { metadata: { resourceVersion: '5' } })), {
    code: 400,
    reason: 'BadRequest',
    message: 'resourceVersion should not be set on objects to be created',
  })
})

test('a name that is taken is refused with AlreadyExists', async () => {
  const server = await aServer()
  await create(server, aTrigger('t1'))
  const refusal = {
    code: 409,
    reason: 'AlreadyExists',
    message: 'triggers.eventing.knative.dev "t1" already exists',
    details: { name: 't1', group: 'eventing.knative.dev', kind: 'triggers' },
  }
  await assert.rejects(create(server, aTrigger('t1')), refusal)
  await assert.rejects(create(server, aTrigger('t1'), triggerId, { ...asJane, dryRun: true }), refusal)
})

test('generateName is completed by five letters that cannot be misread, and cut to fit', async () => {
  const server = await aServer()
  const generated = async (generateName: string): Promise<string> => {
    const body = { ...aTrigger(''), metadata: { generateName } }
    return (await create(server, body)).metadata.name
  }
  assert.match(await generated('orders-'), /^orders-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
  assert.match(await generated('x'.repeat(80)), /^x{58}[bcdfghjklmnpqrstvwxz2456789]{5}$/)
  assert.notEqual(await generated('a-'), await generated('a-'))
})

test('neither name nor generateName is an error of the field', async () => {
  const server = await aServer()
  await assert.rejects(create(server, { ...aTrigger(''), metadata: {} }), {
    code: 422,
    message:
      'Trigger.eventing.knative.dev "" is invalid: metadata.name: Required value: name or generateName is required',
  })
})

test('the generation counts changes of the wanted state only', async () => {
  const server = await aServer()
  const generation = async (change: Promise<Resource>): Promise<number | undefined> =>
    (await change).metadata.generation
  assert.equal(await generation(create(server, aTrigger('t'))), 1)
  assert.equal(await generation(merge(server, 't', { metadata: { labels: { a: 'b' }, generation: 9 } })), 1)
  assert.equal(await generation(merge(server, 't', { status: { subscriberUri: 'http://x' } })), 1)
  assert.equal(await generation(merge(server, 't', { spec: { delivery: { retry: 2 } } })), 2)
  const status = { type: 'merge', body: { status: { observedGeneration: 2 } } } as const
  const options = { ...asJane, subresource: 'status' } as const
  const { object } = await server.operations.patch(server.target(triggerId), 'shop', 't', status, options)
  assert.deepEqual([object.metadata.generation, object.status], [2, { observedGeneration: 2 }])
})

test('built-in kinds have no generation', async () => {
  const server = await aServer()
  const object = await create(server, { metadata: { name: 'c' }, data: { a: '1' } }, 'ConfigMap')
  assert.equal(object.metadata.generation, undefined)
  assert.equal((await merge(server, 'c', { data: { a: '2' } }, 'ConfigMap')).metadata.generation, undefined)
})

test('a write that changes nothing keeps the revision and tells no watcher', async () => {
  const server = await aServer()
  const before = await create(server, aTrigger('t', { spec: { delivery: { retry: 1, policy: 'linear' } } }))
  const revision = await server.operations.revision()
  const shuffled = { ...aTrigger('t'), spec: { delivery: { policy: 'linear', retry: 1 }, ...aTrigger('t').spec } }
  const { resourceVersion } = before.metadata
  const body = { ...shuffled, metadata: { ...before.metadata, resourceVersion } }
  const { object } = await server.operations.update(server.target(triggerId), 'shop', 't', body, asJane)
  assert.deepEqual(object, before)
  assert.equal(await server.operations.revision(), revision)
})

test('the main endpoint keeps the stored status, the status endpoint everything else', async () => {
  const server = await aServer()
  const { metadata } = await create(server, aTrigger('t', { spec: { broker: 'a' } }))
  const target = server.target(triggerId)
  const stale = { ...aTrigger('t', { spec: { broker: 'stale' } }), metadata: { name: 't', labels: { stale: 'yes' } } }
  const withStatus = { ...stale, status: { subscriberUri: 'http://x' } }
  const options = { ...asJane, subresource: 'status' } as const
  const { object } = await server.operations.update(target, 'shop', 't', withStatus, options)
  assert.equal((object.spec as { broker: string }).broker, 'a')
  assert.equal(object.metadata.labels, undefined)
  assert.deepEqual(object.status, { subscriberUri: 'http://x' })
  const { resourceVersion } = object.metadata
  const body = { ...aTrigger('t', { spec: { broker: 'a' } }), metadata: { name: 't', resourceVersion }, status: {} }
  const updated = await server.operations.update(target, 'shop', 't', body, asJane)
  assert.deepEqual(updated.object.status, { subscriberUri: 'http://x' })
  assert.equal(updated.object.metadata.uid, metadata.uid)
})

test('a status of the wrong shape is refused, what its schema does not know is dropped', async () => {
  const server = await aServer()
  await create(server, aTrigger('t'))
  const options = { ...asJane, subresource: 'status' } as const
  const write = (status: object) =>
    server.operations.patch(server.target(triggerId), 'shop', 't', { type: 'merge', body: { status } }, options)
  await assert.rejects(write({ observedGeneration: 'two' }), {
    code: 422,
    message:
      'Trigger.eventing.knative.dev "t" is invalid: status.observedGeneration: Invalid value: "string": status.observedGeneration in body must be of type integer: "string"',
  })
  const { object, warnings } = await write({ foo: 1, subscriberUri: 'http://x' })
  assert.deepEqual(object.status, { subscriberUri: 'http://x' })
  assert.deepEqual(warnings, ['unknown field "status.foo"'])
})

test('dry runs answer as if, and store nothing', async () => {
  const server = await aServer()
  const dry = { ...asJane, dryRun: true }
  const revision = await server.operations.revision()
  const created = await create(server, aTrigger('t'), triggerId, dry)
  assert.equal(created.metadata.generation, 1)
  await assert.rejects(server.operations.get(server.target(triggerId), 'shop', 't'), { code: 404 })
  assert.equal(await server.operations.revision(), revision)
  const stored = await create(server, aTrigger('t'))
  const patch = { type: 'merge', body: { spec: { delivery: { retry: 1 } } } } as const
  const { object } = await server.operations.patch(server.target(triggerId), 'shop', 't', patch, dry)
  assert.deepEqual([object.metadata.generation, object.metadata.resourceVersion], [2, stored.metadata.resourceVersion])
  assert.deepEqual(await server.operations.get(server.target(triggerId), 'shop', 't'), stored)
  await server.operations.delete(server.target(triggerId), 'shop', 't', dry)
  assert.deepEqual(await server.operations.get(server.target(triggerId), 'shop', 't'), stored)
  await assert.rejects(create(server, aTrigger('u', { spec: { broker: '' } }), triggerId, dry), { code: 400 })
})

test('removing the last finalizer of a dying object removes it, and the write still answers with it', async () => {
  const server = await aServer()
  await create(server, aTrigger('t', { metadata: { finalizers: ['example.com/a', 'example.com/b'] } }))
  await server.operations.delete(server.target(triggerId), 'shop', 't', asJane)
  const lingering = await merge(server, 't', { metadata: { finalizers: ['example.com/a'] } })
  assert.deepEqual(lingering.metadata.finalizers, ['example.com/a'])
  assert.equal(lingering.metadata.deletionTimestamp, '2026-01-01T00:00:00Z')
  const last = await merge(server, 't', { metadata: { finalizers: null } })
  assert.equal(last.metadata.name, 't')
  assert.ok(BigInt(last.metadata.resourceVersion!) > BigInt(lingering.metadata.resourceVersion!))
  await assert.rejects(server.operations.get(server.target(triggerId), 'shop', 't'), { code: 404 })
})

test('a dying object takes no new finalizer and cannot be brought back', async () => {
  const server = await aServer()
  await create(server, aTrigger('t', { metadata: { finalizers: ['example.com/a'] } }))
  await server.operations.delete(server.target(triggerId), 'shop', 't', asJane)
  await assert.rejects(merge(server, 't', { metadata: { finalizers: ['example.com/a', 'example.com/b'] } }), {
    code: 422,
    message:
      'Trigger.eventing.knative.dev "t" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/b"}',
  })
  const alive = await merge(server, 't', { metadata: { deletionTimestamp: null } })
  assert.equal(alive.metadata.deletionTimestamp, '2026-01-01T00:00:00Z')
})

test('clients cannot kill an object by writing a deletionTimestamp', async () => {
  const server = await aServer()
  await create(server, aTrigger('t'))
  await assert.rejects(merge(server, 't', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }), {
    code: 422,
    message:
      'Trigger.eventing.knative.dev "t" is invalid: metadata.deletionTimestamp: Invalid value: "2026-01-01T00:00:00Z": field is immutable',
  })
})

test('a write based on another object or an older state is a conflict', async () => {
  const server = await aServer()
  const old = await create(server, aCronTab('c'), cronTabId)
  await merge(server, 'c', { spec: { schedule: 'x' } }, cronTabId)
  const stale =
    'Operation cannot be fulfilled on crontabs.stable.example.com "c": the object has been modified; please apply your changes to the latest version and try again'
  const target = server.target(cronTabId)
  const details = { name: 'c', group: 'stable.example.com', kind: 'crontabs' }
  await assert.rejects(server.operations.update(target, 'shop', 'c', old, asJane), {
    code: 409,
    reason: 'Conflict',
    message: stale,
    details,
  })
  const { resourceVersion } = old.metadata
  await assert.rejects(merge(server, 'c', { metadata: { resourceVersion } }, cronTabId), { code: 409, message: stale })
  await assert.rejects(merge(server, 'c', { metadata: { uid: 'other' } }, cronTabId), {
    code: 409,
    message: `Operation cannot be fulfilled on crontabs.stable.example.com "c": Precondition failed: UID in precondition: other, UID in object meta: ${old.metadata.uid}`,
  })
})

test('concurrent patches all land', async () => {
  const server = await aServer()
  await create(server, aCronTab('c'), cronTabId)
  const keys = Array.from({ length: 10 }, (_, index) => `k${index}`)
  await Promise.all(keys.map((key) => merge(server, 'c', { spec: { limits: { [key]: 'x' } } }, cronTabId)))
  const { spec } = await server.operations.get(server.target(cronTabId), 'shop', 'c')
  assert.deepEqual(Object.keys((spec as { limits: object }).limits).sort(), keys)
})

test('a built-in kind with a status keeps it apart as custom ones do', async () => {
  const server = await aServer()
  const body = { metadata: { name: 'd' }, spec: { replicas: 1 }, status: { readyReplicas: 5 } }
  assert.equal((await create(server, body, deploymentId)).status, undefined)
})
