// The wire format of protocol buffers, reading only. Source: protobuf.dev, "Encoding".

/** One field as it stands on the wire. */
export type WireField =
  | { number: number; type: 'varint'; value: bigint }
  | { number: number; type: 'fixed'; bytes: Uint8Array }
  | { number: number; type: 'bytes'; bytes: Uint8Array }

/** The fields of one message, in the order sent; the bytes are views. @throws {RangeError} when the message is cut off. */
export function* wireFields(message: Uint8Array): Generator<WireField> {
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = message[at++]
      if (byte === undefined) throw new RangeError('protobuf: message ends inside a number')
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asUintN(64, value)
    }
    throw new RangeError('protobuf: number is longer than ten bytes')
  }
  const take = (length: number): Uint8Array => {
    if (length > message.length - at) throw new RangeError('protobuf: message ends inside a field')
    return message.subarray(at, (at += length))
  }
  while (at < message.length) {
    const tag = Number(varint())
    const number = Math.floor(tag / 8)
    switch (tag % 8) {
      case 0:
        yield { number, type: 'varint', value: varint() }
        break
      case 1:
        yield { number, type: 'fixed', bytes: take(8) }
        break
      case 2:
        yield { number, type: 'bytes', bytes: take(Number(varint())) }
        break
      case 5:
        yield { number, type: 'fixed', bytes: take(4) }
        break
      default:
        throw new RangeError(`protobuf: wire type ${tag % 8} is not supported`)
    }
  }
}
