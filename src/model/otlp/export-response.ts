// What a receiver says to an export: ExportMetricsServiceResponse and ExportTraceServiceResponse look the same.
// Source: opentelemetry-proto, collector/*/v1; google/rpc/status.proto, error_details.proto.
import { wireFields } from '../protobuf/wire-reader.ts'

/** What was not taken of an export that succeeded otherwise. */
export interface PartialSuccess {
  /** Points or spans; 0: all were taken, and `message` is advice. */
  rejectedCount: number
  message: string
}

/** @returns `undefined` when everything was taken without a word, or the answer is no such message */
export function readPartialSuccess(response: Uint8Array): PartialSuccess | undefined {
  try {
    const partial = bytesOf(response, 1)
    if (partial === undefined) return undefined
    const rejectedCount = Number(BigInt.asIntN(64, numberOf(partial, 1)))
    const message = textOf(partial, 2)
    return rejectedCount === 0 && message === '' ? undefined : { rejectedCount, message }
  } catch {
    return undefined
  }
}

/** The text of a google.rpc.Status, in which receivers by HTTP say why they refuse; `''` when it is none. */
export function readStatusMessage(status: Uint8Array): string {
  try {
    return textOf(status, 2)
  } catch {
    return ''
  }
}

/** How long to wait, in milliseconds, when a google.rpc.Status has a RetryInfo. */
export function readRetryDelayMs(status: Uint8Array): number | undefined {
  try {
    for (const field of wireFields(status)) {
      if (field.number !== 3 || field.type !== 'bytes' || !textOf(field.bytes, 1).endsWith('google.rpc.RetryInfo'))
        continue
      const delay = bytesOf(bytesOf(field.bytes, 2) ?? nothing, 1)
      return delay === undefined ? 0 : Number(numberOf(delay, 1)) * 1_000 + Number(numberOf(delay, 2)) / 1e6
    }
  } catch {
    // Not a Status: it says nothing.
  }
  return undefined
}

const nothing = new Uint8Array()

function bytesOf(message: Uint8Array, number: number): Uint8Array | undefined {
  for (const field of wireFields(message)) if (field.number === number && field.type === 'bytes') return field.bytes
  return undefined
}

function numberOf(message: Uint8Array, number: number): bigint {
  for (const field of wireFields(message)) if (field.number === number && field.type === 'varint') return field.value
  return 0n
}

const textOf = (message: Uint8Array, number: number): string =>
  Buffer.from(bytesOf(message, number) ?? nothing).toString('utf8')
