// The way to a resource store: drivers by name, loaded when chosen.
import type { Logger } from '../../base/log.ts'
import { openMemoryStore } from './memory/open.ts'
import type { ResourceStore } from './port.ts'

export type ResourceStoreOptions =
  | { driver: 'memory'; historyChangesMax?: number }
  | {
      /** Keeps objects in a directory of its own, which is created if need be. */
      driver: 'embedded'
      directory: string
      log?: Logger
      historyChangesMax?: number
    }

/** @throws {KnodeError} STORE_FAILED when what is stored cannot be read, naming the place. */
export async function openResourceStore(options: ResourceStoreOptions): Promise<ResourceStore> {
  if (options.driver === 'memory') return openMemoryStore(options)
  const { openJournalStore } = await import('./journal/open.ts')
  return openJournalStore(options)
}
