// What Knode's own routes are made of: their neighbours, a method and a path, and how they read parameters.
import type { Clock } from '../../base/clock.ts'
import type { Metrics } from '../../base/metrics.ts'
import type { Random } from '../../base/random.ts'
import type { ExtraRoute } from '../../engine/api-server/http/api-front.ts'
import type { Autoscaler } from '../../engine/autoscaler.ts'
import type { RunningDeliveryEngine } from '../../engine/delivery/engine.ts'
import type { FlowFeed } from '../../engine/flow.ts'
import type { Caches } from '../../engine/reconciler.ts'
import { parseMoment } from '../../model/kubernetes/moment.ts'
import { StatusError } from '../../model/kubernetes/status-error.ts'
import type { EventTransport } from '../../ports/event-transport/port.ts'
import type { WorkloadLogs } from '../../ports/workload-runtime/port.ts'

export interface RouteDeps {
  caches: Caches
  transport: EventTransport
  runtime: WorkloadLogs
  delivery: Pick<RunningDeliveryEngine, 'replay'>
  autoscaler: Pick<Autoscaler, 'snapshot'>
  flow: FlowFeed
  metrics: Metrics
  clock: Clock
  random: Random
}

/** A route at one path, or below it when the path ends with `/`. Other methods get a 405. */
export function defineRoute(method: 'GET' | 'POST', path: string, handle: ExtraRoute['handle']): ExtraRoute {
  return {
    matches: (asked) => (path.endsWith('/') ? asked.startsWith(path) : asked === path),
    handle(request, response, context) {
      if (request.method === method) return handle(request, response, context)
      response.setHeader('Allow', method)
      throw new StatusError(405, 'MethodNotAllowed', `${context.url.pathname} takes ${method} only`)
    },
  }
}

/** @throws {StatusError} 400 */
export function badParameter(name: string, expected: string, text: string): StatusError {
  return new StatusError(400, 'BadRequest', `${name}: expected ${expected}, got "${text}"`)
}

/** A whole number from `min`; `undefined` when the query does not have it. @throws {StatusError} 400 */
export function integerParameter({ searchParams }: URL, name: string, min: number): number | undefined {
  const text = searchParams.get(name)
  if (text === null) return undefined
  if (/^\d{1,15}$/.test(text) && Number(text) >= min) return Number(text)
  throw badParameter(name, `a whole number from ${min}`, text)
}

/** A time, in milliseconds since 1970; `undefined` when the query does not have it. @throws {StatusError} 400 */
export function momentParameter({ searchParams }: URL, name: string, nowMs: number): number | undefined {
  const text = searchParams.get(name)
  if (text === null) return undefined
  const timeMs = parseMoment(text, nowMs)
  if (timeMs === undefined)
    throw badParameter(name, 'how long ago, like 1h30m, or a time like 2026-01-31T12:00:00Z', text)
  return timeMs
}

/** A part of a path as text. @throws {StatusError} 400 */
export function decodedPart(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw badParameter('path', 'percent-encoded UTF-8', part)
  }
}
