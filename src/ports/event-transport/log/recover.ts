// Opens what an earlier process left: finds the events, cuts an unfinished write, names what is damaged.
import { join } from 'node:path'
import type { Clock } from '../../../base/clock.ts'
import type { Logger } from '../../../base/log.ts'
import type { DamagedRange, Offset } from '../port.ts'
import type { LogFile, LogFileSystem } from './file-system.ts'
import { frameHeaderBytes } from './frame.ts'
import { scanSegment } from './scan.ts'
import { Segment } from './segment.ts'
import type { ActiveSegment } from './segment-writer.ts'

export interface RecoverOptions {
  stream: string
  directory: string
  fileSystem: LogFileSystem
  clock: Clock
  log: Logger
  /** Every event below was safe once, as the consumers' journal tells. */
  safeBelow: Offset
  /** Whether a finished write has reached the medium. */
  synced: boolean
}

export interface RecoveredLog {
  /** By offset, the last one being that of `active`, if there is one. */
  segments: Segment[]
  nextOffset: Offset
  /** The segment that takes new events; none when the last one is damaged or out of place, or there is none. */
  active: ActiveSegment | undefined
  damaged: DamagedRange[]
  /** Whether there is a file to make the next segment of. */
  hasSpare: boolean
}

/** The file that was a segment and can be written over. */
export const spareName = 'spare.log'

/** Time between two lines about the progress, in milliseconds. */
const progressIntervalMs = 1_000

export async function recoverLog(options: RecoverOptions): Promise<RecoveredLog> {
  const { directory, fileSystem, safeBelow } = options
  const names = await fileSystem.list(directory)
  const found = await openSegments(names, options)
  const sizes = await Promise.all(found.map(({ file }) => file.size()))
  const progress = progressOf(
    options,
    sizes.reduce((sum, size) => sum + size, 0),
  )
  const damaged: DamagedRange[] = []
  const kept: ActiveSegment[] = []
  let expected = found[0]?.segment.firstOffset ?? 0
  for (const [index, one] of found.entries()) {
    const { segment, file } = one
    if (sizes[index] === 0 && index < found.length - 1) {
      // Made for events that then could not be written.
      await file.close()
      await fileSystem.remove(join(directory, segment.name))
      continue
    }
    const within = await scanSegment(segment, file, sizes[index]!, progress)
    addGap(damaged, kept.at(-1)?.segment ?? segment, expected, segment.firstOffset)
    damaged.push(...within)
    expected = Math.max(expected, segment.endOffset)
    kept.push(one)
  }
  const last = kept.at(-1)
  if (last !== undefined) addGap(damaged, last.segment, expected, safeBelow)
  const nextOffset = Math.max(expected, safeBelow)
  // A file without events that an earlier one goes beyond must get none either: they would not be found in it.
  const isEnd = nextOffset === expected && last?.segment.endOffset === expected
  const active = isEnd ? last : undefined
  for (const one of kept) if (one !== active) await one.file.close()
  if (active !== undefined) await cutTail(active, options)
  // The process may have ended right after it made a file, which power loss would still undo.
  if (options.synced) await fileSystem.syncDirectory(directory)
  const segments = kept.map(({ segment }) => segment)
  return { segments, nextOffset, active, damaged, hasSpare: names.includes(spareName) }
}

/** The segments in the directory by offset, with their files open for writing. */
async function openSegments(names: string[], options: RecoverOptions): Promise<ActiveSegment[]> {
  const { directory, fileSystem, synced } = options
  const segments = names.map((name) => Segment.named(fileSystem, directory, name)).filter((one) => one !== undefined)
  segments.sort((one, other) => one.firstOffset - other.firstOffset || (one.name < other.name ? -1 : 1))
  const opened: ActiveSegment[] = []
  for (const segment of segments) {
    const file = await fileSystem.open(segment.path, { synced })
    opened.push({ segment, file, preparedTo: 0 })
  }
  return opened
}

/** Takes note that the offsets from `expected` up to `there` are missing after `before`. */
function addGap(damaged: DamagedRange[], before: Segment, expected: Offset, there: Offset): void {
  if (there <= expected) return
  damaged.push({ fromOffset: expected, toOffset: there, segment: before.name, position: before.endPosition })
}

/** Removes what a write left that was not finished, hence never acknowledged, and makes sure of the rest. */
async function cutTail({ segment, file }: ActiveSegment, { stream, log, synced }: RecoverOptions): Promise<void> {
  const size = await file.size()
  if (size > segment.endPosition) {
    const isRoom = await beginsWithZeros(file, segment.endPosition)
    await file.truncate(segment.endPosition)
    const [position, bytes] = [segment.endPosition, size - segment.endPosition]
    if (!isRoom) log.info('unfinished write cut off', { stream, segment: segment.name, position, bytes })
  }
  // The process may have ended between a write and its sync: what is served now must not vanish later.
  if (synced) await file.sync()
}

/** Whether what is at `position` is room made for events, not the beginning of one. */
async function beginsWithZeros(file: LogFile, position: number): Promise<boolean> {
  const header = Buffer.alloc(frameHeaderBytes)
  await file.read(header, position)
  return header.every((byte) => byte === 0)
}

function progressOf({ stream, clock, log }: RecoverOptions, bytesInAll: number): (bytes: number) => void {
  let [done, count, toldMs] = [0, 0, clock.monotonicMs()]
  return (bytes) => {
    done += bytes
    count++
    // Looking at the clock for every event would cost more than the event.
    if (count % 1_024 !== 0 || clock.monotonicMs() - toldMs < progressIntervalMs) return
    toldMs = clock.monotonicMs()
    log.info('stream is read', { stream, bytes: done, bytesInAll })
  }
}
