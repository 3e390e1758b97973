// For tests: a gateway with a Broker and a channel behind it, and ways to ask it.
import { request as httpRequest } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import { systemClock } from '../../base/clock.ts'
import { silentLogger } from '../../base/log.ts'
import type { Logger } from '../../base/log.ts'
import { createMetrics } from '../../base/metrics.ts'
import type { EventMessage } from '../../model/cloudevents/event.ts'
import type { AcceptResult, CertificateTable, Endpoint } from '../reconciler.ts'
import { createCertificateTable } from './certificate-table.ts'
import { createEndpointTable } from './endpoint-table.ts'
import { startGateway } from './http-front.ts'
import type { Gateway, GatewayLimits } from './http-front.ts'

export const brokerHost = 'broker-ingress.knative-eventing.svc.cluster.local'
export const channelHost = 'orders-kn-channel.default.svc.cluster.local'
export const event = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/test', 'ce-type': 'test.made' }

export interface TestGateway extends Gateway {
  port: number
  accepted: EventMessage[]
}

interface Setup {
  limits?: GatewayLimits
  accept?: (message: EventMessage) => Promise<AcceptResult>
  endpoints?: Record<string, Endpoint>
  certificates?: CertificateTable
  log?: Logger
}

/** A gateway with a Broker default/shop and a channel default/orders, each at both of its addresses. */
export async function aGateway({
  limits,
  accept,
  endpoints = {},
  certificates = createCertificateTable(),
  log = silentLogger,
}: Setup = {}): Promise<TestGateway> {
  const accepted: EventMessage[] = []
  const events: Endpoint = {
    kind: 'events',
    accept: async (message) => {
      accepted.push(message)
      return accept === undefined ? { status: 202 } : accept(message)
    },
  }
  const known: Record<string, Endpoint> = {
    ' /default/shop': events,
    [`${brokerHost} /default/shop`]: events,
    ' /channels/default/orders': events,
    [channelHost]: events,
    ...endpoints,
  }
  const table = createEndpointTable()
  table.add({ find: (host, path) => known[`${host} ${path.replace(/\/$/, '')}`] ?? known[host] })
  const gateway = await startGateway({
    host: '127.0.0.1',
    port: 0,
    endpoints: table,
    certificates,
    clock: systemClock,
    log,
    metrics: createMetrics(),
    limits: { drainMs: 60_000, ...limits },
  })
  const port = Number(new URL(gateway.url).port)
  return { url: gateway.url, port, accepted, [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose]() }
}

export interface Sent {
  method?: string
  host?: string
  path?: string
  headers?: Record<string, string | string[]>
  body?: string | Buffer
}

interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: string
}

export function send(
  { port }: TestGateway,
  { method = 'POST', host, path = '/', headers, body }: Sent,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const allHeaders = { ...headers, ...(host !== undefined && { host }) }
    const request = httpRequest({ host: '127.0.0.1', port, method, path, headers: allHeaders, agent: false })
    request.on('error', reject)
    request.on('response', (response) => {
      response.setEncoding('utf8')
      let text = ''
      response.on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body: text }))
    })
    request.end(body)
  })
}

/** Writes bytes as they are; resolves with everything that came back when the connection closed. */
export function sendRaw({ port }: TestGateway, ...pieces: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port })
    let text = ''
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => (text += chunk))
    socket.on('error', reject)
    socket.on('close', () => resolve(text))
    for (const piece of pieces) socket.write(piece)
  })
}
