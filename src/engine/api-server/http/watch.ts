// Watches: one line of JSON for each change, as long as client and server like.
// Source: kubernetes/apiserver pkg/endpoints/handlers/watch.go and pkg/storage/cacher.
import type { ServerResponse } from 'node:http'
import type { Clock } from '../../../base/clock.ts'
import { GoneError } from '../../../base/errors.ts'
import type { Logger } from '../../../base/log.ts'
import type { Random } from '../../../base/random.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import type { StatusCause } from '../../../model/kubernetes/status-error.ts'
import type { StoreRevision } from '../../../ports/resource-store/port.ts'
import type { KindTarget, Operations } from '../operations.ts'
import type { AnswerForm } from './accept.ts'
import { expired, statusOf } from './answers.ts'
import { readIncludeObject, readRevision } from './list.ts'
import { invalidOptions, isTrue } from './request-options.ts'
import { readSelection } from './selection.ts'
import type { Selection } from './selection.ts'
import { createBookmarks, createWriter, eventOf } from './watch-stream.ts'

/** Shortest life of a watch that asks for none, in milliseconds; chance adds up to the same again. */
const lifetimeMsMin = 1_800_000

export interface WatchDeps {
  operations: Operations
  clock: Clock
  random: Random
  log: Logger
  /** Aborts when the server stops. */
  stopping: AbortSignal
}

/** Answers a watch and returns when it is over. @throws {StatusError} for options or a start that cannot be. */
export async function serveWatch(
  response: ServerResponse,
  target: KindTarget,
  namespace: string | undefined,
  query: URLSearchParams,
  form: AnswerForm,
  deps: WatchDeps,
): Promise<void> {
  const options = readOptions(target, query, deps.random)
  const ending = new AbortController()
  const end = (): void => ending.abort()
  using _ = { [Symbol.dispose]: end }
  response.on('close', end)
  deps.stopping.addEventListener('abort', end, { signal: ending.signal })
  if (deps.stopping.aborted) end()

  const initial = await initialState(target, namespace, options, deps.operations)
  const from = { from: initial.revision, signal: ending.signal }
  const changes = deps.operations.watch(target, namespace, from)[Symbol.asyncIterator]()
  const pull = (): ReturnType<typeof changes.next> => {
    const pulled = changes.next()
    // It may fail while an earlier event is still being written; whoever awaits it learns of that.
    pulled.catch(() => undefined)
    return pulled
  }
  let next = pull()
  await refuseWhenGone(next, options.from)

  response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-cache, private' })
  response.flushHeaders()
  const cancelLifetime = deps.clock.setTimer(options.lifetimeMs, end)
  const writer = createWriter(response, target, query, form, deps.clock, ending.signal)
  const bookmarks = createBookmarks(initial.revision, options.bookmarks, deps, (revision) =>
    writer.bookmark(revision, false),
  )
  try {
    for (const object of initial.items) {
      if (options.selection.matches(object)) await writer.event('ADDED', object)
    }
    if (options.sendInitialEvents) await writer.bookmark(initial.revision, true)
    while (!ending.signal.aborted) {
      bookmarks.idle = true
      const { done, value: change } = await next
      bookmarks.idle = false
      if (done === true) break
      next = pull()
      const event = eventOf(change, options.selection)
      if (event !== undefined) await writer.event(event.type, event.object)
      bookmarks.delivered(change.revision)
    }
  } catch (error) {
    if (!ending.signal.aborted) await writer.error(failureOf(error, options.from, deps.log))
  } finally {
    bookmarks.stop()
    cancelLifetime()
    end()
    response.end()
  }
}

interface WatchOptions {
  /** Undefined: from now on, with the present objects first. */
  from: StoreRevision | undefined
  sendInitialEvents: boolean
  bookmarks: boolean
  lifetimeMs: number
  selection: Selection
}

function readOptions(target: KindTarget, query: URLSearchParams, random: Random): WatchOptions {
  const sendInitialEvents = isTrue(query.get('sendInitialEvents'))
  const bookmarks = isTrue(query.get('allowWatchBookmarks'))
  const match = query.get('resourceVersionMatch') ?? ''
  const causes: StatusCause[] = []
  const forbid = (field: string, detail: string): void =>
    void causes.push({ reason: 'FieldValueForbidden', message: `Forbidden: ${detail}`, field })
  if (query.has('sendInitialEvents') && match !== 'NotOlderThan') {
    forbid('resourceVersionMatch', 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan')
  }
  if (!query.has('sendInitialEvents') && match !== '') {
    forbid('resourceVersionMatch', 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided')
  }
  if (sendInitialEvents && !bookmarks) {
    forbid('sendInitialEvents', 'sendInitialEvents requires setting allowWatchBookmarks to true')
  }
  if (causes.length > 0) throw invalidOptions('ListOptions', causes)
  const wanted = readRevision(query)
  const asked = Number(query.get('timeoutSeconds') ?? 0)
  readIncludeObject(query)
  return {
    from: wanted === undefined || wanted === 0n || sendInitialEvents ? undefined : String(wanted),
    sendInitialEvents,
    bookmarks,
    lifetimeMs: asked > 0 ? asked * 1000 : lifetimeMsMin * (1 + random.next()),
    selection: readSelection(target.kind, query),
  }
}

async function initialState(
  target: KindTarget,
  namespace: string | undefined,
  { from }: WatchOptions,
  operations: Operations,
): Promise<{ items: Resource[]; revision: StoreRevision }> {
  if (from === undefined) return operations.list(target, namespace)
  const current = await operations.revision()
  // A revision from another life of this store (its data are gone): the client must list again.
  if (BigInt(from) > BigInt(current)) throw expired(`too new resource version: ${from} (${current})`)
  return { items: [], revision: from }
}

/** Gives the driver a moment to say that the history is gone, so that the answer is a 410 and not a stream. */
async function refuseWhenGone(first: Promise<unknown>, from: StoreRevision | undefined): Promise<void> {
  if (from === undefined) return
  const moment = new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
  try {
    await Promise.race([first, moment])
  } catch (error) {
    throw error instanceof GoneError ? tooOld(from, error) : error
  }
}

const tooOld = (from: StoreRevision, { message }: GoneError) =>
  expired(`too old resource version: ${from} (${message})`)

const failureOf = (error: unknown, from: StoreRevision | undefined, log: Logger): object =>
  statusOf(error instanceof GoneError && from !== undefined ? tooOld(from, error) : error, log)
