// Misspelt annotations of Knode's domain are told, with what was meant.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fieldErrorText } from '../kubernetes/field-error.ts'
import { unknownOwnAnnotations } from './own-annotations.ts'

const known = ['knode.dev/rate', 'knode.dev/paused']
const family = ['knode.dev/command', 'knode.dev/command.*']

const rows: [what: string, annotations: Record<string, string>, text: string][] = [
  ['known ones', { 'knode.dev/rate': '1/s', 'knode.dev/paused': 'true' }, ''],
  ['those of other domains', { 'example.com/pausd': 'x', 'knative.dev/pausd': 'x', pausd: 'x' }, ''],
  ['what Knode writes itself', { 'knode.dev/applied': '{}' }, ''],
  [
    'a misspelt one',
    { 'knode.dev/pausd': 'true' },
    'invalid key name "knode.dev/pausd": metadata.annotations\n' +
      'did you mean knode.dev/paused? known here: knode.dev/paused, knode.dev/rate',
  ],
  [
    'one in the wrong case',
    { 'knode.dev/Rate': '1/s' },
    'invalid key name "knode.dev/Rate": metadata.annotations\n' +
      'did you mean knode.dev/rate? known here: knode.dev/paused, knode.dev/rate',
  ],
  [
    'two at once, one of them like nothing else',
    { 'knode.dev/colour': 'red', 'knode.dev/rates': '1/s' },
    'invalid key name "knode.dev/colour": metadata.annotations\n' +
      'known here: knode.dev/paused, knode.dev/rate\n' +
      'invalid key name "knode.dev/rates": metadata.annotations\n' +
      'did you mean knode.dev/rate? known here: knode.dev/paused, knode.dev/rate',
  ],
]
for (const [what, annotations, text] of rows) {
  test(`of Knode's annotations, ${what}: ${text === '' ? 'fine' : 'told'}`, () => {
    assert.equal(fieldErrorText(unknownOwnAnnotations(annotations, known)), text)
  })
}

test('where there are none at all, that is said', () => {
  const text = fieldErrorText(unknownOwnAnnotations({ 'knode.dev/paused': 'true' }, []))
  assert.match(text, /there are no knode\.dev annotations here/)
})

test('what an object already has may stay', () => {
  const before = { 'knode.dev/older': '1' }
  assert.deepEqual(unknownOwnAnnotations({ 'knode.dev/older': '2' }, known, before), [])
  assert.equal(unknownOwnAnnotations({ 'knode.dev/newer': '2' }, known, before).length, 1)
})

test('a name that ends with a star stands for its family, of which each member needs a name', () => {
  const annotations = { 'knode.dev/command': 'a', 'knode.dev/command.side': 'b', 'knode.dev/commands': 'c' }
  const errors = unknownOwnAnnotations(annotations, family)
  assert.deepEqual(
    errors.map(({ message }) => message),
    ['invalid key name "knode.dev/commands"'],
  )
})
