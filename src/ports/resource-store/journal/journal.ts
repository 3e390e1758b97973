// An append-only file of changes that is safe at every instant, and rewritten when most of it is outdated.
import { join } from 'node:path'
import { KnodeError, messageOf } from '../../../base/errors.ts'
import type { Logger } from '../../../base/log.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { ObjectTable } from '../object-table.ts'
import type { ResourceKey } from '../port.ts'
import type { Disk, DiskFile } from './disk.ts'
import { encodeRecord, journalFormat, journalVersion, keyParts } from './record.ts'
import type { ChangeRecord } from './record.ts'
import { recoverJournal } from './recover.ts'

export interface JournalOptions {
  directory: string
  disk: Disk
  log: Logger
  /** Outdated bytes that are always tolerated. @default 16_777_216 (16 MiB) */
  outdatedBytesMax?: number
}

/** What a rewritten file begins with. */
interface Snapshot {
  entries: Iterable<[ResourceKey, Resource]>
  size: number
  /** The newest revision given out. */
  revision: number
}

export interface OpenedJournal {
  journal: Journal
  objects: ObjectTable
  revision: number
}

/** Revision of a new store: no object ever has revision 0, which means "any" in Kubernetes. */
const firstRevision = 1

/**
 * Opens the newest journal of the directory, or begins the first.
 * @throws {KnodeError} STORE_FAILED when acknowledged changes cannot be read.
 */
export async function openJournal(options: JournalOptions): Promise<OpenedJournal> {
  const { directory, disk, log } = options
  const names = await disk.names(directory)
  const generations = names.map(generationOf).filter((generation) => generation !== undefined)
  const generation = Math.max(0, ...generations)
  const leftovers = names.filter((name) => name.startsWith(prefix) && generationOf(name) !== generation)
  for (const name of leftovers) await disk.remove(join(directory, name))
  if (generation === 0) {
    const journal = new Journal(options)
    await journal.rewrite({ entries: [], size: 0, revision: firstRevision })
    return { journal, objects: new ObjectTable(), revision: firstRevision }
  }
  const path = join(directory, nameOf(generation))
  const file = await disk.open(path, 'existing')
  try {
    const { objects, revision, bytes, headBytes, tornBytes } = await recoverJournal(file, path)
    if (tornBytes > 0) {
      log.warn('cut changes that a crash left unfinished and nobody was promised', { path, bytes: tornBytes })
      await file.truncate(bytes)
    }
    // What is about to be shown to others must not vanish with a power failure.
    await file.sync()
    return { journal: new Journal(options, { file, generation, bytes, headBytes }), objects, revision }
  } catch (error) {
    await file.close()
    throw error
  }
}

interface JournalState {
  file: DiskFile
  generation: number
  /** Length of the sound part, in bytes. */
  bytes: number
  /** Length of the state at the beginning, in bytes. */
  headBytes: number
}

class Journal implements AsyncDisposable {
  #options: JournalOptions
  #state: JournalState | undefined
  /** What is known of the file: `tail` may hold rubbish after the sound part; `file` may have lost anything. */
  #doubt: 'none' | 'tail' | 'file' = 'none'
  /** Raised when rewriting failed, so that not every append tries again. */
  #toleratedBytes = 0

  constructor(options: JournalOptions, state?: JournalState) {
    this.#options = options
    this.#state = state
  }

  /**
   * Makes changes safe; `snapshot` is the state before them. One call at a time.
   * @throws what the disk says; then none of the changes is in the journal, and a later append starts afresh.
   */
  async append(changes: readonly ChangeRecord[], snapshot: () => Snapshot): Promise<void> {
    if (this.#doubt === 'file') await this.rewrite(snapshot())
    else if (this.#isMostlyOutdated()) await this.#tryToRewrite(snapshot())
    const state = this.#state!
    const { file } = state
    if (this.#doubt === 'tail') {
      await this.#doubting('file', () => file.truncate(state.bytes))
      this.#doubt = 'none'
    }
    const bytes = Buffer.from(changes.map(encodeRecord).join(''))
    await this.#doubting('tail', () => file.write(bytes, state.bytes))
    // After a failed sync nobody knows which pages are on disk, the last one shared with older changes included.
    await this.#doubting('file', () => file.sync())
    state.bytes += bytes.length
  }

  /** Begins a new file with the state of the store and leaves the old one. */
  async rewrite(snapshot: Snapshot): Promise<void> {
    const { directory, disk } = this.#options
    const generation = (this.#state?.generation ?? 0) + 1
    const path = join(directory, nameOf(generation))
    const draft = `${path}.tmp`
    const file = await disk.open(draft, 'create')
    let bytes: number
    try {
      bytes = await writeSnapshot(file, snapshot)
      await file.sync()
    } catch (error) {
      await file.close().catch(() => undefined)
      await disk.remove(draft).catch(() => undefined)
      throw diskError(error)
    }
    const old = this.#state
    // From here on the new file may be the one that a restart finds: no append may go to the old one any more.
    this.#state = { file, generation, bytes, headBytes: bytes }
    await old?.file.close().catch(() => undefined)
    await this.#doubting('file', async () => {
      await disk.rename(draft, path)
      await disk.syncDirectory(directory)
    })
    this.#doubt = 'none'
    this.#toleratedBytes = 0
    // If this fails, the next start removes it.
    if (old !== undefined) await disk.remove(join(directory, nameOf(old.generation))).catch(() => undefined)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#state?.file.close()
    this.#state = undefined
  }

  #isMostlyOutdated(): boolean {
    const { bytes, headBytes } = this.#state!
    return bytes > Math.max(2 * headBytes + (this.#options.outdatedBytesMax ?? 16_777_216), this.#toleratedBytes)
  }

  async #tryToRewrite(snapshot: Snapshot): Promise<void> {
    try {
      await this.rewrite(snapshot)
    } catch (error) {
      if (this.#doubt !== 'none') throw error
      this.#toleratedBytes = 2 * this.#state!.bytes
      this.#options.log.warn('cannot shorten the resource journal, going on with the long one', { err: error })
    }
  }

  async #doubting(doubt: 'tail' | 'file', step: () => Promise<void>): Promise<void> {
    try {
      await step()
    } catch (error) {
      this.#doubt = doubt
      throw diskError(error)
    }
  }
}

/** The store's error for what the disk said. */
function diskError(cause: unknown): KnodeError {
  const isFull = (cause as NodeJS.ErrnoException).code === 'ENOSPC'
  const hint = isFull ? 'free some disk space; no restart is needed' : 'check the disk that holds the data directory'
  return new KnodeError('STORE_FAILED', messageOf(cause), { retryable: true, hint, cause })
}

const prefix = 'resources-'
const nameOf = (generation: number): string => `${prefix}${String(generation).padStart(10, '0')}.journal`

function generationOf(name: string): number | undefined {
  const digits = /^resources-(\d{10,})\.journal$/.exec(name)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

const chunkCharacters = 1_048_576

async function writeSnapshot(file: DiskFile, { entries, size, revision }: Snapshot): Promise<number> {
  let bytes = 0
  let text = encodeRecord({ format: journalFormat, version: journalVersion, revision, objects: size })
  const flush = async (): Promise<void> => {
    const chunk = Buffer.from(text)
    text = ''
    await file.write(chunk, bytes)
    bytes += chunk.length
  }
  for (const [key, object] of entries) {
    const own = Number(object.metadata.resourceVersion)
    text += encodeRecord({ put: keyParts(key), revision: own, after: own, object })
    if (text.length >= chunkCharacters) await flush()
  }
  await flush()
  return bytes
}
