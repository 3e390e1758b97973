import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../../base/random.ts'
import type { Random } from '../../../base/random.ts'
import { fromFieldsV1, intersect, isEmptySet, pathTexts, sameSet, subtract, toFieldsV1, unite } from './field-set.ts'

test('fieldsV1 survives reading and writing, sorted', () => {
  const fields = {
    'f:metadata': { 'f:labels': { '.': {}, 'f:app.kubernetes.io/name': {} } },
    'f:spec': { 'f:jobs': { 'k:{"name":"a","port":80}': { '.': {}, 'f:image': {} } }, 'f:tags': { 'v:"x"': {} } },
  }
  assert.deepEqual(toFieldsV1(fromFieldsV1(fields)), fields)
  assert.equal(JSON.stringify(toFieldsV1(fromFieldsV1({ 'f:b': {}, 'f:a': {} }))), '{"f:a":{},"f:b":{}}')
})

test('paths read like the conflicts of Kubernetes', () => {
  const fields = {
    'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
    'f:spec': { 'f:jobs': { 'k:{"name":"a","port":80}': { 'f:image': {} } }, 'f:tags': { 'v:"x"': {} } },
  }
  assert.deepEqual(pathTexts(fromFieldsV1(fields)), [
    '.metadata.labels',
    '.metadata.labels.app',
    '.spec.jobs[name="a",port=80].image',
    '.spec.tags[="x"]',
  ])
})

for (const bad of [{ 'x:a': {} }, { 'k:name': {} }, { 'k:"text"': {} }, { 'f:a': 1 }, [], null]) {
  test(`${JSON.stringify(bad)} is no set of fields`, () => {
    assert.throws(() => fromFieldsV1(bad))
  })
}

test('for any sets: union, intersection and difference agree with those of their paths', () => {
  const random = seededRandom(3)
  for (let round = 0; round < 300; round++) {
    const a = fromFieldsV1(anyFields(random, 3))
    const b = fromFieldsV1(anyFields(random, 3))
    const [inA, inB] = [pathTexts(a), pathTexts(b)]
    const sorted = (paths: string[]): string[] => [...new Set(paths)].sort()
    assert.deepEqual(sorted(pathTexts(unite(a, b))), sorted([...inA, ...inB]))
    assert.deepEqual(sorted(pathTexts(intersect(a, b))), sorted(inA.filter((path) => inB.includes(path))))
    assert.deepEqual(sorted(pathTexts(subtract(a, b))), sorted(inA.filter((path) => !inB.includes(path))))
    assert.equal(isEmptySet(subtract(a, a)), true)
    assert.equal(sameSet(unite(subtract(a, b), intersect(a, b)), a), true)
  }
})

function anyFields(random: Random, depth: number): Record<string, unknown> {
  const names = ['f:a', 'f:b', 'f:c'].filter(() => random.next() < 0.6)
  const children = names.map((name) => [name, depth === 0 ? {} : anyFields(random, depth - 1)])
  return { ...Object.fromEntries(children), ...(random.next() < 0.3 ? { '.': {} } : {}) }
}
