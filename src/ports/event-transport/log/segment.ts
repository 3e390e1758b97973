// A file with a run of consecutive events, and the places in it where reading may begin.
import { join } from 'node:path'
import type { Offset } from '../port.ts'
import type { LogFile, LogFileSystem } from './file-system.ts'

/** Where reading may begin: this event's frame starts at `position`. */
export interface SegmentMark {
  offset: Offset
  position: number
  appendedMs: number
}

/** Bytes between two marks, at least: what one read fetches. */
export const markBytes = 65_536

/** `0000000000000100-1f2e3d4c.log`: the first offset, and the salt of the checksums. */
const namePattern = /^(\d{16})-([0-9a-f]{8})\.log$/

export class Segment {
  readonly firstOffset: Offset
  readonly salt: number
  readonly name: string
  /** One past the last event's offset, and where the last frame ends. */
  endOffset: Offset
  endPosition = 0
  lastMs = 0
  marks: SegmentMark[] = []
  #path: string
  #fileSystem: LogFileSystem
  #file: Promise<LogFile> | undefined
  #readers = 0
  #isDropped = false

  constructor(fileSystem: LogFileSystem, directory: string, firstOffset: Offset, salt: number) {
    this.firstOffset = firstOffset
    this.endOffset = firstOffset
    this.salt = salt
    this.name = `${String(firstOffset).padStart(16, '0')}-${salt.toString(16).padStart(8, '0')}.log`
    this.#fileSystem = fileSystem
    this.#path = join(directory, this.name)
  }

  /** The segment that a file of this name is, or `undefined` for other files. */
  static named(fileSystem: LogFileSystem, directory: string, name: string): Segment | undefined {
    const match = namePattern.exec(name)
    return match === null
      ? undefined
      : new Segment(fileSystem, directory, Number(match[1]), Number.parseInt(match[2]!, 16))
  }

  get path(): string {
    return this.#path
  }

  /** When its first event was appended, in milliseconds since 1970. */
  get firstMs(): number {
    return this.marks[0]?.appendedMs ?? this.lastMs
  }

  /** Takes note of events that were written behind the others. */
  grow(marks: readonly SegmentMark[], endOffset: Offset, bytes: number, lastMs: number): void {
    for (const { offset, position, appendedMs } of marks) {
      const [last, at] = [this.marks.at(-1), position + this.endPosition]
      if (last === undefined || at - last.position >= markBytes) this.marks.push({ offset, position: at, appendedMs })
    }
    this.endOffset = endOffset
    this.endPosition += bytes
    this.lastMs = lastMs
  }

  /** Index of the last mark at or before the offset. */
  markBefore(offset: Offset): number {
    let [low, high] = [0, this.marks.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.marks[middle]!.offset <= offset) low = middle
      else high = middle - 1
    }
    return low
  }

  /** Reads bytes that were written. @throws when the file does not have them. */
  async read(position: number, bytes: number): Promise<Buffer> {
    this.#readers++
    try {
      this.#file ??= this.#fileSystem.open(this.#path, { synced: false })
      const target = Buffer.allocUnsafeSlow(bytes)
      const file = await this.#file.catch((error: unknown) => {
        this.#file = undefined
        throw error
      })
      return target.subarray(0, await file.read(target, position))
    } finally {
      this.#readers--
      if (this.#isDropped) await this.closeForReading()
    }
  }

  get isBeingRead(): boolean {
    return this.#readers > 0
  }

  get isDropped(): boolean {
    return this.#isDropped
  }

  /** Says that its events are no longer wanted. Reads that are under way may end in anything. */
  drop(): void {
    this.#isDropped = true
  }

  /** Closes the file that reading opened; reading opens it again. */
  async closeForReading(): Promise<void> {
    if (this.#readers > 0) return
    const file = this.#file
    this.#file = undefined
    await (await file?.catch(() => undefined))?.close()
  }
}
