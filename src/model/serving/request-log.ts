// Whether a line is written for each request, and how it looks, as ConfigMap `config-observability` says.
// Source: knative/serving pkg/observability/config.go.
import type { ConfigData } from './serving-config.ts'

export const requestLogKeys = {
  enabled: 'logging.enable-request-log',
  template: 'logging.request-log-template',
  probes: 'logging.enable-probe-request-log',
} as const

/** How the line of a request looks. */
export interface RequestLogFormat {
  /** A Go template over `Request`, `Response`, `Revision` and `TraceID`. */
  template: string
  /** Requests of probes have lines, too. */
  withProbes: boolean
}

const httpRequestFields = [
  ['requestMethod', '"{{.Request.Method}}"'],
  ['requestUrl', '"{{js .Request.RequestURI}}"'],
  ['requestSize', '"{{.Request.ContentLength}}"'],
  ['status', '{{.Response.Code}}'],
  ['responseSize', '"{{.Response.Size}}"'],
  ['userAgent', '"{{js .Request.UserAgent}}"'],
  ['remoteIp', '"{{js .Request.RemoteAddr}}"'],
  ['serverIp', '"{{.Revision.PodIP}}"'],
  ['referer', '"{{js .Request.Referer}}"'],
  ['latency', '"{{.Response.Latency}}s"'],
  ['protocol', '"{{.Request.Proto}}"'],
]

const templateDefault = `{"httpRequest": {${httpRequestFields
  .map(([name, value]) => `"${name}": ${value}`)
  .join(', ')}}, "traceId": "{{.TraceID}}"}`

/** @returns `undefined` when no lines are wanted */
export function readRequestLogFormat(data: ConfigData): RequestLogFormat | undefined {
  const template = data[requestLogKeys.template]?.trim() ?? templateDefault
  if (!isTrue(data[requestLogKeys.enabled]) || template === '') return undefined
  return { template, withProbes: isTrue(data[requestLogKeys.probes]) }
}

const isTrue = (text = ''): boolean => /^(?:1|t|true)$/i.test(text)
