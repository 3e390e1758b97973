// `POST /knode/v1/replay?namespace=&trigger=&since=1h&until=&rate=&limit=`: stored events once more to one Trigger's
// subscriber, told as lines of JSON. The replay ends when the client goes.
import { sleep } from '../../base/clock.ts'
import { KnodeError } from '../../base/errors.ts'
import type { ExtraRoute } from '../../engine/api-server/http/api-front.ts'
import type { Replay, ReplayCounts, ReplayEnd, ReplayOptions } from '../../engine/delivery/replay.ts'
import { triggerKind } from '../../kinds/eventing/trigger/schema.ts'
import type { Trigger } from '../../kinds/eventing/trigger/schema.ts'
import { conditionOf } from '../../model/duck/conditions.ts'
import { StatusError } from '../../model/kubernetes/status-error.ts'
import { jsonLines, openLines } from './line-answer.ts'
import { defineRoute, integerParameter, momentParameter } from './route.ts'
import type { RouteDeps } from './route.ts'

/** One line: first `started`, last `ended`. */
export type ReplayLine = { id: string; counts: ReplayCounts } & (
  | { what: 'started' | 'progress' }
  | { what: 'ended'; end: ReplayEnd }
)

/** How often progress is told, in milliseconds. */
const progressMs = 500
/** A reader that is more bytes behind is spared the progress; it still gets the end. */
const backlogBytesMax = 16_384

type ReplayRouteDeps = Pick<RouteDeps, 'caches' | 'delivery' | 'clock' | 'random'>

export const replayRoute = ({ caches, delivery, clock, random }: ReplayRouteDeps): ExtraRoute =>
  defineRoute('POST', '/knode/v1/replay', async (_, response, { url, stopping }) => {
    const options = replayOptions(url, clock.now(), random.uuid().slice(0, 8))
    const replay = start(delivery, triggerOf(caches, url.searchParams), options)
    const lines = openLines(response, stopping, jsonLines)
    const onEnded = (): void => replay.stop(stopping.aborted ? 'Knode stops' : 'the client went away')
    lines.ended.addEventListener('abort', onEnded, { once: true })
    if (lines.ended.aborted) onEnded()

    const { id } = replay
    const tell = (line: ReplayLine): void => lines.write(JSON.stringify(line))
    tell({ what: 'started', id, counts: replay.counts })
    const over = new AbortController()
    const ending = replay.run().finally(() => over.abort())
    while (await passed(sleep(clock, progressMs, over.signal))) {
      if (lines.waitingBytes <= backlogBytesMax) tell({ what: 'progress', id, counts: replay.counts })
    }
    const end = await ending
    // Told to a client that is still there, also when the server stops.
    if (!response.destroyed) response.write(`${JSON.stringify({ what: 'ended', id, end, counts: replay.counts })}\n`)
    lines.close()
  })

const passed = (waiting: Promise<void>): Promise<boolean> =>
  waiting.then(
    () => true,
    () => false,
  )

/** @throws {StatusError} 400 */
function replayOptions(url: URL, nowMs: number, id: string): ReplayOptions {
  const sinceMs = momentParameter(url, 'since', nowMs)
  const untilMs = momentParameter(url, 'until', nowMs)
  const ratePerSecond = integerParameter(url, 'rate', 1)
  const limit = integerParameter(url, 'limit', 1)
  if (sinceMs === undefined) throw new StatusError(400, 'BadRequest', 'since: is missing; say how far back, like 1h')
  if (untilMs !== undefined && untilMs <= sinceMs) throw new StatusError(400, 'BadRequest', 'until: is not after since')
  return {
    id,
    from: { timeMs: sinceMs },
    ...(untilMs !== undefined && { untilMs }),
    ...(ratePerSecond !== undefined && { ratePerSecond }),
    ...(limit !== undefined && { limit }),
  }
}

/** @throws {StatusError} 400, 404 */
function triggerOf(caches: RouteDeps['caches'], query: URLSearchParams): Trigger {
  const name = query.get('trigger') ?? ''
  if (name === '') throw new StatusError(400, 'BadRequest', 'trigger: is missing')
  const trigger = caches.get<Trigger>(triggerKind, query.get('namespace') ?? 'default', name)
  if (trigger !== undefined) return trigger
  const details = { name, group: 'eventing.knative.dev', kind: 'triggers' }
  throw new StatusError(404, 'NotFound', `triggers.eventing.knative.dev "${name}" not found`, details)
}

/** @throws {StatusError} 409 when the Trigger is paused, has a replay, or gets no events now */
function start(delivery: RouteDeps['delivery'], trigger: Trigger, options: ReplayOptions): Replay {
  const details = { name: trigger.metadata.name, group: 'eventing.knative.dev', kind: 'triggers' }
  try {
    return delivery.replay(trigger.metadata.uid ?? '', options)
  } catch (error) {
    if (!(error instanceof KnodeError)) throw error
    const why = conditionOf(trigger, 'Ready')?.message ?? 'it is not Ready'
    const message =
      error.code === 'NOT_FOUND' ? `trigger "${trigger.metadata.name}" gets no events now: ${why}` : error.message
    throw new StatusError(409, 'Conflict', message, details)
  }
}
