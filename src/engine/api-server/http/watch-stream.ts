// What goes out on a watch: events of the selected objects in the asked form, and bookmarks.
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Clock } from '../../../base/clock.ts'
import { apiVersionOf } from '../../../model/kubernetes/resource.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import type { Change, StoreRevision } from '../../../ports/resource-store/port.ts'
import type { KindTarget, Operations } from '../operations.ts'
import type { AnswerForm } from './accept.ts'
import { readIncludeObject } from './list.ts'
import type { Selection } from './selection.ts'
import { partialMetadata, tableMaker } from './table.ts'

/** Between two bookmarks, in milliseconds. */
const bookmarkMs = 60_000

/** What a change means to somebody who sees only the selected objects. */
export function eventOf(
  { type, resource, previous }: Change,
  { matches }: Selection,
): { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: Resource } | undefined {
  const wasSeen = previous !== undefined && matches(previous)
  if (type === 'deleted')
    return (previous === undefined ? matches(resource) : wasSeen) ? { type: 'DELETED', object: resource } : undefined
  if (matches(resource)) return { type: wasSeen ? 'MODIFIED' : 'ADDED', object: resource }
  if (!wasSeen) return undefined
  // It left the selection: its last visible state, with the revision of the change that took it away.
  const { resourceVersion } = resource.metadata
  const metadata = { ...previous.metadata, ...(resourceVersion !== undefined && { resourceVersion }) }
  return { type: 'DELETED', object: { ...previous, metadata } }
}

export interface Writer {
  event(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: Resource): Promise<void>
  /** A Status, after which the client starts anew. */
  error(status: object): Promise<void>
  bookmark(revision: StoreRevision, endOfInitialEvents: boolean): Promise<void>
}

export function createWriter(
  response: ServerResponse,
  { kind, version }: KindTarget,
  query: URLSearchParams,
  form: AnswerForm,
  clock: Clock,
  signal: AbortSignal,
): Writer {
  const maker = tableMaker(kind.versions.find(({ name }) => name === version)!)
  const includeObject = readIncludeObject(query)
  let withColumns = true
  const shaped = (object: Resource): object => {
    if (form.shape === 'object') return object
    if (form.shape === 'partial') return partialMetadata(object, form.version)
    const metadata = { resourceVersion: object.metadata.resourceVersion }
    const table = maker.table([object], metadata, {
      nowMs: clock.now(),
      includeObject,
      withColumns,
      version: form.version,
    })
    withColumns = false
    return table
  }
  // A client that does not read holds the stream back; the store's history bounds what may pile up behind it.
  const write = async (type: string, object: object): Promise<void> => {
    if (response.destroyed || response.write(`${JSON.stringify({ type, object })}\n`)) return
    await once(response, 'drain', { signal }).catch(() => undefined)
  }
  return {
    event: (type, object) => write(type, shaped(object)),
    error: (status) => write('ERROR', status),
    bookmark(revision, endOfInitialEvents) {
      const metadata = {
        resourceVersion: revision,
        creationTimestamp: null,
        ...(endOfInitialEvents && { annotations: { 'k8s.io/initial-events-end': 'true' } }),
      }
      const bare = { kind: kind.kind, apiVersion: apiVersionOf(kind.group, version), metadata }
      if (form.shape !== 'table')
        return write('BOOKMARK', form.shape === 'object' ? bare : shaped(bare as unknown as Resource))
      const table = { nowMs: clock.now(), includeObject: 'None', withColumns: false, version: form.version } as const
      return write('BOOKMARK', maker.table([], metadata, table))
    },
  }
}

export interface Bookmarks {
  /** Whether the watch waits for a change: only then a bookmark may be sent. */
  idle: boolean
  delivered(revision: StoreRevision): void
  stop(): void
}

/**
 * Tells a quiet client from time to time how far it has come. The revision told is the store's of one period ago:
 * every change up to it has reached this watch since.
 */
export function createBookmarks(
  start: StoreRevision,
  enabled: boolean,
  { clock, operations }: { clock: Clock; operations: Operations },
  send: (revision: StoreRevision) => Promise<void>,
): Bookmarks {
  let last = start
  let safe = start
  let stopped = false
  let cancel = (): void => undefined
  const tick = async (): Promise<void> => {
    const current = await operations.revision()
    if (stopped) return
    const revision = BigInt(safe) > BigInt(last) ? safe : last
    safe = current
    if (bookmarks.idle) {
      last = revision
      await send(revision)
    }
    if (!stopped) arm()
  }
  const arm = (): void => {
    // A failing store ends the watch by its own error; the bookmark is merely not sent.
    cancel = clock.setTimer(bookmarkMs, () => void tick().catch(() => undefined))
  }
  const bookmarks: Bookmarks = {
    idle: false,
    delivered: (revision) => void (last = revision),
    stop() {
      stopped = true
      cancel()
    },
  }
  if (enabled) arm()
  return bookmarks
}
