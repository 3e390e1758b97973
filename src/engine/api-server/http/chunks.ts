// Pages of long lists. A later page shows the state of the first: what is left of it is kept for a while.
import type { Clock } from '../../../base/clock.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import type { StoreRevision } from '../../../ports/resource-store/port.ts'
import { expired } from './answers.ts'

/** How long a client may take between two pages, as etcd's compaction gives it. */
const keptMs = 300_000
/** Unfinished lists kept at once; the oldest goes first. */
const listsMax = 256

interface Chunk {
  items: readonly Resource[]
  revision: StoreRevision
  /** For the next page; absent on the last one. */
  next?: string
  /** How many objects come after this page. */
  remaining: number
}

export interface Chunks {
  /** The first page of a list. `limit` 0 is no limit. */
  first(items: readonly Resource[], revision: StoreRevision, limit: number): Chunk
  /** The page a token stands for. @throws {StatusError} 410 when it is no longer kept. */
  next(token: string, limit: number): Chunk
}

interface Rest {
  items: readonly Resource[]
  revision: StoreRevision
  untilMs: number
}

/** `newToken` makes texts that nobody guesses. */
export function createChunks(clock: Clock, newToken: () => string): Chunks {
  const rests = new Map<string, Rest>()
  const page = (items: readonly Resource[], revision: StoreRevision, limit: number): Chunk => {
    if (limit === 0 || items.length <= limit) return { items, revision, remaining: 0 }
    const next = newToken()
    const oldest = rests.keys().next()
    if (rests.size >= listsMax && oldest.done !== true) rests.delete(oldest.value)
    rests.set(next, { items: items.slice(limit), revision, untilMs: clock.now() + keptMs })
    return { items: items.slice(0, limit), revision, next, remaining: items.length - limit }
  }
  return {
    first: page,
    next(token, limit) {
      const rest = rests.get(token)
      // A page may be asked for twice, when its answer got lost: it stays until it expires.
      if (rest === undefined || rest.untilMs < clock.now()) {
        rests.delete(token)
        throw expired(
          'The provided continue parameter is too old to display a consistent list result. ' +
            'You must start a new list without the continue parameter.',
        )
      }
      return page(rest.items, rest.revision, limit)
    },
  }
}
