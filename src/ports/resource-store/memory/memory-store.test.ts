// The memory store keeps the contract of all stores.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { itKeepsTheStoreContract } from '../contract.ts'
import { openResourceStore } from '../open.ts'

describe('memory store', () => {
  itKeepsTheStoreContract((options) => openResourceStore({ driver: 'memory', ...options }))

  it('lets nobody change a stored object in place', async () => {
    await using store = await openResourceStore({ driver: 'memory' })
    const key = { resource: 'configmaps', namespace: 'default', name: 'c' }
    const stored = await store.put(key, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', labels: {} } })
    assert.throws(() => (stored.metadata.labels!['app'] = 'x'), TypeError)
  })
})
