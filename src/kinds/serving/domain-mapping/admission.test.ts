import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AdmissionContext } from '../../../engine/kind.ts'
import type { KReference } from '../../../model/duck/types.ts'
import { fieldErrorText } from '../../../model/kubernetes/field-error.ts'
import type { ObjectMeta } from '../../../model/kubernetes/resource.ts'
import { setDomainMappingDefaults } from './defaults.ts'
import type { DomainMapping } from './schema.ts'
import { validateDomainMapping } from './validate.ts'

const ref: KReference = { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'hello' }

const aMapping = (name: string, to: KReference = ref, metadata: Partial<ObjectMeta> = {}): DomainMapping => ({
  apiVersion: 'serving.knative.dev/v1beta1',
  kind: 'DomainMapping',
  metadata: { name, namespace: 'shop', ...metadata },
  spec: { ref: to },
})

const complaint = (mapping: DomainMapping, old?: DomainMapping): string => {
  const context: AdmissionContext<DomainMapping> = {
    operation: old === undefined ? 'create' : 'update',
    user: { username: 'anna' },
    config: { data: () => ({}) },
    ...(old !== undefined && { old }),
  }
  return fieldErrorText(validateDomainMapping(mapping, context))
}

test('a reference without a namespace means the mapping’s own', () => {
  const mapping = aMapping('shop.example.com', { ...ref })
  setDomainMappingDefaults(mapping)
  assert.equal(mapping.spec.ref.namespace, 'shop')
  const other = aMapping('shop.example.com', { ...ref, namespace: 'other' })
  setDomainMappingDefaults(other)
  assert.equal(other.spec.ref.namespace, 'other')
})

test('each way a DomainMapping can be wrong is told in upstream’s words', () => {
  const segments = 'should be a domain with at least two segments separated by dots'
  const long = 'a'.repeat(64)
  const rows: [DomainMapping, string][] = [
    [aMapping('shop.example.com'), ''],
    [aMapping('shop'), `invalid name "shop": name: Invalid value: "shop": ${segments}: metadata.name`],
    [
      aMapping(`${long}.com`),
      `invalid name "${long}.com": name: Invalid value: "${long}": must be no more than 63 characters: metadata.name`,
    ],
    [
      aMapping('shop.default.svc.cluster.local'),
      'invalid name "shop.default.svc.cluster.local": must not be a subdomain of cluster local domain "cluster.local": ' +
        'metadata.name',
    ],
    [aMapping('a.example.com', ref, { generateName: 'a.' }), 'must not set the field(s): metadata.generateName'],
    [aMapping('a.example.com', { ...ref, name: '' }), 'missing field(s): spec.ref.name'],
    [
      aMapping('a.example.com', { ...ref, namespace: 'other' }),
      'mismatched namespaces: spec.ref.namespace\nparent namespace: "shop" does not match ref: "other"',
    ],
  ]
  for (const [mapping, expected] of rows) assert.equal(complaint(mapping), expected)
})

test('who made a DomainMapping never changes', () => {
  const by = (name: string): DomainMapping =>
    aMapping('a.example.com', ref, { annotations: { 'serving.knative.dev/creator': name } })
  const refused = 'annotation value is immutable: metadata.annotations.serving.knative.dev/creator'
  assert.equal(complaint(by('bert'), by('anna')), refused)
})
