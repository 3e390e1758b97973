import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ObjectMeta } from '../../model/kubernetes/resource.ts'
import { defineKind } from '../kind.ts'
import type { KindDefinition, NameFormat } from '../kind.ts'
import { metadataChangeErrors, metadataErrors } from './metadata-check.ts'

const kindWith = (nameFormat: NameFormat, scope: 'Namespaced' | 'Cluster' = 'Namespaced'): KindDefinition =>
  defineKind({
    group: 'example.com',
    kind: 'Thing',
    plural: 'things',
    nameFormat,
    scope,
    versions: [{ name: 'v1', schema: {}, columns: [] }],
  })

const subdomainRule =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
const labelRule =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
const dns1035Rule =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"

const nameTable: [NameFormat, string, string | undefined][] = [
  ['dns-subdomain', 'a.b-c.1', undefined],
  ['dns-subdomain', 'Orders', `Invalid value: "Orders": ${subdomainRule}`],
  ['dns-subdomain', 'a_b', `Invalid value: "a_b": ${subdomainRule}`],
  ['dns-subdomain', 'x'.repeat(254), `Invalid value: "${'x'.repeat(254)}": must be no more than 253 characters`],
  ['dns-subdomain', '', 'Required value: name or generateName is required'],
  ['dns-label', 'knative-eventing', undefined],
  ['dns-label', 'a.b', `Invalid value: "a.b": ${labelRule}`],
  ['dns-1035', 'svc-1', undefined],
  ['dns-1035', '1-svc', `Invalid value: "1-svc": ${dns1035Rule}`],
  ['path-segment', 'recv.Received.1', undefined],
  ['path-segment', 'system:node-proxier', undefined],
  ['path-segment', 'a/b', `Invalid value: "a/b": may not contain '/'`],
  ['path-segment', '..', `Invalid value: "..": may not be '..'`],
]

for (const [format, name, message] of nameTable) {
  test(`the name ${JSON.stringify(name.slice(0, 20))} as ${format} is ${message === undefined ? 'fine' : 'refused'}`, () => {
    const errors = metadataErrors(kindWith(format), { name, namespace: 'shop' })
    const field = 'metadata.name'
    const reason = name === '' ? 'FieldValueRequired' : 'FieldValueInvalid'
    assert.deepEqual(errors, message === undefined ? [] : [{ reason, message, field }])
  })
}

test('a generateName may end with the dash before the generated part', () => {
  const kind = kindWith('dns-subdomain')
  assert.deepEqual(metadataErrors(kind, { name: 'a-x', generateName: 'a-', namespace: 'shop' }), [])
  const [error] = metadataErrors(kind, { name: 'a-x', generateName: 'A-', namespace: 'shop' })
  assert.equal(error?.field, 'metadata.generateName')
})

const metadataTable: [string, Partial<ObjectMeta>, [field: string, message: string][]][] = [
  ['good labels', { labels: { app: 'x', 'example.com/part-of': '', Upper_1: 'A.b' } }, []],
  [
    'a label key without a name',
    { labels: { 'example.com/': 'x' } },
    [
      ['metadata.labels', 'Invalid value: "example.com/": name part must be non-empty'],
      [
        'metadata.labels',
        `Invalid value: "example.com/": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
      ],
    ],
  ],
  [
    'a label value with a space',
    { labels: { app: 'a b' } },
    [
      [
        'metadata.labels',
        `Invalid value: "a b": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
      ],
    ],
  ],
  [
    'a label value that is too long',
    { labels: { app: 'x'.repeat(64) } },
    [['metadata.labels', `Invalid value: "${'x'.repeat(64)}": must be no more than 63 characters`]],
  ],
  ['annotation keys with capitals', { annotations: { 'Example.com/Note': 'any text\nat all' } }, []],
  [
    'annotations over 256 KiB',
    { annotations: { a: 'x'.repeat(262_144) } },
    [['metadata.annotations', 'Too long: may not be more than 262144 bytes']],
  ],
  [
    'an owner without kind and uid',
    { ownerReferences: [{ apiVersion: 'v1', kind: '', name: 'a', uid: '' }] },
    [
      ['metadata.ownerReferences.kind', 'Invalid value: "": must not be empty'],
      ['metadata.ownerReferences.uid', 'Invalid value: "": must not be empty'],
    ],
  ],
  [
    'two controllers',
    {
      ownerReferences: ['a', 'b'].map((name) => ({ apiVersion: 'v1', kind: 'Pod', name, uid: name, controller: true })),
    },
    [
      [
        'metadata.ownerReferences',
        'Invalid value: ["a","b"]: Only one reference can have Controller set to true. Found "true" in references for a and b',
      ],
    ],
  ],
  [
    'a finalizer that is no qualified name',
    { finalizers: ['a/b/c'] },
    [
      [
        'metadata.finalizers[0]',
        `Invalid value: "a/b/c": a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
      ],
    ],
  ],
]

for (const [what, metadata, expected] of metadataTable) {
  test(`metadata with ${what} is ${expected.length === 0 ? 'fine' : 'refused'}`, () => {
    const errors = metadataErrors(kindWith('dns-subdomain'), { name: 'a', namespace: 'shop', ...metadata })
    assert.deepEqual(
      errors.map(({ field, message }) => [field, message]),
      expected,
    )
  })
}

test('a cluster-scoped object has no namespace, any other must have one', () => {
  assert.deepEqual(metadataErrors(kindWith('dns-subdomain', 'Cluster'), { name: 'a', namespace: 'shop' }), [
    { reason: 'FieldValueForbidden', message: 'Forbidden: not allowed on this type', field: 'metadata.namespace' },
  ])
  assert.deepEqual(metadataErrors(kindWith('dns-subdomain'), { name: 'a' }), [
    { reason: 'FieldValueRequired', message: 'Required value', field: 'metadata.namespace' },
  ])
})

test('identity and times cannot change, and a dying object gets no new finalizer', () => {
  const before: ObjectMeta = { name: 'a', uid: 'u', creationTimestamp: 't1', finalizers: ['example.com/a'] }
  assert.deepEqual(metadataChangeErrors(before, { ...before, finalizers: ['example.com/b'] }), [])
  assert.deepEqual(
    metadataChangeErrors(before, { ...before, creationTimestamp: 't2', deletionTimestamp: 't3' }).map(
      ({ field, message }) => `${field}: ${message}`,
    ),
    [
      'metadata.creationTimestamp: Invalid value: "t2": field is immutable',
      'metadata.deletionTimestamp: Invalid value: "t3": field is immutable',
    ],
  )
  const dying = { ...before, deletionTimestamp: 't2' }
  assert.deepEqual(metadataChangeErrors(dying, { ...dying, finalizers: [] }), [])
  assert.deepEqual(metadataChangeErrors(dying, { ...dying, finalizers: ['example.com/a', 'example.com/b'] }), [
    {
      reason: 'FieldValueForbidden',
      message:
        'Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/b"}',
      field: 'metadata.finalizers',
    },
  ])
})
