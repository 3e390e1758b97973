// As much of DNS messages as answering for one zone takes. Source: RFC 1035, section 4.

export interface DnsQuestion {
  id: number
  /** Lower case, without the final dot. */
  name: string
  type: number
  /** The question as it stood in the message. */
  bytes: Uint8Array
}

/** Type of a record with an IPv4 address. */
const addressType = 1

const headBytes = 12
const labelBytesMax = 63
const nameBytesMax = 255
const internetClass = 1
/** Seconds that an answer may be kept. */
const ttlS = 5

/** The question of a query, `undefined` when the message is anything else than a query with one of class Internet. */
export function readQuestion(message: Uint8Array): DnsQuestion | undefined {
  const view = Buffer.from(message.buffer, message.byteOffset, message.byteLength)
  if (view.byteLength < headBytes || (view[2]! & 0xf8) !== 0 || view.readUInt16BE(4) !== 1) return undefined
  const labels: string[] = []
  let at = headBytes
  for (;;) {
    const length = view[at]
    if (length === undefined || length > labelBytesMax || at - headBytes > nameBytesMax) return undefined
    at++
    if (length === 0) break
    labels.push(
      view
        .subarray(at, at + length)
        .toString('latin1')
        .toLowerCase(),
    )
    at += length
  }
  if (at + 4 > view.byteLength || view.readUInt16BE(at + 2) !== internetClass) return undefined
  const type = view.readUInt16BE(at)
  return { id: view.readUInt16BE(0), name: labels.join('.'), type, bytes: view.subarray(headBytes, at + 4) }
}

/** The answer to a question about a name that exists: its one IPv4 address, or nothing for any other type. */
export function writeAnswer({ id, type, bytes }: DnsQuestion, address: string): Buffer {
  const isAnswered = type === addressType
  const head = Buffer.alloc(headBytes)
  head.writeUInt16BE(id, 0)
  // A response, authoritative, recursion desired and available.
  head.writeUInt16BE(0x8580, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(isAnswered ? 1 : 0, 6)
  if (!isAnswered) return Buffer.concat([head, bytes])
  const record = Buffer.alloc(16)
  // The name is a pointer to the question's.
  record.writeUInt16BE(0xc000 | headBytes, 0)
  record.writeUInt16BE(addressType, 2)
  record.writeUInt16BE(internetClass, 4)
  record.writeUInt32BE(ttlS, 6)
  record.writeUInt16BE(4, 10)
  record.set(address.split('.').map(Number), 12)
  return Buffer.concat([head, bytes, record])
}
