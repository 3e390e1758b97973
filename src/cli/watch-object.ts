// Follows objects through list and watch, over broken connections and compacted history.
import type { Clock } from '../base/clock.ts'
import { sleep } from '../base/clock.ts'
import type { Resource } from '../model/kubernetes/resource.ts'
import { StatusError } from '../model/kubernetes/status-error.ts'
import type { Status } from '../model/kubernetes/status-error.ts'
import type { ApiClient } from './api-client.ts'
import { pathOf } from './discovery.ts'
import type { ApiResource } from './discovery.ts'

export interface WatchEvent<Object = Resource> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  object: Object
}

interface ObjectList {
  items: Resource[]
  metadata: { resourceVersion: string }
}

/** Pause before a watch that ended is taken up again, in milliseconds. */
const pauseMs = 200

/** The states of one object, the present one first; `undefined` while it does not exist. Ends when the signal aborts. */
export async function* watchObject(
  client: ApiClient,
  place: { resource: ApiResource; namespace: string | undefined; name: string },
  { signal, clock }: { signal: AbortSignal; clock: Clock },
): AsyncGenerator<Resource | undefined, void> {
  const path = pathOf(place.resource, place.namespace)
  const fieldSelector = `metadata.name=${place.name}`
  while (!signal.aborted) {
    const list = (await client.call<ObjectList>({ path, query: { fieldSelector }, signal })).body
    yield list.items[0]
    let from = list.metadata.resourceVersion
    try {
      while (!signal.aborted) {
        const query = { watch: true, fieldSelector, resourceVersion: from, allowWatchBookmarks: true }
        for await (const { type, object } of watchEvents(client, { path, query, signal })) {
          from = object.metadata.resourceVersion ?? from
          if (type !== 'BOOKMARK') yield type === 'DELETED' ? undefined : object
        }
        await sleep(clock, pauseMs, signal).catch(() => undefined)
      }
    } catch (error) {
      // History that is gone is listed again.
      if (!(error instanceof StatusError) || error.code !== 410) throw error
    }
  }
}

/** The events of one watch. @throws {StatusError} when the server ends it with an error */
export async function* watchEvents<Object = Resource>(
  client: ApiClient,
  request: Parameters<ApiClient['lines']>[0],
): AsyncGenerator<WatchEvent<Object>, void> {
  for await (const line of client.lines(request)) {
    if (line === '') continue
    const event = JSON.parse(line) as WatchEvent<Object>
    if (event.type === 'ERROR') {
      const { code, reason = '', message = '', details } = event.object as unknown as Status
      throw new StatusError(code, reason, message, details)
    }
    yield event
  }
}
