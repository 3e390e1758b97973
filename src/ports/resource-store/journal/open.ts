// The embedded durable store: objects in memory, every change in a journal on disk before anybody sees it.
import { KnodeError, messageOf } from '../../../base/errors.ts'
import { silentLogger } from '../../../base/log.ts'
import type { Logger } from '../../../base/log.ts'
import { LiveStore } from '../live-store.ts'
import type { Change, ResourceStore } from '../port.ts'
import { machineDisk } from './disk.ts'
import type { Disk } from './disk.ts'
import { openJournal } from './journal.ts'
import type { JournalOptions, OpenedJournal } from './journal.ts'
import { keyParts } from './record.ts'
import type { ChangeRecord } from './record.ts'

export interface JournalStoreOptions {
  /** A directory of its own, created if need be. One process at a time may use it: the caller sees to that. */
  directory: string
  log?: Logger
  /** Changes kept for watches. @default 10_000 */
  historyChangesMax?: number
  /** Outdated bytes the journal may hold beyond twice its live ones. @default 16_777_216 (16 MiB) */
  outdatedBytesMax?: number
  /** @default the machine's file system */
  disk?: Disk
}

/**
 * Opens the store and reads all of it. Durable against `kill -9` and power loss once a `put` has resolved.
 * @throws {KnodeError} STORE_FAILED naming the file and the line that cannot be read.
 */
export async function openJournalStore(options: JournalStoreOptions): Promise<ResourceStore> {
  const { directory, disk = machineDisk, log = silentLogger, outdatedBytesMax } = options
  const { journal, objects, revision } = await openOrExplain({
    directory,
    disk,
    log,
    ...(outdatedBytesMax !== undefined && { outdatedBytesMax }),
  })
  let safeRevision = revision
  return new LiveStore({
    objects,
    revision,
    history: { changesMax: options.historyChangesMax },
    persistence: {
      async persist(changes) {
        const after = safeRevision
        await journal.append(
          changes.map((change) => recordOf(change, after)),
          () => ({ entries: objects.entries(), size: objects.size, revision: after }),
        )
        safeRevision = Number(changes.at(-1)!.revision)
      },
      [Symbol.asyncDispose]: () => journal[Symbol.asyncDispose](),
    },
  })
}

async function openOrExplain(options: JournalOptions): Promise<OpenedJournal> {
  try {
    return await openJournal(options)
  } catch (error) {
    if (error instanceof KnodeError) throw error
    throw new KnodeError(
      'STORE_FAILED',
      `cannot open the resource store in ${options.directory}: ${messageOf(error)}`,
      {
        cause: error,
        hint: 'check that the directory belongs to this user and that its disk is in order',
      },
    )
  }
}

function recordOf({ type, key, resource, revision }: Change, after: number): ChangeRecord {
  const common = { revision: Number(revision), after }
  if (type === 'deleted') return { delete: keyParts(key), ...common }
  return { put: keyParts(key), ...common, object: resource }
}
