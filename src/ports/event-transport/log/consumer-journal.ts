// Where the consumers of a stream stand, written down: a line per moment, each with its checksum.
import { join } from 'node:path'
import type { ConsumerChange } from '../consumption/consumer-context.ts'
import type { StoredConsumer } from '../consumption/consumers.ts'
import type { WaitingEvent } from '../consumption/due-queue.ts'
import type { Offset } from '../port.ts'
import { checkedLine, parseCheckedLine } from './checked-line.ts'
import type { LogFile, LogFileSystem } from './file-system.ts'
import { readWhole, writeFully } from './file-system.ts'

/** One moment: `checksum JSON` on a line of its own. */
export interface JournalEntry {
  /** Every event below was safe and offered to those that follow the tail. */
  tail: Offset
  changes: ConsumerChange[]
}

export interface JournalState {
  consumers: StoredConsumer[]
  tail: Offset
  /** Where a line could not be read though others follow it, in bytes. */
  damagedAt?: number
}

/** Journal size at which it is written anew, in bytes. */
const journalBytesMax = 1_048_576

const lineFeed = Buffer.from('\n')
const fileName = 'consumers.journal'

export class ConsumerJournal {
  #fileSystem: LogFileSystem
  #directory: string
  #file: LogFile | undefined
  #bytes = 0
  /** A line may be torn, or too much is written: the next entry must tell everything, in a new file. */
  #mustRewrite = true
  /** Size after the last rewriting. */
  #bytesRewritten = 0

  constructor(fileSystem: LogFileSystem, directory: string) {
    this.#fileSystem = fileSystem
    this.#directory = directory
  }

  /** What was written down; empty when nothing was. */
  async read(): Promise<JournalState> {
    const file = await this.#fileSystem.open(this.#path, { synced: false })
    try {
      return parseJournal(await readWhole(file))
    } finally {
      await file.close()
    }
  }

  /** Whether the next entry must hold the whole state of every consumer. */
  get mustRewrite(): boolean {
    return this.#mustRewrite || this.#bytes > Math.max(journalBytesMax, 2 * this.#bytesRewritten)
  }

  /**
   * Writes an entry, which survives the end of the process when this resolves, and power loss if `sync`. After a
   * failure the next entry must tell everything. Not to be called again before it is settled.
   */
  async write(entry: JournalEntry, { sync }: { sync: boolean }): Promise<void> {
    const line = lineOf(entry)
    const [rewrites, file] = [this.mustRewrite, this.#file]
    this.#mustRewrite = true
    if (rewrites || file === undefined) {
      await this.#rewrite(Buffer.concat([line, lineFeed, line]))
    } else {
      await writeFully(file, line, this.#bytes)
      if (sync) await file.sync()
      this.#bytes += line.length
    }
    this.#mustRewrite = false
  }

  async close(): Promise<void> {
    await this.#file?.close()
    this.#file = undefined
  }

  get #path(): string {
    return join(this.#directory, fileName)
  }

  /**
   * Puts a file with this line alone into the place of the old one, which stays whole until then. The line stands there
   * twice, as everything else builds upon it, with an empty line between, lest a damaged line feed make one of both.
   */
  async #rewrite(content: Buffer): Promise<void> {
    await this.close()
    const path = `${this.#path}.new`
    await this.#fileSystem.remove(path)
    const file = await this.#fileSystem.open(path, { synced: false })
    this.#file = file
    await writeFully(file, content, 0)
    await file.sync()
    await this.#fileSystem.rename(path, this.#path)
    await this.#fileSystem.syncDirectory(this.#directory)
    this.#bytes = content.length
    this.#bytesRewritten = content.length
  }
}

const lineOf = ({ tail, changes }: JournalEntry): Buffer => checkedLine({ tail, changes: changes.map(packed) })

type PackedEvent = [offset: Offset, attempt: number, dueMs: number]
type PackedChange =
  | { name: string; deleted: true }
  | { name: string; reset?: true; next: Offset | 'following'; opened?: PackedEvent[]; settled?: Offset[] }

function packed({ name, deleted, reset, next, opened, settled }: ConsumerChange): PackedChange {
  if (deleted) return { name, deleted }
  const events = opened.map(({ offset, attempt, dueMs }): PackedEvent => [offset, attempt, dueMs])
  return {
    name,
    next,
    ...(reset && { reset }),
    ...(events.length > 0 && { opened: events }),
    ...(settled.length > 0 && { settled }),
  }
}

interface PackedEntry {
  tail: Offset
  changes: PackedChange[]
}

/** A consumer while its history is read. `isFrozen`: something was missed, so that what follows must not move it on. */
interface Replayed {
  next: Offset | 'following'
  open: Map<Offset, WaitingEvent>
  isFrozen: boolean
}

/**
 * Reads the lines. After an unreadable one in the middle, a consumer known by then stays where it was until its whole
 * state is told again: handing events over once more is better than missing one.
 */
function parseJournal(content: Buffer): JournalState {
  const consumers = new Map<string, Replayed>()
  const state: JournalState = { consumers: [], tail: 0 }
  let unreadableAt: number | undefined
  for (let at = 0; at < content.length;) {
    if (content[at] === 0x0a) {
      at++
      continue
    }
    const end = content.indexOf(0x0a, at)
    const line = end < 0 ? undefined : parseCheckedLine(content.toString('utf8', at, end))
    const entry = line as PackedEntry | undefined
    if (entry === undefined) {
      unreadableAt ??= at
    } else {
      if (unreadableAt !== undefined) {
        state.damagedAt ??= unreadableAt
        unreadableAt = undefined
        for (const consumer of consumers.values()) freeze(consumer, state.tail)
      }
      state.tail = Math.max(state.tail, entry.tail)
      for (const change of entry.changes) replay(consumers, change)
    }
    at = end < 0 ? content.length : end + 1
  }
  for (const [name, { next, open }] of consumers) {
    const events = [...open.values()].sort((one, other) => one.offset - other.offset)
    state.consumers.push({ name, next: next === 'following' ? state.tail : next, open: events })
  }
  return state
}

function freeze(consumer: Replayed, tail: Offset): void {
  consumer.isFrozen = true
  if (consumer.next === 'following') consumer.next = tail
}

function replay(consumers: Map<string, Replayed>, change: PackedChange): void {
  if ('deleted' in change) return void consumers.delete(change.name)
  const known = consumers.get(change.name)
  if (known?.isFrozen === true && change.reset !== true) return
  if (known === undefined && change.reset !== true) {
    // What was told of it before is lost, so that anything may still be owed to it.
    return void consumers.set(change.name, { next: 0, open: new Map(), isFrozen: true })
  }
  const open = change.reset === true || known === undefined ? new Map<Offset, WaitingEvent>() : known.open
  for (const offset of change.settled ?? []) open.delete(offset)
  for (const [offset, attempt, dueMs] of change.opened ?? []) open.set(offset, { offset, attempt, dueMs })
  consumers.set(change.name, { next: change.next, open, isFrozen: false })
}
