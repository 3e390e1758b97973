import assert from 'node:assert/strict'
import test from 'node:test'
import { parse } from 'yaml'
import { parseYaml, writeYaml } from './yaml.ts'

const valueOf = (text: string): unknown => parseYaml(text)[0]?.value

test('YAML is read as kubectl reads it: 1.1, but dates and sexagesimals stay text', () => {
  const rows: [string, unknown][] = [
    ['y', true],
    ['off', false],
    ['"y"', 'y'],
    ['0777', 511],
    ['1_000', 1000],
    ['~', null],
    ['2026-01-01', '2026-01-01'],
    ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'],
    ['22:22', '22:22'],
    ['1:30.5', '1:30.5'],
    ['1.50', 1.5],
    ['*/5 * * * *'.replace('*', '"*').concat('"'), '*/5 * * * *'],
  ]
  for (const [text, value] of rows) assert.deepEqual(valueOf(`a: ${text}`), { a: value }, text)
})

test('merge keys, anchors and several documents are read, empty documents are null', () => {
  const documents = parseYaml('base: &b {x: 1}\nderived: {<<: *b, z: 2}\n---\n---\n# nothing\n---\n[1]\n')
  assert.deepEqual(
    documents.map(({ value }) => value),
    [{ base: { x: 1 }, derived: { x: 1, z: 2 } }, null, null, [1]],
  )
  assert.deepEqual(parseYaml(''), [])
})

test('what does not parse is told with its line in the whole text', () => {
  const [good, bad] = parseYaml('a: 1\n---\nb: 2\nc: [1, 2\nd: 3\n')
  assert.deepEqual(good?.value, { a: 1 })
  assert.equal(bad?.problem?.line, 5)
  assert.match(bad?.problem?.message ?? '', /^Flow sequence/)
  assert.equal(parseYaml('a: 1\na: 2\n')[0]?.problem?.message, 'Map keys must be unique')
  assert.match(parseYaml('a: *nowhere')[0]?.problem?.message ?? '', /nowhere/)
})

test('what is written reads back as the same value, in either version', () => {
  const value = {
    yes: 'yes',
    on: true,
    date: '2026-01-01',
    text: 'a: b\nc\n',
    list: [{ a: null }],
    empty: {},
    n: '007',
    octal: '0o7',
  }
  assert.deepEqual(valueOf(writeYaml(value)), value)
  assert.deepEqual(parse(writeYaml(value)), value)
})
