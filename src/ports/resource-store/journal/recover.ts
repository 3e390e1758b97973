// Reads a journal back: replays it, cuts what a crash left half-written, refuses to guess when acknowledged data is hurt.
import { KnodeError } from '../../../base/errors.ts'
import { ObjectTable } from '../object-table.ts'
import type { DiskFile } from './disk.ts'
import { decodeRecord, journalFormat, journalVersion, recordKey } from './record.ts'
import type { HeadRecord, JournalRecord } from './record.ts'

export interface Recovered {
  objects: ObjectTable
  /** The newest revision given out. */
  revision: number
  /** Length of the sound part of the file, in bytes. */
  bytes: number
  /** Length of the state at the beginning of the file, in bytes. */
  headBytes: number
  /** Length of the unfinished rest that a crash left, in bytes. */
  tornBytes: number
}

interface Line {
  number: number
  /** Where it begins and where the next one does. */
  start: number
  end: number
  record: JournalRecord | undefined
}

/** @throws {KnodeError} STORE_FAILED when a change that was acknowledged cannot be read, or the format is unknown. */
export async function recoverJournal(file: DiskFile, path: string): Promise<Recovered> {
  const objects = new ObjectTable()
  let head: HeadRecord | undefined
  let revision = 0
  let headBytes = 0
  let damaged: Line | undefined
  let end = 0
  for await (const line of readLines(file)) {
    end = line.end
    const { record } = line
    if (head === undefined) {
      head = headOf(record, path)
      revision = head.revision
      headBytes = end
      continue
    }
    const isHead = line.number <= head.objects + 1
    if (record === undefined || 'format' in record) {
      // The state at the beginning was safe before the file got its name.
      if (isHead) throw damage(path, line)
      damaged ??= line
      continue
    }
    if (damaged !== undefined) {
      // Lines that were written together reach the disk in any order, so sound ones may follow a torn one. But a line
      // that was written when a later change was already safe proves that the damaged one had been safe, too.
      if (record.after > revision) throw damage(path, damaged)
      continue
    }
    if ('put' in record) objects.set(recordKey(record), record.object)
    else objects.delete(recordKey(record))
    revision = Math.max(revision, record.revision)
    if (isHead) headBytes = end
  }
  if (head === undefined || (damaged !== undefined && damaged.number <= head.objects + 1)) {
    throw damage(path, damaged ?? { number: 1, start: 0 })
  }
  const bytes = damaged?.start ?? end
  return { objects, revision, bytes, headBytes, tornBytes: end - bytes }
}

function headOf(record: JournalRecord | undefined, path: string): HeadRecord {
  if (record === undefined || !('format' in record) || record.format !== journalFormat) {
    throw damage(path, { number: 1, start: 0 })
  }
  if (record.version === journalVersion) return record
  throw new KnodeError('STORE_FAILED', `${path} has version ${record.version}, this Knode reads ${journalVersion}`, {
    hint: 'start the version of Knode that wrote it, or use another data directory',
  })
}

function damage(path: string, { number, start }: Pick<Line, 'number' | 'start'>): KnodeError {
  return new KnodeError('STORE_FAILED', `${path} is damaged in line ${number}, byte ${start}`, {
    hint: 'restore the data directory from a copy, or delete that line to go on without its change',
  })
}

const chunkBytes = 1_048_576
const lineEnd = 0x0a

async function* readLines(file: DiskFile): AsyncGenerator<Line> {
  const chunk = Buffer.allocUnsafe(chunkBytes)
  let rest: Buffer[] = []
  let number = 0
  let start = 0
  for (let position = 0; ;) {
    const count = await file.read(chunk, position)
    if (count === 0) break
    position += count
    let from = 0
    for (let at = chunk.indexOf(lineEnd); at >= 0 && at < count; at = chunk.indexOf(lineEnd, from)) {
      const bytes = Buffer.concat([...rest, chunk.subarray(from, at)])
      rest = []
      from = at + 1
      const end = start + bytes.length + 1
      yield { number: ++number, start, end, record: decodeRecord(bytes) }
      start = end
    }
    rest.push(Buffer.from(chunk.subarray(from, count)))
  }
  const restBytes = rest.reduce((sum, part) => sum + part.length, 0)
  if (restBytes > 0) yield { number: number + 1, start, end: start + restBytes, record: undefined }
}
