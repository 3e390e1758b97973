// A store that forgets everything with the process: for tests and `--memory`.
import { LiveStore } from '../live-store.ts'
import type { ResourceStore } from '../port.ts'

export interface MemoryStoreOptions {
  /** Changes kept for watches. @default 10_000 */
  historyChangesMax?: number
}

export function openMemoryStore(options: MemoryStoreOptions = {}): ResourceStore {
  return new LiveStore({ history: { changesMax: options.historyChangesMax } })
}
