import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { aServer, aTrigger, asJane, triggerId } from './test-server.ts'
import type { TestServer } from './test-server.ts'

const namespaced = ({ operations, target }: TestServer) => ({
  get: (name: string): Promise<Resource> => operations.get(target('Namespace'), '', name),
  patch: async (name: string, body: object): Promise<Resource> =>
    (await operations.patch(target('Namespace'), '', name, { type: 'merge', body }, asJane)).object,
  finalize: async (name: string, finalizers: string[]): Promise<Resource> => {
    const body = { metadata: { name }, spec: { finalizers } }
    const options = { ...asJane, subresource: 'finalize' } as const
    return (await operations.update(target('Namespace'), '', name, body, options)).object
  },
})

test('a new Namespace is Active, labelled with its name, and kept by its content', async () => {
  const server = await aServer()
  const body = { metadata: { name: 'test' }, spec: {}, status: { phase: 'Terminating' } }
  const { object } = await server.operations.create(server.target('Namespace'), '', body, asJane)
  assert.deepEqual(object.metadata.labels, { 'kubernetes.io/metadata.name': 'test' })
  assert.deepEqual([object.spec, object.status], [{ finalizers: ['kubernetes'] }, { phase: 'Active' }])
})

test('writes change neither the finalizers nor the name label nor the phase of a Namespace', async () => {
  const { get, patch } = namespaced(await aServer())
  const labels = { 'kubernetes.io/metadata.name': 'lie', mine: 'yes' }
  const changed = await patch('shop', { metadata: { labels }, spec: { finalizers: [] }, status: { phase: 'Gone' } })
  assert.deepEqual(changed.metadata.labels, { 'kubernetes.io/metadata.name': 'shop', mine: 'yes' })
  assert.deepEqual([changed.spec, changed.status], [{ finalizers: ['kubernetes'] }, { phase: 'Active' }])
  assert.deepEqual(await get('shop'), changed)
})

test('creating in a missing namespace is 404 on the namespace', async () => {
  const { operations, target } = await aServer()
  await assert.rejects(operations.create(target(triggerId), 'nowhere', aTrigger('t'), asJane), {
    code: 404,
    reason: 'NotFound',
    message: 'namespaces "nowhere" not found',
    details: { name: 'nowhere', kind: 'namespaces' },
  })
})

test('a deleted Namespace terminates, takes nothing new, and goes when its content is gone', async () => {
  const server = await aServer()
  const { operations, target } = server
  const { get, finalize } = namespaced(server)
  const { object, gone } = await operations.delete(target('Namespace'), '', 'shop', asJane)
  assert.equal(gone, false)
  assert.deepEqual(object.status, { phase: 'Terminating' })
  assert.equal(object.metadata.deletionTimestamp, '2026-01-01T00:00:00Z')
  await assert.rejects(operations.create(target('ConfigMap'), 'shop', { metadata: { name: 'c' } }, asJane), {
    code: 403,
    reason: 'Forbidden',
    message:
      'configmaps "c" is forbidden: unable to create new content in namespace shop because it is being terminated',
    details: {
      name: 'c',
      kind: 'configmaps',
      causes: [
        {
          reason: 'NamespaceTerminating',
          message: 'namespace shop is being terminated',
          field: 'metadata.namespace',
        },
      ],
    },
  })
  const again = await operations.delete(target('Namespace'), '', 'shop', asJane)
  assert.deepEqual(again.object, object)
  assert.deepEqual((await finalize('shop', [])).spec, { finalizers: [] })
  await assert.rejects(get('shop'), { code: 404 })
})

test('what is created while its namespace goes away does not outlive it', async () => {
  const server = await aServer()
  const { operations, target, store } = server
  const { finalize } = namespaced(server)
  const put = store.put.bind(store)
  // The namespace was found empty just before, and goes as soon as the object is there.
  store.put = async (key, object, options) => {
    const stored = await put(key, object, options)
    if (key.resource.startsWith('triggers')) {
      store.put = put
      await operations.delete(target('Namespace'), '', 'shop', asJane)
      await finalize('shop', [])
    }
    return stored
  }
  await assert.rejects(operations.create(target(triggerId), 'shop', aTrigger('t'), asJane), {
    code: 404,
    message: 'namespaces "shop" not found',
  })
  const { items } = await store.list({ namespace: 'shop' })
  assert.deepEqual(items, [])
})

test('finalizing a living Namespace does not delete it', async () => {
  const { get, finalize } = namespaced(await aServer())
  await finalize('shop', [])
  assert.deepEqual((await get('shop')).spec, { finalizers: [] })
})

test('a Namespace also waits for the finalizers in its metadata', async () => {
  const server = await aServer()
  const { get, patch, finalize } = namespaced(server)
  await patch('shop', { metadata: { finalizers: ['example.com/a'] } })
  await server.operations.delete(server.target('Namespace'), '', 'shop', asJane)
  await finalize('shop', [])
  assert.deepEqual((await get('shop')).spec, { finalizers: [] })
  await patch('shop', { metadata: { finalizers: null } })
  await assert.rejects(get('shop'), { code: 404 })
})

test('the namespaces that every cluster has cannot be deleted', async () => {
  const { operations, target } = await aServer()
  await operations.create(target('Namespace'), '', { metadata: { name: 'default' } }, asJane)
  await assert.rejects(operations.delete(target('Namespace'), '', 'default', asJane), {
    code: 403,
    message: 'namespaces "default" is forbidden: this namespace may not be deleted',
  })
})
