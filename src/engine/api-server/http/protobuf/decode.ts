// Protobuf request bodies as the JSON they stand for. Source: kubernetes/apimachinery pkg/runtime/serializer/protobuf.
import { wireFields } from '../../../../model/protobuf/wire-reader.ts'
import type { WireField } from '../../../../model/protobuf/wire-reader.ts'
import type { Message, MessageField } from './message.ts'
import { messages } from './messages.ts'

const magic = Buffer.from('k8s\0', 'latin1')

/** Whether bytes are Kubernetes' protobuf envelope. */
export const isProtobuf = (body: Uint8Array): boolean => magic.equals(body.subarray(0, magic.length))

export class UnknownMessageError extends Error {}

/**
 * Reads an envelope (`k8s\0`, then a runtime.Unknown with the type's name and the message) into an object.
 * @throws {UnknownMessageError} when the kind is not in our table; {RangeError} when the bytes are no message.
 */
export function decodeProtobuf(body: Uint8Array): Record<string, unknown> {
  if (!isProtobuf(body)) throw new RangeError('protobuf: the body does not start with "k8s"')
  let apiVersion = ''
  let kind = ''
  let raw: Uint8Array = new Uint8Array()
  for (const field of wireFields(body.subarray(magic.length))) {
    if (field.type !== 'bytes') continue
    if (field.number === 2) raw = field.bytes
    if (field.number !== 1) continue
    for (const part of wireFields(field.bytes)) {
      if (part.type !== 'bytes') continue
      if (part.number === 1) apiVersion = text(part.bytes)
      if (part.number === 2) kind = text(part.bytes)
    }
  }
  const message = Object.hasOwn(messages, kind) ? messages[kind] : undefined
  if (message === undefined) throw new UnknownMessageError(`protobuf: no fields known for ${apiVersion}, Kind=${kind}`)
  return { apiVersion, kind, ...decodeMessage(raw, message) }
}

function decodeMessage(bytes: Uint8Array, message: Message): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  for (const wire of wireFields(bytes)) {
    const field = message.get(wire.number)
    if (field === undefined) continue
    if (field.shape === 'map') addEntry(object, field, wire)
    else if (field.shape === 'inline') Object.assign(object, decodeValue(field.type, wire))
    else if (field.shape === 'list') addElement(object, field, wire)
    else {
      const value = decodeValue(field.type, wire)
      // Go writes empty strings and zero times of fields that are not pointers: they mean "absent".
      if (value !== undefined && value !== '') object[field.name] = value
    }
  }
  return object
}

function addElement(object: Record<string, unknown>, field: MessageField, wire: WireField): void {
  const list = (object[field.name] ??= []) as unknown[]
  list.push(decodeValue(field.type, wire))
}

function addEntry(object: Record<string, unknown>, field: MessageField, wire: WireField): void {
  if (wire.type !== 'bytes') return
  let key = ''
  let value: unknown = field.type === 'string' || field.type === 'bytes' ? '' : {}
  for (const part of wireFields(wire.bytes)) {
    if (part.number === 1 && part.type === 'bytes') key = text(part.bytes)
    if (part.number === 2) value = decodeValue(field.type, part)
  }
  const map = (object[field.name] ??= {}) as Record<string, unknown>
  Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true })
}

function decodeValue(type: string, wire: WireField): unknown {
  if (wire.type === 'fixed') return undefined
  if (wire.type === 'varint') return type === 'boolean' ? wire.value !== 0n : Number(BigInt.asIntN(64, wire.value))
  switch (type) {
    case 'string':
      return text(wire.bytes)
    case 'bytes':
      return Buffer.from(wire.bytes).toString('base64')
    case 'Time':
      return timeText(wire.bytes, 0)
    case 'MicroTime':
      return timeText(wire.bytes, 6)
    case 'IntOrString':
      return intOrString(wire.bytes)
    case 'Quantity':
      return quantityText(wire.bytes)
    case 'FieldsV1':
      return rawJson(wire.bytes)
    case 'ExtraValue':
      return [...wireFields(wire.bytes)].map((item) => decodeValue('string', item))
    case 'ObjectMeta': {
      // Typed clients always write a 0 here; the server counts generations itself.
      const { generation: _, ...metadata } = decodeMessage(wire.bytes, messages[type]!)
      return metadata
    }
    default:
      return decodeMessage(wire.bytes, messages[type]!)
  }
}

/** `{seconds, nanos}` as RFC 3339; an empty message is no time. */
function timeText(bytes: Uint8Array, fractionDigits: 0 | 6): string | undefined {
  const { 1: seconds, 2: nanos = 0 } = numbers(bytes)
  if (seconds === undefined) return undefined
  const whole = new Date(seconds * 1000).toISOString().slice(0, 19)
  return fractionDigits === 0
    ? `${whole}Z`
    : `${whole}.${String(Math.trunc(nanos / 1000)).padStart(fractionDigits, '0')}Z`
}

function intOrString(bytes: Uint8Array): number | string {
  const { 1: kind = 0, 2: number = 0 } = numbers(bytes)
  if (kind === 0) return number
  for (const field of wireFields(bytes)) if (field.number === 3 && field.type === 'bytes') return text(field.bytes)
  return ''
}

function quantityText(bytes: Uint8Array): string {
  for (const field of wireFields(bytes)) if (field.number === 1 && field.type === 'bytes') return text(field.bytes)
  return '0'
}

function rawJson(bytes: Uint8Array): unknown {
  for (const field of wireFields(bytes)) {
    if (field.number === 1 && field.type === 'bytes') return JSON.parse(text(field.bytes)) as unknown
  }
  return undefined
}

function numbers(bytes: Uint8Array): Record<number, number> {
  const found: Record<number, number> = {}
  for (const field of wireFields(bytes)) {
    if (field.type === 'varint') found[field.number] = Number(BigInt.asIntN(64, field.value))
  }
  return found
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8')
