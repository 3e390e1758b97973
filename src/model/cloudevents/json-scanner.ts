// Finds where JSON values begin and end, so that data can be kept byte for byte. Source: RFC 8259.
import { isUtf8 } from 'node:buffer'
import { InvalidEventError } from '../../base/errors.ts'

/** A value's bytes: from `start` up to but not including `end`. */
export interface JsonSlice {
  start: number
  end: number
}

export interface JsonMember {
  name: string
  value: JsonSlice
}

/** Whether the bytes are exactly one JSON value, white space around it allowed. */
export function isJson(bytes: Uint8Array): boolean {
  try {
    scanDocument(bytes)
    return true
  } catch {
    return false
  }
}

/** The one JSON value in the bytes. @throws {InvalidEventError} with the byte where it stops being JSON. */
export function scanDocument(bytes: Uint8Array): JsonSlice {
  if (!isUtf8(bytes)) throw new InvalidEventError('the body is not UTF-8')
  const start = skipSpace(bytes, 0)
  const end = skipValue(bytes, start)
  const rest = skipSpace(bytes, end)
  if (rest !== bytes.length) throw broken(bytes, rest)
  return { start, end }
}

/** Members of an object that was scanned before, in order, duplicates included. */
export function membersOf(bytes: Uint8Array, object: JsonSlice): JsonMember[] {
  const members: JsonMember[] = []
  let at = skipSpace(bytes, object.start + 1)
  while (bytes[at] !== braceClose) {
    const nameEnd = skipString(bytes, at)
    const name = stringAt(bytes, { start: at, end: nameEnd })
    const start = skipSpace(bytes, skipSpace(bytes, nameEnd) + 1)
    const end = skipValue(bytes, start)
    members.push({ name, value: { start, end } })
    at = skipSpace(bytes, end)
    if (bytes[at] === comma) at = skipSpace(bytes, at + 1)
  }
  return members
}

/** Elements of an array that was scanned before. */
export function elementsOf(bytes: Uint8Array, array: JsonSlice): JsonSlice[] {
  const elements: JsonSlice[] = []
  let at = skipSpace(bytes, array.start + 1)
  while (bytes[at] !== bracketClose) {
    const end = skipValue(bytes, at)
    elements.push({ start: at, end })
    at = skipSpace(bytes, end)
    if (bytes[at] === comma) at = skipSpace(bytes, at + 1)
  }
  return elements
}

export type JsonType = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null'

/** What kind of value begins there. */
export function typeOf(bytes: Uint8Array, { start }: JsonSlice): JsonType {
  switch (bytes[start]) {
    case braceOpen:
      return 'object'
    case bracketOpen:
      return 'array'
    case quote:
      return 'string'
    case 0x74:
    case 0x66:
      return 'boolean'
    case 0x6e:
      return 'null'
    default:
      return 'number'
  }
}

/** The text of a slice, as written. */
export function textAt(bytes: Uint8Array, { start, end }: JsonSlice): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8')
}

/** The value of a string slice, escapes undone. */
export function stringAt(bytes: Uint8Array, slice: JsonSlice): string {
  const text = textAt(bytes, slice)
  return text.includes('\\') ? (JSON.parse(text) as string) : text.slice(1, -1)
}

const quote = 0x22
const comma = 0x2c
const colon = 0x3a
const backslash = 0x5c
const bracketOpen = 0x5b
const bracketClose = 0x5d
const braceOpen = 0x7b
const braceClose = 0x7d

/** Depth of nesting that is read; more is an attack, not an event. */
const depthMax = 10_000

function skipSpace(bytes: Uint8Array, at: number): number {
  let byte = bytes[at]
  while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = bytes[++at]
  return at
}

/** The end of the value that begins at `at`. Keeps its own stack: deep nesting must not exhaust the program's. */
function skipValue(bytes: Uint8Array, at: number): number {
  const closers: number[] = []
  for (;;) {
    const byte = bytes[at]
    if (byte === braceOpen || byte === bracketOpen) {
      const closer = byte + 2
      at = skipSpace(bytes, at + 1)
      if (bytes[at] === closer) {
        at++
      } else {
        if (closers.push(closer) > depthMax) throw broken(bytes, at)
        if (closer === braceClose) at = skipName(bytes, at)
        continue
      }
    } else if (byte === quote) {
      at = skipString(bytes, at)
    } else {
      at = skipScalar(bytes, at)
    }
    // A value has ended: close what it completes, or go on to its next sibling.
    for (;;) {
      const closer = closers.at(-1)
      if (closer === undefined) return at
      at = skipSpace(bytes, at)
      if (bytes[at] === comma) {
        at = skipSpace(bytes, at + 1)
        if (closer === braceClose) at = skipName(bytes, at)
        break
      }
      if (bytes[at] !== closer) throw broken(bytes, at)
      closers.pop()
      at++
    }
  }
}

function skipName(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== quote) throw broken(bytes, at)
  at = skipSpace(bytes, skipString(bytes, at))
  if (bytes[at] !== colon) throw broken(bytes, at)
  return skipSpace(bytes, at + 1)
}

function skipString(bytes: Uint8Array, at: number): number {
  for (at++; ; at++) {
    const byte = bytes[at]
    if (byte === quote) return at + 1
    if (byte === undefined || byte < 0x20) throw broken(bytes, at)
    if (byte === backslash) at = skipEscape(bytes, at + 1)
  }
}

/** Takes the position after the backslash, returns that of the escape's last character. */
function skipEscape(bytes: Uint8Array, at: number): number {
  const byte = bytes[at]
  if (byte === undefined || !'"\\/bfnrtu'.includes(String.fromCharCode(byte))) throw broken(bytes, at)
  if (byte !== 0x75) return at
  for (let digit = 1; digit <= 4; digit++) {
    if (!isHex(bytes[at + digit])) throw broken(bytes, at + digit)
  }
  return at + 4
}

const isHex = (byte: number | undefined): boolean =>
  byte !== undefined && (isDigit(byte) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66))
const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39

function skipScalar(bytes: Uint8Array, at: number): number {
  switch (bytes[at]) {
    case 0x74:
      return skipWord(bytes, at, 'true')
    case 0x66:
      return skipWord(bytes, at, 'false')
    case 0x6e:
      return skipWord(bytes, at, 'null')
    default:
      return skipNumber(bytes, at)
  }
}

function skipWord(bytes: Uint8Array, at: number, word: string): number {
  for (let index = 0; index < word.length; index++) {
    if (bytes[at + index] !== word.charCodeAt(index)) throw broken(bytes, at + index)
  }
  return at + word.length
}

function skipNumber(bytes: Uint8Array, at: number): number {
  if (bytes[at] === 0x2d) at++
  if (bytes[at] === 0x30) at++
  else at = skipDigits(bytes, at)
  if (bytes[at] === 0x2e) at = skipDigits(bytes, at + 1)
  if (bytes[at] === 0x65 || bytes[at] === 0x45) {
    at++
    if (bytes[at] === 0x2b || bytes[at] === 0x2d) at++
    at = skipDigits(bytes, at)
  }
  return at
}

function skipDigits(bytes: Uint8Array, at: number): number {
  if (!isDigit(bytes[at])) throw broken(bytes, at)
  while (isDigit(bytes[at])) at++
  return at
}

function broken(bytes: Uint8Array, at: number): InvalidEventError {
  if (at >= bytes.length) return new InvalidEventError(`the body is no JSON: it ends too early, after ${at} bytes`)
  const byte = bytes[at]!
  const shown = byte > 0x20 && byte < 0x7f ? `"${String.fromCharCode(byte)}"` : `byte ${byte}`
  return new InvalidEventError(`the body is no JSON: unexpected ${shown} at byte ${at}`)
}
