// Goes through a segment from its first byte: which events are sound, where its sound part ends, what is damaged.
import type { DamagedRange, Offset } from '../port.ts'
import type { LogFile } from './file-system.ts'
import { frameHeaderBytes, isSound, mayFollow, readHeader } from './frame.ts'
import type { FrameHeader } from './frame.ts'
import { markBytes } from './segment.ts'
import type { Segment } from './segment.ts'

/** Bytes read at a time. */
const windowBytes = 1_048_576

/**
 * Fills in what the segment holds: marks, end and times. Resolves to what is damaged within; a damaged end is not among
 * it, as it may be a write that was never finished.
 * @param onProgress told the bytes gone through.
 */
export async function scanSegment(
  segment: Segment,
  file: LogFile,
  size: number,
  onProgress: (bytes: number) => void,
): Promise<DamagedRange[]> {
  const window = new Window(file, size)
  const damaged: DamagedRange[] = []
  let position = 0
  let expected = segment.firstOffset
  let marksAgain = true
  for (;;) {
    const header = await window.frameAt(position, segment.salt)
    if (header?.offset === expected) {
      const last = segment.marks.at(-1)
      if (marksAgain || last === undefined || position - last.position >= markBytes) {
        segment.marks.push({ offset: expected, position, appendedMs: header.appendedMs })
        marksAgain = false
      }
      segment.lastMs = header.appendedMs
      position += header.bytes
      expected++
      onProgress(header.bytes)
      continue
    }
    const found = await window.findFrame(position + 1, segment.salt, expected)
    if (found === undefined) break
    if (found.offset > expected) {
      damaged.push({ fromOffset: expected, toOffset: found.offset, segment: segment.name, position })
    }
    onProgress(found.position - position)
    expected = found.offset
    position = found.position
    marksAgain = true
  }
  segment.endOffset = expected
  segment.endPosition = position
  return damaged
}

/** A part of the file in memory that moves forward. */
class Window {
  #file: LogFile
  #size: number
  #buffer = Buffer.alloc(0)
  /** The part of the buffer that is filled. */
  #bytes = this.#buffer
  #start = 0

  constructor(file: LogFile, size: number) {
    this.#file = file
    this.#size = size
  }

  /** The header of the sound frame at `position`, if there is one. */
  async frameAt(position: number, salt: number): Promise<FrameHeader | undefined> {
    if (!this.#has(position, frameHeaderBytes) && !(await this.#load(position, frameHeaderBytes))) return undefined
    const header = readHeader(this.#bytes, position - this.#start)
    if (!this.#has(position, header.bytes) && !(await this.#load(position, header.bytes))) return undefined
    return isSound(this.#bytes, position - this.#start, header.bytes, salt) ? header : undefined
  }

  /** The next sound frame from `position` on that may follow the unreadable one. */
  async findFrame(
    from: number,
    salt: number,
    expected: Offset,
  ): Promise<{ position: number; offset: Offset } | undefined> {
    for (let position = from; ; position++) {
      if (!this.#has(position, frameHeaderBytes) && !(await this.#load(position, frameHeaderBytes))) return undefined
      if (!mayFollow(this.#bytes, position - this.#start, expected, position - from + 1)) continue
      const header = await this.frameAt(position, salt)
      if (header !== undefined) return { position, offset: header.offset }
    }
  }

  #has(position: number, bytes: number): boolean {
    return position >= this.#start && position + bytes <= this.#start + this.#bytes.length
  }

  /** @returns whether the file has these bytes; if so, they are in memory now. */
  async #load(position: number, bytes: number): Promise<boolean> {
    if (position + bytes > this.#size) return false
    const wanted = Math.min(Math.max(bytes, windowBytes), this.#size - position)
    if (this.#buffer.length < wanted) this.#buffer = Buffer.allocUnsafeSlow(wanted)
    const target = this.#buffer.subarray(0, wanted)
    this.#bytes = target.subarray(0, await this.#file.read(target, position))
    this.#start = position
    return this.#has(position, bytes)
  }
}
