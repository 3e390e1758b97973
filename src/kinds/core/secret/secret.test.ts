import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setSecretDefaults } from './defaults.ts'
import type { Secret } from './schema.ts'
import { validateSecret } from './validate.ts'

const aSecret = (parts: Partial<Secret>): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 's', namespace: 'default' },
  type: 'Opaque',
  ...parts,
})
const base64 = (text: string): string => Buffer.from(text).toString('base64')
const complaints = (secret: Secret, old?: Secret): string[] =>
  validateSecret(secret, {
    operation: old === undefined ? 'create' : 'update',
    user: { username: 'u' },
    config: { data: () => ({}) },
    ...(old !== undefined && { old }),
  }).flatMap(({ paths, message }) => paths.map((path) => `${path}: ${message}`))

test('stringData is folded into data, wins there, and is never stored', () => {
  const draft: Secret = { ...aSecret({ data: { a: base64('old'), b: base64('b') }, stringData: { a: 'new', c: 'ü' } }) }
  delete draft.type
  setSecretDefaults(draft)
  assert.deepEqual(draft, aSecret({ data: { a: base64('new'), b: base64('b'), c: base64('ü') } }))
  setSecretDefaults(draft)
  assert.equal(draft.data?.['a'], base64('new'))
})

test('values are base64, and no message repeats one', () => {
  assert.deepEqual(complaints(aSecret({ data: { a: 'top secret!' } })), ['data[a]: Invalid value: must be base64'])
})

test('well-known types ask for their keys', () => {
  for (const [type, data, wanted] of [
    ['kubernetes.io/tls', { 'tls.crt': '' }, ['data[tls.key]: missing field(s)']],
    ['kubernetes.io/basic-auth', {}, ['data[username]: missing field(s)', 'data[password]: missing field(s)']],
    ['kubernetes.io/basic-auth', { password: '' }, []],
    ['kubernetes.io/dockerconfigjson', { '.dockerconfigjson': base64('{}') }, []],
    [
      'kubernetes.io/dockerconfigjson',
      { '.dockerconfigjson': base64('{') },
      ['data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": must be JSON'],
    ],
    [
      'kubernetes.io/service-account-token',
      {},
      ['metadata.annotations[kubernetes.io/service-account.name]: missing field(s)'],
    ],
    ['my.own/type', {}, []],
    ['constructor', {}, []],
  ] as [string, Record<string, string>, string[]][]) {
    assert.deepEqual(complaints(aSecret({ type, data })), wanted, type)
  }
})

test('the type cannot change, and an immutable Secret keeps its data', () => {
  const old = aSecret({ immutable: true, data: { a: '' } })
  assert.deepEqual(complaints(aSecret({ type: 'x', immutable: true, data: {} }), old), [
    'type: invalid value: x',
    'data: must not set the field(s)',
  ])
})
