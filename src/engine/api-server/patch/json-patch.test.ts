import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JsonPatchError, jsonPatch, patchOperationsMax } from './json-patch.ts'

// RFC 6902, appendix A, and a few of our own.
const examples: [what: string, document: unknown, patch: object[], result: unknown][] = [
  ['adds a member', { foo: 'bar' }, [{ op: 'add', path: '/baz', value: 'qux' }], { baz: 'qux', foo: 'bar' }],
  ['adds an element', { foo: ['a', 'b'] }, [{ op: 'add', path: '/foo/1', value: 'q' }], { foo: ['a', 'q', 'b'] }],
  ['appends with a dash', { foo: ['a'] }, [{ op: 'add', path: '/foo/-', value: ['b'] }], { foo: ['a', ['b']] }],
  ['appends at the end', { foo: ['a'] }, [{ op: 'add', path: '/foo/1', value: 'b' }], { foo: ['a', 'b'] }],
  ['replaces on add', { foo: 1 }, [{ op: 'add', path: '/foo', value: 2 }], { foo: 2 }],
  ['removes a member', { baz: 1, foo: 2 }, [{ op: 'remove', path: '/baz' }], { foo: 2 }],
  ['removes an element', { foo: ['a', 'b', 'c'] }, [{ op: 'remove', path: '/foo/1' }], { foo: ['a', 'c'] }],
  ['replaces a value', { baz: 1 }, [{ op: 'replace', path: '/baz', value: 'boo' }], { baz: 'boo' }],
  ['replaces everything', { baz: 1 }, [{ op: 'replace', path: '', value: { a: 1 } }], { a: 1 }],
  [
    'moves a value',
    { foo: { bar: 'baz', waldo: 'fred' }, qux: {} },
    [{ op: 'move', from: '/foo/waldo', path: '/qux/thud' }],
    { foo: { bar: 'baz' }, qux: { thud: 'fred' } },
  ],
  [
    'moves an element',
    { foo: ['a', 'b', 'c'] },
    [{ op: 'move', from: '/foo/0', path: '/foo/2' }],
    { foo: ['b', 'c', 'a'] },
  ],
  ['copies a value', { a: { x: 1 } }, [{ op: 'copy', from: '/a', path: '/b' }], { a: { x: 1 }, b: { x: 1 } }],
  [
    'passes a test',
    { baz: { b: 1, a: 2 } },
    [{ op: 'test', path: '/baz', value: { a: 2, b: 1 } }],
    { baz: { b: 1, a: 2 } },
  ],
  ['takes absent as null in a test', {}, [{ op: 'test', path: '/x/y', value: null }], {}],
  ['unescapes ~0 and ~1', { '/': 9, '~1': 10 }, [{ op: 'remove', path: '/~01' }], { '/': 9 }],
  ['finds names with slashes', { 'a/b': 1 }, [{ op: 'replace', path: '/a~1b', value: 2 }], { 'a/b': 2 }],
  ['ignores members it does not know', {}, [{ op: 'add', path: '/a', value: 1, xyz: 123 }], { a: 1 }],
]

for (const [what, document, patch, result] of examples) {
  test(`a JSON patch ${what}`, () => {
    const before = JSON.stringify(document)
    assert.deepEqual(jsonPatch(document, patch), result)
    assert.equal(JSON.stringify(document), before)
  })
}

const failures: [what: string, document: unknown, patch: object, kind: string, message: string][] = [
  ['an unmet test', { a: 1 }, { op: 'test', path: '/a', value: '1' }, 'failed', 'testing value /a failed: test failed'],
  [
    'a remove of nothing',
    {},
    { op: 'remove', path: '/a' },
    'failed',
    'remove operation does not apply: doc is missing path: "/a": missing value',
  ],
  [
    'a replace of nothing',
    {},
    { op: 'replace', path: '/a', value: 1 },
    'failed',
    'replace operation does not apply: doc is missing key: /a: missing value',
  ],
  [
    'an add below nothing',
    {},
    { op: 'add', path: '/a/b', value: 1 },
    'failed',
    'add operation does not apply: doc is missing path: "/a/b": missing value',
  ],
  [
    'an index beyond the end',
    { a: [] },
    { op: 'add', path: '/a/1', value: 1 },
    'failed',
    'add operation does not apply: Unable to access invalid index: /a/1: invalid index referenced',
  ],
  [
    'an index with a leading zero',
    { a: [1, 2] },
    { op: 'remove', path: '/a/01' },
    'failed',
    'remove operation does not apply: doc is missing path: "/a/01": missing value',
  ],
  [
    'a move into itself',
    { a: {} },
    { op: 'move', from: '/a', path: '/a/b' },
    'failed',
    'move operation does not apply: /a cannot move into itself',
  ],
  [
    'an inherited field',
    {},
    { op: 'remove', path: '/constructor' },
    'failed',
    'remove operation does not apply: doc is missing path: "/constructor": missing value',
  ],
  [
    'an unknown operation',
    {},
    { op: 'spam', path: '/a' },
    'malformed',
    'operation 0 of the patch has the unexpected kind "spam"',
  ],
  ['a missing path', {}, { op: 'remove' }, 'malformed', 'operation 0 of the patch has no path'],
  ['a missing value', {}, { op: 'add', path: '/a' }, 'malformed', 'operation 0 of the patch has no value'],
  ['a missing from', {}, { op: 'move', path: '/a' }, 'malformed', 'operation 0 of the patch has no from'],
  [
    'a relative pointer',
    {},
    { op: 'remove', path: 'a' },
    'malformed',
    'operation 0 of the patch has a path that does not start with "/": a',
  ],
]

for (const [what, document, operation, kind, message] of failures) {
  test(`a JSON patch with ${what} is ${kind} and says so`, () => {
    assert.throws(
      () => jsonPatch(document, [operation]),
      (thrown: unknown) => {
        assert.ok(thrown instanceof JsonPatchError)
        assert.deepEqual([thrown.kind, thrown.message], [kind, message])
        return true
      },
    )
  })
}

test('a body that is no list, or too long a list, is malformed', () => {
  assert.throws(() => jsonPatch({}, { op: 'add' }), { kind: 'malformed' })
  const many = Array.from({ length: patchOperationsMax + 1 }, () => ({ op: 'test', path: '/a', value: null }))
  assert.throws(() => jsonPatch({}, many), { kind: 'malformed' })
})

test('copies of copies stop at a limit instead of filling the memory', () => {
  const doubling = Array.from({ length: 60 }, () => ({ op: 'copy', from: '/a', path: '/a/-' }))
  assert.throws(() => jsonPatch({ a: ['x'.repeat(100)] }, doubling), /the copies add \d+ bytes/)
})

test('a value that one operation added is not shared with the next', () => {
  const value = { list: [] as number[] }
  const patch = [
    { op: 'add', path: '/a', value },
    { op: 'add', path: '/b', value },
    { op: 'add', path: '/a/list/-', value: 1 },
  ]
  assert.deepEqual(jsonPatch({}, patch), { a: { list: [1] }, b: { list: [] } })
  assert.deepEqual(value, { list: [] })
})
