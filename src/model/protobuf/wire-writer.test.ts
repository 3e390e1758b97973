import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wireFields } from './wire-reader.ts'
import { WireWriter } from './wire-writer.ts'

const hexOf = (write: (writer: WireWriter) => void): string => {
  const writer = new WireWriter()
  write(writer)
  return Buffer.from(writer.bytes).toString('hex')
}

const fields: [what: string, write: (writer: WireWriter) => void, hex: string][] = [
  // The examples of protobuf.dev, "Encoding".
  ['a number', (writer) => writer.varint(1, 150), '089601'],
  ['a text', (writer) => writer.string(2, 'testing'), '120774657374696e67'],
  ['a message', (writer) => writer.message(3, () => writer.varint(1, 150)), '1a03089601'],
  ['an empty message', (writer) => writer.message(3, () => undefined), '1a00'],
  ['a large number', (writer) => writer.varint(1, 2 ** 53 - 1), '08ffffffffffffff0f'],
  ['a negative number', (writer) => writer.int64(3, -1n), '18ffffffffffffffffff01'],
  ['nothing for zero and for no text', (writer) => (writer.varint(1, 0), writer.string(2, ''), writer.hex(3, '')), ''],
  ['zero where it counts', (writer) => (writer.sfixed64(6, 0n), writer.int64(3, 0n)), '3100000000000000001800'],
  ['bytes', (writer) => writer.hex(1, 'ff00aa'), '0a03ff00aa'],
  ['fixed numbers', (writer) => (writer.fixed32(16, 1), writer.fixed64(7, 1n)), '850101000000390100000000000000'],
  ['a negative fixed number', (writer) => writer.sfixed64(6, -1n), '31ffffffffffffffff'],
  ['a fraction', (writer) => writer.double(4, 0.5), '21000000000000e03f'],
  ['packed numbers', (writer) => writer.packedFixed64(6, [1, 2]), '321001000000000000000200000000000000'],
  ['packed fractions', (writer) => writer.packedDoubles(7, [0.5]), '3a08000000000000e03f'],
]
for (const [what, write, hex] of fields) test(`writes ${what}`, () => assert.equal(hexOf(write), hex))

test('messages of any length inside of each other come out whole', () => {
  for (const length of [1, 126, 127, 128, 5_000, 20_000]) {
    const text = 'ä'.repeat(length)
    const writer = new WireWriter()
    writer.message(1, () => {
      writer.message(2, () => writer.string(3, text))
      writer.varint(4, 7)
    })
    writer.varint(5, 8)
    const [outer, last] = wireFields(writer.bytes)
    assert.ok(outer?.type === 'bytes' && last?.type === 'varint' && last.value === 8n)
    const [inner, seven] = wireFields(outer.bytes)
    assert.ok(inner?.type === 'bytes' && seven?.type === 'varint' && seven.value === 7n)
    const [said] = wireFields(inner.bytes)
    assert.ok(said?.type === 'bytes' && Buffer.from(said.bytes).toString() === text, `${length}`)
  }
})
