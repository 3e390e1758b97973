import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { defineKind } from '../kind.ts'
import type { KindDefinition } from '../kind.ts'
import { convertTo, toStorage } from './convert.ts'

const versions = ['v1', 'v1beta2'].map((name) => ({ name, schema: {}, columns: [] }))
const names = { group: 'sources.knative.dev', kind: 'PingSource', plural: 'pingsources' }
const sameShape = defineKind({ ...names, versions })
const otherShape: KindDefinition = defineKind({
  ...names,
  versions,
  storageVersion: 'v1beta2',
  convert(object) {
    const spec = object.spec as Record<string, unknown>
    spec['touched'] = true
    return object
  },
})
const ping: Resource = {
  apiVersion: 'sources.knative.dev/v1',
  kind: 'PingSource',
  metadata: { name: 'p' },
  spec: { a: 1 },
}

test('an object that is in the version already is answered as it is', () => {
  assert.equal(convertTo(otherShape, ping, 'v1'), ping)
  assert.equal(toStorage(sameShape, ping), ping)
})

test('without a conversion only the version changes', () => {
  assert.deepEqual(convertTo(sameShape, ping, 'v1beta2'), { ...ping, apiVersion: 'sources.knative.dev/v1beta2' })
})

test('a conversion cannot change the stored object, nor forget the version', () => {
  assert.deepEqual(toStorage(otherShape, ping), {
    ...ping,
    apiVersion: 'sources.knative.dev/v1beta2',
    spec: { a: 1, touched: true },
  })
  assert.deepEqual(ping.spec, { a: 1 })
})
