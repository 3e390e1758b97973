// Knode's own part of the API, behind the same guard as the rest: `/knode/v1/…` and `/metrics`.
import type { ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { Clock } from '../base/clock.ts'
import type { Metrics } from '../base/metrics.ts'
import type { ExtraRoute } from '../engine/api-server/http/api-front.ts'
import type { FlowFeed } from '../engine/flow.ts'
import type { Caches } from '../engine/reconciler.ts'
import { brokerKind, brokerStream } from '../kinds/eventing/broker/schema.ts'
import type { Broker } from '../kinds/eventing/broker/schema.ts'
import { writeStructured } from '../model/cloudevents/http-binding.ts'
import { StatusError } from '../model/kubernetes/status-error.ts'
import type { EventTransport } from '../ports/event-transport/port.ts'
import type { WorkloadLogs } from '../ports/workload-runtime/port.ts'
import { flowLine } from './flow-line.ts'

export interface RouteDeps {
  caches: Caches
  transport: EventTransport
  runtime: WorkloadLogs
  flow: FlowFeed
  metrics: Metrics
  clock: Clock
}

/** Facts a slow reader of `tail` may be behind; more are left out, and the reader is told how many. */
const tailBacklogBytesMax = 1_048_576

export function knodeRoutes(deps: RouteDeps): ExtraRoute[] {
  return [metricsRoute(deps), tailRoute(deps), logsRoute(deps), streamsRoute(deps), historyRoute(deps)]
}

/** Prometheus' text format. */
const metricsRoute = ({ metrics }: RouteDeps): ExtraRoute => ({
  matches: (path) => path === '/metrics',
  handle(_, response) {
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(metrics.prometheus())
  },
})

/** `GET /knode/v1/tail`: what becomes of events, one JSON object a line, until the client goes. */
const tailRoute = ({ flow }: RouteDeps): ExtraRoute => ({
  matches: (path) => path === '/knode/v1/tail',
  async handle(_, response, { url, stopping }) {
    const namespace = url.searchParams.get('namespace')
    const broker = url.searchParams.get('broker')
    const type = url.searchParams.get('type')
    const stream = broker === null ? undefined : `broker/${namespace ?? 'default'}/${broker}/`
    startLines(response)
    let leftOut = 0
    using _subscription = flow.subscribe((fact) => {
      if (stream !== undefined && !fact.stream.startsWith(stream)) return
      if (type !== null && fact.event.attributes.get('type') !== type) return
      if (response.writableLength > tailBacklogBytesMax) {
        leftOut++
        return
      }
      if (leftOut > 0) response.write(`${JSON.stringify({ what: 'left-out', count: leftOut })}\n`)
      leftOut = 0
      response.write(`${JSON.stringify(flowLine(fact))}\n`)
    })
    await ended(response, stopping)
  },
})

/** `GET /knode/v1/logs/NAMESPACE/NAME?follow=true&tailLines=N`: what a workload wrote, as text. */
const logsRoute = ({ runtime }: RouteDeps): ExtraRoute => ({
  matches: (path) => path.startsWith('/knode/v1/logs/'),
  async handle(_, response, { url, stopping }) {
    const [namespace = '', name = '', ...more] = url.pathname.slice('/knode/v1/logs/'.length).split('/')
    const gone = new AbortController()
    response.on('close', () => gone.abort())
    const tail = url.searchParams.get('tailLines')
    if (tail !== null && !/^\d+$/.test(tail)) throw new StatusError(400, 'BadRequest', 'tailLines: expected a number')
    const lines = runtime.logs(decodeURIComponent(namespace), decodeURIComponent(name), {
      follow: url.searchParams.get('follow') === 'true',
      signal: AbortSignal.any([gone.signal, stopping]),
      ...(tail === null ? {} : { tailLines: Number(tail) }),
    })
    if (lines === undefined || more.length > 0) {
      throw new StatusError(404, 'NotFound', `no workload "${name}" has written anything in namespace "${namespace}"`)
    }
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).flushHeaders()
    for await (const { text } of lines) {
      if (!response.write(`${text}\n`)) await once(response, 'drain', { signal: gone.signal }).catch(() => undefined)
    }
    response.end()
  },
})

/** `GET /knode/v1/streams`: streams, their consumers and how far behind these are. */
const streamsRoute = ({ transport }: RouteDeps): ExtraRoute => ({
  matches: (path) => path === '/knode/v1/streams',
  handle(_, response) {
    const body = JSON.stringify({ streams: transport.streams() })
    response.writeHead(200, { 'content-type': 'application/json' }).end(body)
  },
})

/** `GET /knode/v1/history?namespace=&broker=&sinceMs=`: stored events of a Broker, structured, one a line. */
const historyRoute = ({ caches, transport, clock }: RouteDeps): ExtraRoute => ({
  matches: (path) => path === '/knode/v1/history',
  async handle(_, response, { url, stopping }) {
    const namespace = url.searchParams.get('namespace') ?? 'default'
    const name = url.searchParams.get('broker') ?? 'default'
    const sinceMs = Number(url.searchParams.get('sinceMs') ?? '3600000')
    if (!Number.isFinite(sinceMs) || sinceMs < 0) throw new StatusError(400, 'BadRequest', 'sinceMs: expected a number')
    const broker = caches.get<Broker>(brokerKind, namespace, name)
    const stream = broker === undefined ? undefined : transport.stream(brokerStream(broker))
    if (stream === undefined) {
      const details = { name, group: 'eventing.knative.dev', kind: 'brokers' }
      throw new StatusError(404, 'NotFound', `brokers.eventing.knative.dev "${name}" not found`, details)
    }
    startLines(response)
    for await (const { message } of stream.read({ timeMs: clock.now() - sinceMs })) {
      if (response.destroyed || stopping.aborted) return
      const line = Buffer.from(writeStructured(message.event).body).toString('utf8')
      if (!response.write(`${line}\n`)) await once(response, 'drain', { signal: stopping }).catch(() => undefined)
    }
    response.end()
  },
})

function startLines(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/x-ndjson' }).flushHeaders()
}

async function ended(response: ServerResponse, stopping: AbortSignal): Promise<void> {
  if (!response.destroyed && !stopping.aborted) {
    await once(response, 'close', { signal: stopping }).catch(() => undefined)
  }
  response.end()
}
