// Reads the events between two marks of a segment. What cannot be read is found out and named, never passed over.
import type { LoadedRun } from '../consumption/shelf.ts'
import type { DamagedRange, Offset, StoredEvent } from '../port.ts'
import { frameHeaderBytes, isSound, mayFollow, readHeader, readStored } from './frame.ts'
import type { Segment } from './segment.ts'

export interface Run extends LoadedRun {
  damaged: DamagedRange[]
}

/** The run that holds the offset, which the segment has. */
export async function readRun(segment: Segment, offset: Offset): Promise<Run> {
  const index = segment.markBefore(offset)
  const start = segment.marks[index]
  if (start === undefined) return { events: [], next: segment.endOffset, damaged: [] }
  const next = segment.marks[index + 1]
  const [endOffset, endPosition] = [next?.offset ?? segment.endOffset, next?.position ?? segment.endPosition]
  const bytes = await segment.read(start.position, endPosition - start.position)
  return parseRun(bytes, { segment, offset: start.offset, position: start.position, endOffset })
}

/** Where the bytes of a run come from. */
interface RunPlace {
  segment: Pick<Segment, 'name' | 'salt'>
  offset: Offset
  position: number
  endOffset: Offset
}

function parseRun(bytes: Buffer, { segment, offset, position, endOffset }: RunPlace): Run {
  const events: StoredEvent[] = []
  const damaged: DamagedRange[] = []
  let expected = offset
  let at = 0
  const lose = (toOffset: Offset): void => {
    if (toOffset > expected)
      damaged.push({ fromOffset: expected, toOffset, segment: segment.name, position: position + at })
  }
  while (expected < endOffset) {
    const stored = frameAt(bytes, at, segment.salt)
    if (stored?.event.offset === expected) {
      events.push(stored.event)
      at += stored.bytes
      expected++
      continue
    }
    const found = findFrame(bytes, at + 1, segment.salt, expected)
    lose(found?.event.offset ?? endOffset)
    if (found === undefined) break
    at = found.at
    expected = found.event.offset
  }
  return { events, next: endOffset, damaged }
}

interface FoundFrame {
  at: number
  bytes: number
  event: StoredEvent
}

function frameAt(bytes: Buffer, at: number, salt: number): FoundFrame | undefined {
  if (at + frameHeaderBytes > bytes.length) return undefined
  const header = readHeader(bytes, at)
  if (at + header.bytes > bytes.length || !isSound(bytes, at, header.bytes, salt)) return undefined
  try {
    return { at, bytes: header.bytes, event: readStored(bytes, at, header) }
  } catch {
    return undefined // Sound bytes of a version that this program does not know.
  }
}

function findFrame(bytes: Buffer, from: number, salt: number, expected: Offset): FoundFrame | undefined {
  for (let at = from; at + frameHeaderBytes <= bytes.length; at++) {
    if (!mayFollow(bytes, at, expected, at - from + 1)) continue
    const found = frameAt(bytes, at, salt)
    if (found !== undefined) return found
  }
  return undefined
}
