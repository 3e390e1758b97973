// JSON on a line of its own, with a checksum before it.
import { crc32 } from 'node:zlib'

/** `checksum JSON` and a line feed. */
export function checkedLine(value: unknown): Buffer {
  const json = JSON.stringify(value)
  return Buffer.from(`${checksumOf(json)} ${json}\n`)
}

/** The value of a line without its line feed, or `undefined` when the line is not what was written. */
export function parseCheckedLine(line: string): unknown {
  const json = line.slice(9)
  return line.slice(0, 9) === `${checksumOf(json)} ` ? JSON.parse(json) : undefined
}

const checksumOf = (json: string): string => crc32(json).toString(16).padStart(8, '0')
