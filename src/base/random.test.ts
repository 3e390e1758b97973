import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomHex, seededRandom, systemRandom } from './random.ts'

for (const [name, random] of [
  ['the system’s', systemRandom],
  ['a seeded one', seededRandom(1)],
] as const) {
  test(`hexadecimal digits of ${name} are as many as wanted, and each may be any`, () => {
    const length = 48
    const seen = Array.from({ length }, () => new Set<string>())
    for (let at = 0; at < 400; at++) {
      const digits = randomHex(random, length)
      assert.match(digits, /^[0-9a-f]{48}$/)
      for (const [place, digitsSeen] of seen.entries()) digitsSeen.add(digits[place]!)
    }
    assert.deepEqual(
      seen.map(({ size }) => size),
      Array.from({ length }, () => 16),
    )
    for (const count of [0, 1, 16, 30, 31, 61]) assert.equal(randomHex(random, count).length, count)
  })
}
