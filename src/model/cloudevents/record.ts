// The compact form of a message in logs: no JSON, the data copied as they are, well-known names as one byte.
import { InvalidEventError } from '../../base/errors.ts'
import type { AttributeValue, EventMessage } from './event.ts'

/*
 * record    = version attributes headers data
 * attributes = count *( name typed-value )      headers = count *( name length text )
 * name      = index into knownNames, or 0 length text
 * typed-value = ( length * 4 + type ) bytes     data = 0, or ( length + 1 ) bytes
 * Numbers are varints: seven bits a byte, lowest first. Text is UTF-8.
 */

/** Bytes that the record of this message takes at most. */
export function recordBytesMax({ event, headers }: EventMessage): number {
  let bytes = 3 * varintBytesMax + (event.data?.length ?? 0)
  event.attributes.forEach((value, name) => {
    bytes += entryBytesMax + name.length * 3 + (typeof value === 'string' ? value.length * 3 : 8)
  })
  for (const name in headers) bytes += entryBytesMax + name.length * 3 + headers[name]!.length * 3
  return bytes
}

/** Writes the record at `at` and returns where it ends; `target` has room for `recordBytesMax`. */
export function writeRecord({ event, headers }: EventMessage, target: Buffer, at: number): number {
  target[at++] = recordVersion
  at = writeVarint(target, at, event.attributes.size)
  event.attributes.forEach((value, name) => {
    at = writeName(target, at, name)
    at = writeValue(target, at, value)
  })
  let count = 0
  for (const _ in headers) count++
  at = writeVarint(target, at, count)
  for (const name in headers) {
    at = writeName(target, at, name)
    at = writeText(target, at, headers[name]!, 0)
  }
  if (event.data === undefined) return writeVarint(target, at, 0)
  at = writeVarint(target, at, event.data.length + 1)
  target.set(event.data, at)
  return at + event.data.length
}

export function encodeRecord(message: EventMessage): Buffer {
  const target = Buffer.allocUnsafe(recordBytesMax(message))
  return target.subarray(0, writeRecord(message, target, 0))
}

/**
 * The message that was written. Its data are a part of `record`, not a copy.
 * @throws {InvalidEventError} when the bytes are no record.
 */
export function decodeRecord(record: Buffer): EventMessage {
  const cursor: Cursor = { bytes: record, at: 0 }
  if (record[cursor.at++] !== recordVersion) throw new InvalidEventError('the record has an unknown version')
  const attributes = new Map<string, AttributeValue>()
  for (let left = readVarint(cursor); left > 0; left--) {
    const name = readName(cursor)
    attributes.set(name, readValue(cursor))
  }
  const headers: Record<string, string> = {}
  for (let left = readVarint(cursor); left > 0; left--) {
    const name = readName(cursor)
    headers[name] = readText(cursor, readVarint(cursor))
  }
  const dataLength = readVarint(cursor) - 1
  const data = dataLength < 0 ? undefined : record.subarray(cursor.at, cursor.at + dataLength)
  if (cursor.at + Math.max(0, dataLength) !== record.length)
    throw new InvalidEventError('the record has a wrong length')
  return { event: { attributes, data }, headers }
}

const recordVersion = 1

/** Lengths fit five bytes: records stay far below 4 GiB. */
const varintBytesMax = 5
const entryBytesMax = 3 * varintBytesMax

const types = { text: 0, integer: 1, boolean: 2, double: 3 } as const

/** Names of one byte. Only ever append: the index is what is stored. */
const knownNames = [
  '',
  'specversion',
  'id',
  'source',
  'type',
  'datacontenttype',
  'dataschema',
  'subject',
  'time',
  'knativearrivaltime',
  'knativebrokerttl',
  'partitionkey',
  'traceparent',
  'tracestate',
  'baggage',
  'x-request-id',
]
const knownIndexes: ReadonlyMap<string, number> = new Map(knownNames.map((name, index) => [name, index]))

function writeName(target: Buffer, at: number, name: string): number {
  const index = knownIndexes.get(name) ?? 0
  target[at++] = index
  return index === 0 ? writeText(target, at, name, 0) : at
}

function writeValue(target: Buffer, at: number, value: AttributeValue): number {
  if (typeof value === 'string') return writeText(target, at, value, 2)
  if (typeof value === 'boolean') {
    at = writeVarint(target, at, 4 + types.boolean)
    target[at] = value ? 1 : 0
    return at + 1
  }
  if (value === (value | 0) && !Object.is(value, -0)) {
    at = writeVarint(target, at, 4 * 4 + types.integer)
    return target.writeInt32LE(value, at)
  }
  at = writeVarint(target, at, 8 * 4 + types.double)
  return target.writeDoubleLE(value, at)
}

/** Length and text; the length is shifted left to leave room for a type of 0. */
function writeText(target: Buffer, at: number, text: string, shift: number): number {
  // Short ASCII, nearly every header, is cheaper written by hand than by a call into native code.
  const length = text.length
  if (length << shift < 0x80) {
    const start = at
    target[at++] = length << shift
    let index = 0
    for (; index < length; index++) {
      const code = text.charCodeAt(index)
      if (code > 0x7f) break
      target[at++] = code
    }
    if (index === length) return at
    at = start
  }
  at = writeVarint(target, at, Buffer.byteLength(text) * (1 << shift))
  return at + target.write(text, at)
}

function writeVarint(target: Buffer, at: number, value: number): number {
  while (value > 0x7f) {
    target[at++] = (value % 0x80) + 0x80
    value = Math.floor(value / 0x80)
  }
  target[at++] = value
  return at
}

interface Cursor {
  bytes: Buffer
  at: number
}

function readName(cursor: Cursor): string {
  const index = cursor.bytes[cursor.at++]
  if (index === 0) return readText(cursor, readVarint(cursor))
  const name = index === undefined ? undefined : knownNames[index]
  if (name === undefined) throw new InvalidEventError('the record names an unknown attribute')
  return name
}

function readValue(cursor: Cursor): AttributeValue {
  const head = readVarint(cursor)
  const length = Math.floor(head / 4)
  const start = cursor.at
  switch (head % 4) {
    case types.text:
      return readText(cursor, length)
    case types.boolean:
      skip(cursor, 1)
      return cursor.bytes[start] === 1
    case types.integer:
      skip(cursor, 4)
      return cursor.bytes.readInt32LE(start)
    default:
      skip(cursor, 8)
      return cursor.bytes.readDoubleLE(start)
  }
}

function readText(cursor: Cursor, length: number): string {
  const start = cursor.at
  skip(cursor, length)
  return cursor.bytes.toString('utf8', start, cursor.at)
}

function skip(cursor: Cursor, length: number): void {
  cursor.at += length
  if (cursor.at > cursor.bytes.length) throw new InvalidEventError('the record ends too early')
}

function readVarint(cursor: Cursor): number {
  let value = 0
  let scale = 1
  for (let count = 0; count < varintBytesMax; count++) {
    const byte = cursor.bytes[cursor.at++]
    if (byte === undefined) throw new InvalidEventError('the record ends too early')
    if (byte < 0x80) return value + byte * scale
    value += (byte - 0x80) * scale
    scale *= 0x80
  }
  throw new InvalidEventError('the record has a broken number')
}
