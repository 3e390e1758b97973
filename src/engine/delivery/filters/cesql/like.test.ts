import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { pick } from '../../../../../test/harness/random-filters.ts'
import { seededRandom } from '../../../../base/random.ts'
import { compileLike, likeShape } from './like.ts'

describe('LIKE matches whole strings', () => {
  const cases: [pattern: string, value: string, matches: boolean][] = [
    ['', '', true],
    ['', 'a', false],
    ['%', '', true],
    ['%', 'a\nb', true],
    ['%%', 'ab', true],
    ['_', '', false],
    ['_', '\n', true],
    ['_', '😀', true],
    ['__', '😀', false],
    ['a', 'a', true],
    ['a', 'A', false],
    ['a%', 'abc', true],
    ['%c', 'abc', true],
    ['a%a', 'a', false],
    ['a%a', 'aa', true],
    ['%b%', 'abc', true],
    ['%ab%ab%', 'aab', false],
    ['a%b%c', 'abbc', true],
    ['a_c', 'abc', true],
    ['a_c', 'ac', false],
    ['%_b', 'b', false],
    ['_%_', 'a', false],
    ['_%_', 'ab', true],
    ['%_x_%', 'axx', true],
    ['.*', 'ab', false],
    ['[ab]', '[ab]', true],
    [String.raw`\%`, '%', true],
    [String.raw`\%`, 'a', false],
    [String.raw`\_`, '_', true],
    [String.raw`\a`, String.raw`\a`, true],
    [String.raw`\\%`, String.raw`\%`, true],
    [String.raw`\\%`, String.raw`\x`, false],
    [String.raw`a\_%`, 'a_bc', true],
    ['\\', '\\', true],
  ]
  for (const [pattern, value, matches] of cases) {
    test(`${JSON.stringify(value)} LIKE ${JSON.stringify(pattern)} is ${matches}`, () => {
      assert.equal(compileLike(pattern)(value), matches)
    })
  }

  test('it agrees with a regular expression on random patterns', () => {
    const random = seededRandom(5)
    for (let round = 0; round < 20_000; round++) {
      const make = (pieces: string[]): string =>
        Array.from({ length: Math.floor(random.next() * 7) }, () => pick(random, pieces)).join('')
      const pattern = make(['a', 'b', '%', '%', '_', '\\%', '😀'])
      const value = make(['a', 'b', 'ab', '%', '😀'])
      const source = pattern.replaceAll(/\\%|[%_]/g, (sign) => (sign === '\\%' ? '%' : sign === '%' ? '.*' : '.'))
      const expected = new RegExp(`^${source}$`, 'su').test(value)
      assert.equal(compileLike(pattern)(value), expected, `${value} LIKE ${pattern}`)
    }
  })

  test('no pattern is slow', () => {
    const value = 'a'.repeat(20_000)
    const before = process.cpuUsage()
    assert.equal(compileLike('%a'.repeat(200) + '%b')(value), false)
    assert.equal(compileLike('%a_'.repeat(200) + '%b_')(value), false)
    // Time of this process, whatever else the machine does.
    assert.ok(process.cpuUsage(before).user < 1_000_000)
  })
})

test('patterns that an index can answer are known by their shape', () => {
  assert.deepEqual(likeShape('abc'), { kind: 'exact', text: 'abc' })
  assert.deepEqual(likeShape(String.raw`a\%%`), { kind: 'prefix', text: 'a%' })
  assert.deepEqual(likeShape('%c'), { kind: 'suffix', text: 'c' })
  assert.deepEqual(likeShape('%'), { kind: 'prefix', text: '' })
  for (const pattern of ['a_', '%b%', 'a%b', '%%']) assert.equal(likeShape(pattern), undefined, pattern)
})
