// What is recorded of a request: that it came, how long it waited for a Pod, and each call of one. Source: knative/serving
// pkg/activator/handler/handler.go, otelhttp; OpenTelemetry semantic conventions for HTTP spans.
import type { IncomingMessage } from 'node:http'
import type { AttributeValue, Attributes } from '../../model/otlp/common.ts'
import type { PodEndpoint, RevisionDoorSpec } from '../serving.ts'
import type { Span, Tracer } from '../tracing.ts'
import { isEncrypted } from './forwarded-headers.ts'
import type { PodAddress } from './pod-connections.ts'
import { isProbe } from './request-log.ts'

/** How a request has ended. */
export interface EndedRequest {
  /** Of the answer; 502 where none came. */
  readonly status: number
  /** Of the answer's body. */
  readonly answeredBytes: number
  /** Why the answer is not whole. */
  readonly failure: string | undefined
}

/** @returns `undefined` when nothing is recorded of this one */
export function traceRequest(
  tracer: Tracer,
  request: IncomingMessage,
  spec: RevisionDoorSpec,
): RequestTrace | undefined {
  if (isProbe(request)) return undefined
  const { traceparent, tracestate } = request.headers
  const parent = { traceparent: textOf(traceparent), tracestate: textOf(tracestate) }
  const span = tracer.begin('handle', { kind: 'server', parent, attributes: serverAttributes(request, spec) })
  return span === undefined ? undefined : new RequestTrace(span, request)
}

export class RequestTrace {
  #request: IncomingMessage
  #server: Span
  #wait: Span | undefined
  #call: Span | undefined

  constructor(server: Span, request: IncomingMessage) {
    this.#server = server
    this.#request = request
  }

  /** What a Pod gets: it names the call. */
  get headers(): { traceparent: string; tracestate: string } {
    return this.#call ?? this.#server
  }

  /** There is no room for it now. */
  waiting(): void {
    this.#wait ??= this.#server.child('throttler_try', 'internal')
  }

  /** It goes to a Pod. */
  sent(pod: PodEndpoint, { host, port }: PodAddress): void {
    this.#wait?.end()
    this.#wait = undefined
    const { method = 'GET' } = this.#request
    const path = pathOf(this.#request)
    this.#call = this.#server.child(`${method} ${path}`, 'client', {
      'http.request.method': method,
      'url.full': `http://${host.includes(':') ? `[${host}]` : host}:${port}${path}`,
      'server.address': host,
      'server.port': port,
      'k8s.pod.name': pod.name,
    })
  }

  /** No connection came about: it waits for another Pod. */
  unsent(why: string): void {
    this.#endCall(why)
    this.waiting()
  }

  end({ status, answeredBytes, failure }: EndedRequest): void {
    const answered: Attributes = { 'http.response.status_code': status }
    this.#wait?.fail(failure ?? '')
    this.#wait?.end()
    if (this.#call !== undefined) {
      this.#call.set(answered)
      this.#endCall(failure ?? (status >= 400 ? '' : undefined))
    }
    this.#server.set({ ...answered, 'http.response.body.size': answeredBytes })
    if (status >= 500) {
      this.#server.set({ 'error.type': String(status) })
      this.#server.fail(failure ?? '')
    }
    this.#server.end()
  }

  #endCall(failure: string | undefined): void {
    if (failure !== undefined) this.#call?.fail(failure)
    this.#call?.end()
    this.#call = undefined
  }
}

function serverAttributes(request: IncomingMessage, spec: RevisionDoorSpec): Attributes {
  const { method = 'GET', headers, socket, httpVersion } = request
  const authority = textOf(headers[':authority'] ?? headers.host) ?? ''
  const [, host = authority, port] = /^(.*?)(?::(\d+))?$/.exec(authority) ?? []
  const attributes: Record<string, AttributeValue> = {
    'http.request.method': method,
    'url.scheme': isEncrypted(socket) ? 'https' : 'http',
    'url.path': pathOf(request),
    'server.address': host,
    'network.protocol.name': 'http',
    'network.protocol.version': httpVersion.replace(/\.0$/, (zero) => (httpVersion === '1.0' ? zero : '')),
    'k8s.namespace.name': spec.namespace,
    'kn.revision.name': spec.name,
  }
  if (port !== undefined) attributes['server.port'] = Number(port)
  if (spec.service !== undefined) attributes['kn.service.name'] = spec.service
  if (spec.configuration !== undefined) attributes['kn.configuration.name'] = spec.configuration
  if (socket.remoteAddress !== undefined) {
    attributes['network.peer.address'] = socket.remoteAddress
    attributes['client.address'] = textOf(headers['x-forwarded-for'])?.split(',')[0]!.trim() ?? socket.remoteAddress
  }
  const agent = headers['user-agent']
  if (agent !== undefined) attributes['user_agent.original'] = agent
  return attributes
}

/** Without query, which may hold secrets. */
function pathOf({ url = '/' }: IncomingMessage): string {
  const path = url.startsWith('/') ? url : url.replace(/^[a-z]+:\/\/[^/?#]*/i, '')
  const end = path.search(/[?#]/)
  return (end < 0 ? path : path.slice(0, end)) || '/'
}

const textOf = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value.join(',') : value
