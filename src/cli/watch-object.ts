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
    try {
      const from = { from: list.metadata.resourceVersion, clock }
      for await (const { type, object } of watchFrom(client, { path, query: { fieldSelector }, signal }, from)) {
        yield type === 'DELETED' ? undefined : object
      }
    } catch (error) {
      // History that is gone is listed again.
      if (!(error instanceof StatusError) || error.code !== 410) throw error
    }
  }
}

/**
 * The events after `from`, for as long as the signal lets it: servers end watches every now and then.
 * @throws {StatusError} when the server refuses to go on, as with 410 for history that is gone
 */
export async function* watchFrom<Object extends Versioned = Resource>(
  client: ApiClient,
  request: Parameters<ApiClient['lines']>[0] & { signal: AbortSignal },
  { from, clock }: { from: string | undefined; clock: Clock },
): AsyncGenerator<WatchEvent<Object>, void> {
  const { signal } = request
  while (!signal.aborted) {
    const query = { ...request.query, watch: true, resourceVersion: from, allowWatchBookmarks: true }
    for await (const event of watchEvents<Object>(client, { ...request, query })) {
      from = event.object.metadata?.resourceVersion ?? from
      if (event.type !== 'BOOKMARK') yield event
    }
    await sleep(clock, pauseMs, signal).catch(() => undefined)
  }
}

interface Versioned {
  metadata?: { resourceVersion?: string }
}

/** The events of one watch. @throws {StatusError} when the server ends it with an error */
async function* watchEvents<Object = Resource>(
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
