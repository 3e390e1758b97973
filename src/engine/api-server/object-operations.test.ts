import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Resource } from '../../model/kubernetes/resource.ts'
import type { Change } from '../../ports/resource-store/port.ts'
import { aCronTab, aServer, aTrigger, asJane, cronTabId, deploymentId, eventTypeId, triggerId } from './test-server.ts'

test('a missing object is 404 with the plural, core kinds without a group', async () => {
  const { operations, target } = await aServer()
  await assert.rejects(operations.get(target(triggerId), 'shop', 't1'), {
    code: 404,
    reason: 'NotFound',
    message: 'triggers.eventing.knative.dev "t1" not found',
    details: { name: 't1', group: 'eventing.knative.dev', kind: 'triggers' },
  })
  await assert.rejects(operations.get(target('ConfigMap'), 'shop', 'c'), {
    message: 'configmaps "c" not found',
    details: { name: 'c', kind: 'configmaps' },
  })
  const gone = { code: 404, message: 'configmaps "c" not found' }
  const patch = { type: 'merge', body: {} } as const
  await assert.rejects(operations.patch(target('ConfigMap'), 'shop', 'c', patch, asJane), gone)
  await assert.rejects(operations.update(target('ConfigMap'), 'shop', 'c', { metadata: { name: 'c' } }, asJane), gone)
  await assert.rejects(operations.delete(target('ConfigMap'), 'shop', 'c', asJane), gone)
})

test('a list shows one namespace or all, with the revision it is of', async () => {
  const { operations, target } = await aServer()
  await operations.create(target('Namespace'), '', { metadata: { name: 'other' } }, asJane)
  for (const namespace of ['shop', 'other'])
    await operations.create(target(triggerId), namespace, aTrigger('t'), asJane)
  const names = (items: Resource[]): string[] => items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)
  const all = await operations.list(target(triggerId))
  assert.deepEqual(names(all.items), ['other/t', 'shop/t'])
  assert.equal(all.revision, await operations.revision())
  assert.deepEqual(names((await operations.list(target(triggerId), 'shop')).items), ['shop/t'])
  assert.deepEqual((await operations.list(target(cronTabId), 'shop')).items, [])
})

test('objects are stored in one version and answered in the one asked for', async () => {
  const { operations, target, store } = await aServer()
  const body = {
    apiVersion: 'eventing.knative.dev/v1beta3',
    kind: 'EventType',
    metadata: { name: 'e' },
    spec: { attributes: [{ name: 'type', value: 'order' }] },
  }
  const newest = target(eventTypeId, 'v1beta3')
  const created = await operations.create(newest, 'shop', body, asJane)
  assert.deepEqual(created.object.spec, { attributes: [{ name: 'type', value: 'order' }] })
  const stored = await store.get({ resource: 'eventtypes.eventing.knative.dev', namespace: 'shop', name: 'e' })
  assert.deepEqual([stored?.apiVersion, stored?.spec], ['eventing.knative.dev/v1beta2', { type: 'order' }])
  const older = await operations.get(target(eventTypeId, 'v1beta2'), 'shop', 'e')
  assert.deepEqual(older.spec, { type: 'order' })
  const patch = { type: 'json', body: [{ op: 'replace', path: '/spec/attributes/0/value', value: 'refund' }] } as const
  const patched = await operations.patch(newest, 'shop', 'e', patch, asJane)
  assert.deepEqual(patched.object.spec, { attributes: [{ name: 'type', value: 'refund' }] })
  assert.equal(patched.object.metadata.generation, 2)
  const { items } = await operations.list(newest, 'shop')
  assert.equal(items[0]?.apiVersion, 'eventing.knative.dev/v1beta3')
})

test('a watch tells changes in the version asked for, until it is aborted', async () => {
  const { operations, target } = await aServer()
  const from = await operations.revision()
  const stop = new AbortController()
  const body = {
    apiVersion: 'eventing.knative.dev/v1beta2',
    kind: 'EventType',
    metadata: { name: 'e' },
    spec: { type: 'a' },
  }
  await operations.create(target(eventTypeId), 'shop', body, asJane)
  const patch = { type: 'merge', body: { spec: { type: 'b' } } } as const
  await operations.patch(target(eventTypeId), 'shop', 'e', patch, asJane)
  await operations.delete(target(eventTypeId), 'shop', 'e', asJane)
  const seen: Change[] = []
  for await (const change of operations.watch(target(eventTypeId, 'v1beta3'), 'shop', { from, signal: stop.signal })) {
    seen.push(change)
    if (seen.length === 3) stop.abort()
  }
  const value = (resource?: Resource) =>
    (resource?.spec as { attributes: { value: string }[] } | undefined)?.attributes[0]?.value
  assert.deepEqual(
    seen.map(({ type, resource, previous }) => [type, value(resource), value(previous)]),
    [
      ['added', 'a', undefined],
      ['modified', 'b', 'a'],
      ['deleted', 'b', 'b'],
    ],
  )
})

test('an update without a revision is fine for built-in kinds and refused for custom ones', async () => {
  const { operations, target } = await aServer()
  await operations.create(target('ConfigMap'), 'shop', { metadata: { name: 'c' }, data: { a: '1' } }, asJane)
  const body = { metadata: { name: 'c' }, data: { b: '2' } }
  const { object } = await operations.update(target('ConfigMap'), 'shop', 'c', body, asJane)
  assert.deepEqual((object as { data?: object }).data, { b: '2' })
  await operations.create(target(triggerId), 'shop', aTrigger('t'), asJane)
  await assert.rejects(operations.update(target(triggerId), 'shop', 't', aTrigger('t'), asJane), {
    code: 422,
    message:
      'Trigger.eventing.knative.dev "t" is invalid: metadata.resourceVersion: Invalid value: 0x0: must be specified for an update',
  })
})

test('empty metadata is as good as none: it is neither kept nor taken for a change', async () => {
  const { operations, target } = await aServer()
  const kind = target('ConfigMap')
  const filled = { labels: { a: 'b' }, annotations: { c: 'd' }, finalizers: ['x.test/y'] }
  const created = await operations.create(kind, 'shop', { metadata: { name: 'c', ...filled } }, asJane)
  const cleared = { labels: {}, annotations: {}, finalizers: [], ownerReferences: [], generateName: '', selfLink: '' }
  const patch = { type: 'merge', body: { metadata: cleared } } as const
  const patched = await operations.patch(kind, 'shop', 'c', patch, asJane)
  assert.equal(patched.object.metadata.labels?.['a'], 'b', 'a merge patch adds nothing to a map by an empty one')
  const body = { metadata: { name: 'c', uid: '', resourceVersion: '', ...cleared } }
  const { object } = await operations.update(kind, 'shop', 'c', body, asJane)
  assert.equal(object.metadata.uid, created.object.metadata.uid)
  const { managedFields: _, ...metadata } = object.metadata
  assert.deepEqual(Object.keys(metadata).sort(), ['creationTimestamp', 'name', 'namespace', 'resourceVersion', 'uid'])
  const again = await operations.update(kind, 'shop', 'c', body, asJane)
  assert.equal(again.object.metadata.resourceVersion, object.metadata.resourceVersion)
})

test('strategic merge works on built-in kinds and is 415 on custom ones', async () => {
  const { operations, target } = await aServer()
  const template = { spec: { containers: [{ name: 'a', image: '1' }] } }
  await operations.create(target(deploymentId), 'shop', { metadata: { name: 'd' }, spec: { template } }, asJane)
  const containers = [{ name: 'a', args: ['x'] }]
  const patch = { type: 'strategic', body: { spec: { template: { spec: { containers } } } } } as const
  const { object } = await operations.patch(target(deploymentId), 'shop', 'd', patch, asJane)
  assert.deepEqual(object.spec, { template: { spec: { containers: [{ name: 'a', image: '1', args: ['x'] }] } } })
  await operations.create(target(triggerId), 'shop', aTrigger('t'), asJane)
  await assert.rejects(operations.patch(target(triggerId), 'shop', 't', patch, asJane), {
    code: 415,
    reason: 'UnsupportedMediaType',
    message:
      'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml',
  })
})

test('a JSON patch whose test fails is 422 and tells which, a malformed one is 400', async () => {
  const { operations, target } = await aServer()
  await operations.create(target(cronTabId), 'shop', aCronTab('c'), asJane)
  const patch = (body: unknown) => operations.patch(target(cronTabId), 'shop', 'c', { type: 'json', body }, asJane)
  await assert.rejects(patch([{ op: 'test', path: '/spec/schedule', value: 'x' }]), {
    code: 422,
    reason: 'Invalid',
    message: 'the server rejected our request due to an error in our request',
    details: {
      causes: [
        {
          reason: 'UnexpectedServerResponse',
          message: 'testing value /spec/schedule failed: test failed',
          field: 'patch',
        },
      ],
    },
  })
  await assert.rejects(patch([{ op: 'fly', path: '/spec' }]), { code: 400 })
  await assert.rejects(patch({ spec: {} }), { code: 400 })
  const { object } = await patch([{ op: 'replace', path: '/spec/schedule', value: 'y' }])
  assert.equal((object.spec as { schedule: string }).schedule, 'y')
})

test('merge and strategic patches must be objects', async () => {
  const { operations, target } = await aServer()
  await operations.create(target('ConfigMap'), 'shop', { metadata: { name: 'c' } }, asJane)
  for (const type of ['merge', 'strategic'] as const) {
    const patch = { type, body: [1] }
    await assert.rejects(operations.patch(target('ConfigMap'), 'shop', 'c', patch, asJane), { code: 400 })
  }
})

test('a patch cannot make an object another kind or another name', async () => {
  const { operations, target } = await aServer()
  await operations.create(target(cronTabId), 'shop', aCronTab('c'), asJane)
  const patch = (body: object) => operations.patch(target(cronTabId), 'shop', 'c', { type: 'merge', body }, asJane)
  await assert.rejects(patch({ kind: 'Other' }), { code: 400 })
  await assert.rejects(patch({ metadata: { name: 'd' } }), {
    code: 400,
    message: 'the name of the object (d) does not match the name on the URL (c)',
  })
})

const subresources: [id: string, subresource: 'status' | 'scale' | 'finalize'][] = [
  ['ConfigMap', 'status'],
  [triggerId, 'scale'],
  [triggerId, 'finalize'],
]
for (const [id, subresource] of subresources) {
  test(`${id} has no subresource ${subresource}: 404`, async () => {
    const { operations, target } = await aServer()
    const patch = { type: 'merge', body: {} } as const
    await assert.rejects(operations.patch(target(id), 'shop', 'x', patch, { ...asJane, subresource }), {
      code: 404,
      message: 'the server could not find the requested resource',
    })
  })
}

test('a patch that nests too deeply is refused like an object that does', async () => {
  const { operations, target } = await aServer()
  await operations.create(target('ConfigMap'), 'shop', { metadata: { name: 'c' } }, asJane)
  const deep = (depth: number): object => {
    let value: object = {}
    for (let level = 0; level < depth; level++) value = { a: value }
    return value
  }
  const refused = { code: 400, message: /nests deeper than 512 levels/ }
  for (const type of ['merge', 'strategic', 'apply'] as const) {
    const patch = { type, body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: deep(100_000) } }
    const asManager = { ...asJane, fieldManager: 'm' }
    await assert.rejects(operations.patch(target('ConfigMap'), 'shop', 'c', patch, asManager), refused)
  }
  const json = { type: 'json', body: [{ op: 'add', path: '/data', value: deep(100_000) }] } as const
  await assert.rejects(operations.patch(target('ConfigMap'), 'shop', 'c', json, asJane), refused)
})
