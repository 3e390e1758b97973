// A line for each request, by the operator's template. Source: knative/serving pkg/http/request_log.go, trace.go.
import type { IncomingMessage } from 'node:http'
import { parseTemplate } from '../../model/kubernetes/go-template.ts'
import type { PodEndpoint, RequestLogSpec, RevisionDoorSpec } from '../serving.ts'
import { bodyBytesOf } from './forwarded-headers.ts'
import type { RequestTrace } from './request-trace.ts'

/** A request that has ended. */
export interface AnsweredRequest {
  readonly request: IncomingMessage
  /** Of the answer; 502 where none came. */
  readonly status: number
  /** Of the answer's body. */
  readonly answeredBytes: number
  /** What is recorded of it, if anything is. */
  readonly trace: Pick<RequestTrace, 'headers'> | undefined
}

export class RequestLog {
  #spec: RequestLogSpec
  #revision: { Name: string; Namespace: string; Service: string; Configuration: string }
  #fill: (data: Readonly<Record<string, unknown>>) => string
  #write: (line: string) => void

  /** @throws {Error} when the template does not parse */
  constructor({ namespace, name }: RevisionDoorSpec, spec: RequestLogSpec, write: (line: string) => void) {
    this.#spec = spec
    this.#revision = { Name: name, Namespace: namespace, Service: spec.service, Configuration: spec.configuration }
    this.#fill = parseTemplate('requestLog', spec.template)
    this.#write = write
  }

  /** @param pod where it was worked on, if anywhere */
  record(answered: AnsweredRequest, pod: PodEndpoint | undefined, tookMs: number): void {
    const { request, status, answeredBytes, trace } = answered
    if (!this.#spec.withProbes && isProbe(request)) return
    // Whole nanoseconds, as Go has them.
    const latency = Math.round(tookMs * 1e6) / 1e9
    try {
      const line = this.#fill({
        Request: requestFields(request),
        Response: { Code: status, Size: answeredBytes, Latency: latency },
        Revision: { ...this.#revision, PodName: pod?.name ?? '', PodIP: pod?.host ?? '' },
        TraceID: traceIdIn(trace?.headers.traceparent) ?? traceId(request),
      })
      this.#write(`${line}\n`)
    } catch {
      const { method, url } = request
      this.#write(
        `Invalid request log template: method: ${method}, response code: ${status}, latency: ${latency}, url: ${url}\n`,
      )
    }
  }
}

/** The fields of Go's http.Request that a template can print. */
function requestFields(request: IncomingMessage): object {
  const { headers, socket, httpVersion, httpVersionMajor, httpVersionMinor, method, url = '' } = request
  return {
    Method: method,
    URL: url,
    RequestURI: url,
    Proto: `HTTP/${httpVersion}`,
    ProtoMajor: httpVersionMajor,
    ProtoMinor: httpVersionMinor,
    Host: headers.host ?? textOf(request, ':authority'),
    RemoteAddr: remoteAddress(socket),
    ContentLength: bodyBytesOf(request) ?? -1,
    UserAgent: headers['user-agent'] ?? '',
    Referer: headers.referer ?? '',
    // Few templates ask for it.
    get Header() {
      return goHeaders(request)
    },
  }
}

/** Lists of values by names as Go writes them: `X-B3-Traceid`. The host is none of them. */
function goHeaders({ rawHeaders }: IncomingMessage): Record<string, string[]> {
  const headers = new Map<string, string[]>()
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!.toLowerCase().replace(/(?:^|-)[a-z]/g, (start) => start.toUpperCase())
    if (name === 'Host' || name.startsWith(':')) continue
    const values = headers.get(name)
    if (values === undefined) headers.set(name, [rawHeaders[at + 1]!])
    else values.push(rawHeaders[at + 1]!)
  }
  return Object.fromEntries(headers)
}

function remoteAddress({ remoteAddress: host = '', remotePort }: IncomingMessage['socket']): string {
  return host === '' ? '' : `${host.includes(':') ? `[${host}]` : host}:${remotePort}`
}

/** Of W3C Trace Context, or of B3. */
function traceId(request: IncomingMessage): string {
  return traceIdIn(textOf(request, 'traceparent')) ?? textOf(request, 'x-b3-traceid')
}

const traceIdIn = (traceparent: string | undefined): string | undefined => traceparent?.split('-')[1]

/** Source: knative/networking pkg/http/header IsProbe. */
export const isProbe = (request: IncomingMessage): boolean =>
  textOf(request, 'user-agent').startsWith('kube-probe/') ||
  textOf(request, 'k-kubelet-probe') !== '' ||
  textOf(request, 'k-network-probe') !== ''

const textOf = ({ headers }: IncomingMessage, name: string): string => String(headers[name] ?? '')
