// What OTLP's messages share. Source: opentelemetry-proto, opentelemetry/proto/common/v1, resource/v1.
import type { WireWriter } from '../protobuf/wire-writer.ts'

export type AttributeValue = string | number | boolean
export type Attributes = Readonly<Record<string, AttributeValue>>

/** Repeated KeyValue. */
export function writeAttributes(writer: WireWriter, field: number, attributes: Attributes): void {
  for (const [key, value] of Object.entries(attributes)) {
    writer.message(field, () => {
      writer.string(1, key)
      writer.message(2, () => writeValue(writer, value))
    })
  }
}

/** AnyValue: whole numbers are int64, others double. */
function writeValue(writer: WireWriter, value: AttributeValue): void {
  if (typeof value === 'string') {
    // In a oneof the empty text is a value, too.
    if (value === '') writer.message(1, () => undefined)
    else writer.string(1, value)
  } else if (typeof value === 'boolean') writer.int64(2, value ? 1n : 0n)
  else if (Number.isSafeInteger(value)) writer.int64(3, BigInt(value))
  else writer.double(4, value)
}

export function writeResource(writer: WireWriter, attributes: Attributes): void {
  writer.message(1, () => writeAttributes(writer, 1, attributes))
}

export function writeScope(writer: WireWriter, name: string, version: string): void {
  writer.message(1, () => {
    writer.string(1, name)
    writer.string(2, version)
  })
}

/** Nanoseconds since 1970 of milliseconds, which may have a fraction. */
export function nanosOf(ms: number): bigint {
  const wholeMs = Math.floor(ms)
  return BigInt(wholeMs) * 1_000_000n + BigInt(Math.round((ms - wholeMs) * 1e6))
}
