// Text in HTTP header values. Source: CloudEvents HTTP protocol binding, section 3.1.3.2.
import { isUtf8 } from 'node:buffer'

/** Whether a header value is printable ASCII that stands for itself. */
export const isPlainHeader = (value: string): boolean => plain.test(value)

/**
 * The text a header value stands for: quotes undone, then one round of percent-decoding in which a `%` without two hex
 * digits stays as it is. Takes values as Node reads them, one character per byte. `undefined` when the bytes are not
 * UTF-8.
 */
export function decodeHeaderText(value: string): string | undefined {
  if (isPlainHeader(value)) return value
  const inner = /^"(.*)"$/s.exec(value)?.[1]?.replace(/\\(.)/gs, '$1') ?? value
  // Characters beyond one byte: somebody decoded the header before us.
  const bytes = Buffer.from(inner, beyondLatin1.test(inner) ? 'utf8' : 'latin1')
  let length = 0
  for (let at = 0; at < bytes.length; at++) {
    const high = bytes[at] === percent ? hexDigit(bytes[at + 1]) : -1
    const low = high < 0 ? -1 : hexDigit(bytes[at + 2])
    if (low < 0) {
      bytes[length++] = bytes[at]!
    } else {
      bytes[length++] = high * 16 + low
      at += 2
    }
  }
  const decoded = bytes.subarray(0, length)
  return isUtf8(decoded) ? decoded.toString('utf8') : undefined
}

/** The header value for a text: everything but U+0021 to U+007E, and `"` and `%`, as percent-encoded UTF-8. */
export function encodeHeaderText(text: string): string {
  if (needsNoEncoding.test(text)) return text
  let encoded = ''
  for (const byte of Buffer.from(text)) {
    const stays = byte > 0x20 && byte < 0x7f && byte !== quote && byte !== percent
    encoded += stays ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return encoded
}

const quote = 0x22
const percent = 0x25
const plain = /^(?!")[\x20-\x24\x26-\x7e]*$/
const needsNoEncoding = /^[\x21\x23\x24\x26-\x7e]*$/
const beyondLatin1 = /[^\0-\xff]/

function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}
