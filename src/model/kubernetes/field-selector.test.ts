import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matchesFields, parseFieldSelector } from './field-selector.ts'

test('field selectors take =, == and !=, and unescape their values', () => {
  assert.deepEqual(parseFieldSelector('metadata.name=a,status.phase!=Active,type==x\\,y\\=z\\\\'), [
    { field: 'metadata.name', equals: true, value: 'a' },
    { field: 'status.phase', equals: false, value: 'Active' },
    { field: 'type', equals: true, value: 'x,y=z\\' },
  ])
  assert.deepEqual(parseFieldSelector(''), [])
})

test('all requirements must hold, and a missing field is empty', () => {
  const valueOf = (field: string): string | undefined => ({ 'metadata.name': 'a' })[field]
  assert.ok(matchesFields(parseFieldSelector('metadata.name=a,type!=b'), valueOf))
  assert.ok(matchesFields(parseFieldSelector('type='), valueOf))
  assert.ok(!matchesFields(parseFieldSelector('metadata.name=a,type=b'), valueOf))
})

test('a selector without an operator is refused', () => {
  assert.throws(() => parseFieldSelector('metadata.name'), {
    code: 'USAGE',
    message: "invalid selector: 'metadata.name'; can't understand 'metadata.name'",
  })
})
