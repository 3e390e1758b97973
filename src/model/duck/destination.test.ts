// Destinations and references: each complaint in upstream's words.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { at, fieldErrorText } from '../kubernetes/field-error.ts'
import { validateDestination, validateKReference } from './destination.ts'
import type { Destination } from './types.ts'

const ref = { apiVersion: 'v1', kind: 'Service', name: 'shop' }
const complaint = (dest: unknown): string => fieldErrorText(at('spec.sink', validateDestination(dest as Destination)))

const rows: [string, unknown, string][] = [
  ['a reference', { ref }, ''],
  ['an absolute uri', { uri: 'http://shop.example' }, ''],
  ['a reference with a relative uri', { ref, uri: '/orders' }, ''],
  ['nothing at all', {}, 'expected at least one, got none: spec.sink.ref, spec.sink.uri'],
  [
    'a reference and an absolute uri',
    { ref, uri: 'http://shop.example' },
    'Absolute URI is not allowed when Ref or [apiVersion, kind, name] is present: ' +
      'spec.sink.ref, spec.sink.uri, spec.sink[apiVersion, kind, name]',
  ],
  [
    'a lone relative uri',
    { uri: '/orders' },
    'invalid value: Relative URI is not allowed when Ref and [apiVersion, kind, name] is absent: spec.sink.uri',
  ],
  [
    'a uri without a host',
    { uri: 'http:///orders' },
    'invalid value: Relative URI is not allowed when Ref and [apiVersion, kind, name] is absent: spec.sink.uri',
  ],
  [
    'an empty reference',
    { ref: {} },
    'missing field(s): spec.sink.ref.apiVersion, spec.sink.ref.kind, spec.sink.ref.name',
  ],
  ['a group', { ref: { ...ref, group: 'apps' } }, 'must not set the field(s): spec.sink.ref.group'],
  [
    'a certificate that is none',
    { uri: 'https://shop.example', CACerts: 'hello' },
    'invalid value: CA Cert provided is invalid: spec.sink.caCert',
  ],
]

for (const [name, dest, text] of rows) {
  test(`${name}: ${text === '' ? 'fine' : 'refused'}`, () => assert.equal(complaint(dest), text))
}

test('with the group flag, a group stands in for the apiVersion', () => {
  const rules = { groupAllowed: true }
  assert.deepEqual(validateKReference({ kind: 'Service', name: 'shop', group: 'apps' }, rules), [])
  assert.equal(
    fieldErrorText(validateKReference({ kind: 'A', name: 'b' }, rules)),
    'missing field(s): apiVersion, group',
  )
})

test('a reference into another namespace is refused only where the kind says so', () => {
  const other = { ...ref, namespace: 'b' }
  assert.deepEqual(validateKReference(other), [])
  assert.equal(
    fieldErrorText(validateKReference(other, { parentNamespace: 'a' })),
    'mismatched namespaces: namespace\nparent namespace: "a" does not match ref: "b"',
  )
})
