import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../../base/random.ts'
import { PatternTrie } from './pattern-trie.ts'

test('it finds the patterns that a text starts with, shortest first, whatever was added and removed before', () => {
  const random = seededRandom(3)
  const text = (length: number): string =>
    Array.from(
      { length: Math.floor(random.next() * length) },
      () => 'ab\u{1f600}'[Math.floor(random.next() * 4)]!,
    ).join('')
  const trie = new PatternTrie<string>()
  const known = new Set<string>()
  let found = 0
  for (let round = 0; round < 20_000; round++) {
    const pattern = text(6)
    if (random.next() < 0.5) {
      trie.set(pattern, pattern)
      known.add(pattern)
    } else {
      trie.delete(pattern)
      known.delete(pattern)
    }
    const probe = text(9)
    const matches: string[] = []
    trie.forEachPrefixOf(probe, (value) => matches.push(value))
    const expected = [...known].filter((one) => probe.startsWith(one)).sort((one, other) => one.length - other.length)
    assert.deepEqual(matches, expected)
    found += matches.length
  }
  assert.ok(found > 10_000)
})

test('a pattern that was removed leaves no node behind', () => {
  const trie = new PatternTrie<number>()
  const patterns = ['com.example.order', 'com.example.invoice', 'com', 'org', 'com.example', '']
  for (const [index, pattern] of patterns.entries()) trie.set(pattern, index)
  for (const pattern of patterns) trie.delete(pattern)
  trie.delete('never there')
  let found = 0
  trie.forEachPrefixOf('com.example.order', () => found++)
  assert.equal(found, 0)
  assert.ok(trie.isEmpty)
})
