import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reconcileOnce } from '../../../engine/control-loop/reconcile-once.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { namespace } from './kind.ts'
import type { Namespace } from './schema.ts'

const aNamespace = (metadata: object = {}): Namespace => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: 'shop', ...metadata },
})
const inShop = (kind: string, name: string, more: object = {}): Resource => ({
  apiVersion: 'v1',
  kind,
  metadata: { name, namespace: 'shop' },
  ...more,
})
const made = (applied: Resource[]): string[] =>
  applied.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`)

test('a Namespace gets its account and its certificates', async () => {
  const { applied } = await reconcileOnce(aNamespace(), { kind: namespace })
  assert.deepEqual(made(applied), ['ServiceAccount shop/default', 'ConfigMap shop/kube-root-ca.crt'])
})

test('what is there stays as it is, and what was deleted comes back', async () => {
  const account = inShop('ServiceAccount', 'default', { secrets: [{ name: 'mine' }] })
  const { applied } = await reconcileOnce(aNamespace(), { kind: namespace, stored: [account] })
  assert.deepEqual(made(applied), ['ConfigMap shop/kube-root-ca.crt'])
})

test('a Namespace that goes gets nothing new', async () => {
  const going = aNamespace({ deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['a.test/b'] })
  const { applied } = await reconcileOnce(going, { kind: namespace })
  assert.deepEqual(made(applied), [])
})
