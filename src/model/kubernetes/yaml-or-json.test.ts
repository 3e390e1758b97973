import assert from 'node:assert/strict'
import test from 'node:test'
import { parseYamlOrJson } from './yaml-or-json.ts'

const valuesOf = (text: string): unknown[] => parseYamlOrJson(text).map(({ value }) => value)

test('JSON objects need nothing between them', () => {
  const rows: [string, unknown[]][] = [
    ['{"a":1}{"b":2}', [{ a: 1 }, { b: 2 }]],
    ['\ufeff{\n\t"a": {"x": [1, {}]}\n}\n{"b":2}\r\n\r\n{"c":3}\n', [{ a: { x: [1, {}] } }, { b: 2 }, { c: 3 }]],
    ['{"a":"}{ \\" ]\\\\"} {"b":"---"}', [{ a: '}{ " ]\\' }, { b: '---' }]],
    ['{"a":1}\n---\n{"b":2}{"c":3}\n---\n', [{ a: 1 }, { b: 2 }, { c: 3 }]],
    ['{"a":1}{"b":2}\n---\nc: 3\n---\nd: 4\n', [{ a: 1 }, { b: 2 }, { c: 3 }, { d: 4 }]],
    ['{"a":1}\n---\n{"b":2}', [{ a: 1 }, { b: 2 }]],
    ['{a: 1}', [{ a: 1 }]],
  ]
  for (const [text, values] of rows) assert.deepEqual(valuesOf(text), values, text)
})

test('JSON that breaks off, goes on with something else, or is wrong inside is told with its line', () => {
  const rows: [string, number, RegExp][] = [
    ['{"a":1}\n{"b":\n  2,\n\n', 3, /^the text ends inside the JSON object that begins at line 2$/],
    ['{"a":1}\n{"b":"x}\n', 2, /^the text ends inside the JSON object that begins at line 2$/],
    ['{"a":1,\n"b": [{}\n', 2, /^the text ends inside the JSON object that begins at line 1$/],
    ['{"a":1},\n{"b":2}\n', 1, /^expected the next JSON object or the end, got ",/],
    ['{"a":1}\n\n{"b":2}}', 3, /^expected the next JSON object or the end, got "\}"$/],
    ['{"a":1}\n{"b":2,\n"b":3}', 3, /^Map keys must be unique$/],
    ['{"a":1}\n{"b":2}\n---\nc: 1\nc: 2\n', 5, /^Map keys must be unique$/],
  ]
  for (const [text, line, message] of rows) {
    const { problem } = parseYamlOrJson(text).at(-1)!
    assert.equal(problem?.line, line, text)
    assert.match(problem.message, message)
  }
})

test('what comes before the place that is wrong is read', () => {
  assert.deepEqual(valuesOf('{"a":1}\n{"b":2,,"c":{}}\n{"d":4}\n{"e":').slice(0, 1), [{ a: 1 }])
  assert.deepEqual(valuesOf('{"a":1}\n{"b":2,"b":2}\n{"d":4}'), [{ a: 1 }, undefined, { d: 4 }])
})
