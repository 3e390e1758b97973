// The wire format of protocol buffers, writing only. Source: protobuf.dev, "Encoding".

const bytesAtFirst = 4_096

/** Writes fields one after the other. As proto3 does, numbers that are 0 and texts that are empty are left out. */
export class WireWriter {
  #buffer = Buffer.allocUnsafe(bytesAtFirst)
  #length = 0

  /** The message so far: a view, until something more is written. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length)
  }

  /** int32, int64, uint32, uint64, bool and enum; whole numbers of at least 0 and less than 2^53. */
  varint(field: number, value: number): void {
    if (value === 0) return
    this.#tag(field, 0)
    this.#number(value)
  }

  string(field: number, text: string): void {
    if (text === '') return
    const length = Buffer.byteLength(text)
    this.#tag(field, 2)
    this.#number(length)
    this.#reserve(length)
    this.#length += this.#buffer.write(text, this.#length, length, 'utf8')
  }

  /** bytes, given in hexadecimal. */
  hex(field: number, digits: string): void {
    const length = digits.length / 2
    if (length === 0) return
    this.#tag(field, 2)
    this.#number(length)
    this.#reserve(length)
    this.#length += this.#buffer.write(digits, this.#length, length, 'hex')
  }

  fixed32(field: number, value: number): void {
    if (value === 0) return
    this.#tag(field, 5)
    this.#reserve(4)
    this.#length = this.#buffer.writeUInt32LE(value, this.#length)
  }

  fixed64(field: number, value: bigint): void {
    if (value === 0n) return
    this.#tag(field, 1)
    this.#fixed64(value)
  }

  /** Also 0: in a oneof, and where it is optional, it says that the field is there. */
  sfixed64(field: number, value: bigint): void {
    this.#tag(field, 1)
    this.#fixed64(BigInt.asUintN(64, value))
  }

  /** Also 0: see {@link sfixed64}. */
  double(field: number, value: number): void {
    this.#tag(field, 1)
    this.#reserve(8)
    this.#length = this.#buffer.writeDoubleLE(value, this.#length)
  }

  /** int64 of any sign, also 0: see {@link sfixed64}. */
  int64(field: number, value: bigint): void {
    this.#tag(field, 0)
    this.#reserve(10)
    let left = BigInt.asUintN(64, value)
    for (; left > 0x7fn; left >>= 7n) this.#buffer[this.#length++] = Number(left & 0x7fn) | 0x80
    this.#buffer[this.#length++] = Number(left)
  }

  packedFixed64(field: number, values: readonly number[]): void {
    if (values.length === 0) return
    this.#tag(field, 2)
    this.#number(values.length * 8)
    for (const value of values) this.#fixed64(BigInt(value))
  }

  packedDoubles(field: number, values: readonly number[]): void {
    if (values.length === 0) return
    this.#tag(field, 2)
    this.#number(values.length * 8)
    this.#reserve(values.length * 8)
    for (const value of values) this.#length = this.#buffer.writeDoubleLE(value, this.#length)
  }

  /** A message inside of this one: what `write` writes. Also an empty one. */
  message(field: number, write: () => void): void {
    this.#tag(field, 2)
    this.#reserve(1)
    const start = ++this.#length
    write()
    const length = this.#length - start
    const more = varintBytes(length) - 1
    // Most are short: one byte was kept for their length, longer ones make room.
    if (more > 0) {
      this.#reserve(more)
      this.#buffer.copyWithin(start + more, start, this.#length)
    }
    this.#length = start - 1
    this.#number(length)
    this.#length += length
  }

  #tag(field: number, type: number): void {
    this.#number(field * 8 + type)
  }

  #number(value: number): void {
    this.#reserve(8)
    let left = value
    for (; left > 0x7f; left = Math.floor(left / 128)) this.#buffer[this.#length++] = (left % 128) | 0x80
    this.#buffer[this.#length++] = left
  }

  #fixed64(value: bigint): void {
    this.#reserve(8)
    this.#length = this.#buffer.writeBigUInt64LE(value, this.#length)
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes
    if (needed <= this.#buffer.length) return
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2))
    this.#buffer.copy(grown, 0, 0, this.#length)
    this.#buffer = grown
  }
}

function varintBytes(value: number): number {
  let bytes = 1
  for (let left = value; left > 0x7f; left = Math.floor(left / 128)) bytes++
  return bytes
}
