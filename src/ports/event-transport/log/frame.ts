// How an event lies in a segment: framed by length and checksum, numbered and dated.
import { crc32 } from 'node:zlib'
import type { EventMessage } from '../../../model/cloudevents/event.ts'
import { decodeRecord, recordBytesMax, writeRecord } from '../../../model/cloudevents/record.ts'
import type { Offset, StoredEvent } from '../port.ts'

/*
 * frame = length(4) checksum(4) offset(6) appendedMs(6) record
 * All numbers little-endian; `length` counts what follows the checksum, which covers it, the length and the segment's
 * salt. The salt is random: bytes of an event's data, or of an earlier life of the file, never pass for a frame.
 */

const headerBytes = 20
/** Of the header, what `length` does not count. */
const prefixBytes = 8

/** A frame cannot be shorter. */
const frameBytesMin = headerBytes + 4

/** Bytes that the frame of this message takes at most. */
export const frameBytesMax = (message: EventMessage): number => headerBytes + recordBytesMax(message)

export interface FrameOf {
  salt: number
  offset: Offset
  appendedMs: number
}

/** Writes the frame at `at` and returns where it ends; `target` has room for `frameBytesMax`. */
export function writeFrame(
  target: Buffer,
  at: number,
  { salt, offset, appendedMs }: FrameOf,
  message: EventMessage,
): number {
  target.writeUIntLE(offset, at + 8, 6)
  target.writeUIntLE(appendedMs, at + 14, 6)
  const end = writeRecord(message, target, at + headerBytes)
  target.writeUInt32LE(end - at - prefixBytes, at)
  target.writeUInt32LE(checksum(target, at, end, salt), at + 4)
  return end
}

/** What the header at `at` says; it proves nothing before {@link isSound}. Needs 20 bytes. */
export interface FrameHeader {
  /** Of the whole frame, in bytes. */
  bytes: number
  offset: Offset
  appendedMs: number
}

export const frameHeaderBytes = headerBytes

export function readHeader(source: Buffer, at: number): FrameHeader {
  return {
    bytes: source.readUInt32LE(at) + prefixBytes,
    offset: source.readUIntLE(at + 8, 6),
    appendedMs: source.readUIntLE(at + 14, 6),
  }
}

/** Whether `bytes` bytes at `at`, which are all there, are a frame of the segment with this salt. */
export function isSound(source: Buffer, at: number, bytes: number, salt: number): boolean {
  return bytes >= frameBytesMin && source.readUInt32LE(at + 4) === checksum(source, at, at + bytes, salt)
}

/** The event in a sound frame; its data are a part of `source`. */
export function readStored(source: Buffer, at: number, header: FrameHeader): StoredEvent {
  const message = decodeRecord(source.subarray(at + headerBytes, at + header.bytes))
  return { offset: header.offset, appendedMs: header.appendedMs, message }
}

const checksum = (source: Buffer, at: number, end: number, salt: number): number =>
  crc32(source.subarray(at + prefixBytes, end), (salt ^ (end - at)) >>> 0)

/**
 * Whether the header at `at` may be that of the next readable frame, `distance` bytes after one with offset `expected`
 * became unreadable. A cheap first look, for searches that try every byte.
 */
export function mayFollow(source: Buffer, at: number, expected: Offset, distance: number): boolean {
  // Offsets stay below 2^40 in practice; this look alone rejects nearly everything.
  if (source[at + 13] !== Math.floor(expected / 2 ** 40)) return false
  const offset = source.readUIntLE(at + 8, 6)
  return offset >= expected && offset - expected <= distance / frameBytesMin + 1
}
