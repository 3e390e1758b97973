// A message survives its compact form, whatever is in it.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Random } from '../../base/random.ts'
import { seededRandom } from '../../base/random.ts'
import type { AttributeValue, EventMessage } from './event.ts'
import { decodeRecord, encodeRecord, recordBytesMax } from './record.ts'

const alphabet = Array.from('abcXYZ019 %"\\\u007f\u0080\u00ffü€渴了😀')
const upTo = (random: Random, max: number): number => Math.floor(random.next() * (max + 1))
const pick = <Item>(random: Random, items: readonly Item[]): Item => items[upTo(random, items.length - 1)]!
const aText = (random: Random, lengthMax: number): string =>
  Array.from({ length: upTo(random, lengthMax) }, () => pick(random, alphabet)).join('')

function aValue(random: Random): AttributeValue {
  return pick<() => AttributeValue>(random, [
    () => aText(random, pick(random, [5, 31, 32, 127, 128, 300, 20_000])),
    () => pick(random, [0, -1, 1, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, 1.5, -0, 1e300]),
    () => random.next() < 0.5,
  ])()
}

function anyMessage(random: Random): EventMessage {
  const names = ['id', 'source', 'type', 'specversion', 'time', 'partitionkey', 'x', 'a'.repeat(200)]
  const attributes = new Map<string, AttributeValue>()
  for (let count = upTo(random, 8); count > 0; count--) attributes.set(pick(random, names), aValue(random))
  const headers: Record<string, string> = {}
  for (let count = upTo(random, 3); count > 0; count--) {
    headers[pick(random, ['traceparent', 'baggage', 'knative-x', 'x-b3-flags'])] = aText(random, 40)
  }
  const length = pick(random, [0, 1, 127, 128, 100_000])
  const data = random.next() < 0.2 ? undefined : Buffer.from(Uint8Array.from({ length }, () => upTo(random, 255)))
  return { event: { attributes, data }, headers }
}

describe('records', () => {
  it('decode to the message that was encoded, in order and type, and stay within the announced size', () => {
    const random = seededRandom(11)
    for (let round = 0; round < 500; round++) {
      const message = anyMessage(random)
      const record = encodeRecord(message)
      assert.ok(record.length <= recordBytesMax(message), `round ${round}`)
      const decoded = decodeRecord(record)
      assert.deepStrictEqual([...decoded.event.attributes], [...message.event.attributes], `round ${round}`)
      assert.deepStrictEqual(Object.entries(decoded.headers), Object.entries(message.headers), `round ${round}`)
      assert.deepStrictEqual(decoded.event.data, message.event.data, `round ${round}`)
    }
  })

  it('cost little more than the texts and data in them', () => {
    const attributes = new Map<string, AttributeValue>([
      ['specversion', '1.0'],
      ['id', '12345'],
      ['source', '/shop'],
      ['type', 'order'],
    ])
    assert.equal(
      encodeRecord({ event: { attributes, data: Buffer.alloc(100) }, headers: {} }).length,
      18 + 100 + 4 * 2 + 4,
    )
  })

  it('that are cut or changed are refused or read as something, but never crash the reader', () => {
    const random = seededRandom(12)
    const isRefusal = (error: unknown): boolean => (error as { code?: string }).code === 'INVALID_EVENT'
    for (let round = 0; round < 300; round++) {
      const record = encodeRecord(anyMessage(random))
      assert.throws(() => decodeRecord(record.subarray(0, upTo(random, record.length - 1))), isRefusal)
      const changed = Buffer.from(record)
      changed[upTo(random, Math.min(60, record.length - 1))]! ^= 1 << upTo(random, 7)
      try {
        decodeRecord(changed)
      } catch (error) {
        assert.ok(isRefusal(error), String(error))
      }
    }
  })
})
