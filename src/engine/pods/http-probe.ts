// One look at whether a program answers HTTP as it should, and by which of its versions: httpGet probes.
// Source: kubernetes/kubernetes pkg/probe/http; which version is tried first, knative/serving pkg/queue/health/probe.go.
import { request as httpRequest } from 'node:http'
import type { RequestOptions } from 'node:http'
import { connect as connectHttp2, constants } from 'node:http2'
import { request as httpsRequest } from 'node:https'
import type { Clock } from '../../base/clock.ts'
import type { Probe } from '../../model/kubernetes/pod/probe-schema.ts'

export const probeUserAgent = 'kube-probe/1.34'
/** Of a failed answer, in characters, that the failure tells. */
const bodyCharactersMax = 200

export type HttpVersion = 1 | 2

export interface HttpProbe {
  httpGet: NonNullable<Probe['httpGet']>
  host: string
  port: number
  /** For each version that is tried. */
  timeoutMs: number
  clock: Clock
}

/** What came of one request: an answer that counts or does not, or none. */
type Outcome = { kind: 'well' } | { kind: 'unwell' | 'no answer' | 'no connection'; message: string }

/** Asks by HTTP/1.1, or by TLS when the probe says so. Resolves with what is wrong, `undefined` when nothing is. */
export async function httpFailure(probe: HttpProbe): Promise<string | undefined> {
  return messageOf(await askHttp1(probe))
}

/**
 * Asks a program that may speak HTTP/2 without TLS, HTTP/1.1, or both: by the version that has succeeded before, else by
 * HTTP/2 with prior knowledge and then by HTTP/1.1. `spoken` remembers by address what has succeeded.
 */
export async function anyHttpFailure(probe: HttpProbe, spoken: Map<string, HttpVersion>): Promise<string | undefined> {
  const address = `${probe.host}:${probe.port}`
  const known = isTls(probe.httpGet) ? 1 : spoken.get(address)
  if (known !== undefined) return messageOf(await (known === 2 ? askHttp2(probe) : askHttp1(probe)))
  const second = await askHttp2(probe)
  if (second.kind === 'well') spoken.set(address, 2)
  // Nobody listens: another request would hear the same.
  if (second.kind === 'well' || second.kind === 'no connection') return messageOf(second)
  const first = await askHttp1(probe)
  if (first.kind === 'well') spoken.set(address, 1)
  // A program that has no answer to HTTP/1.1 has said by HTTP/2 what is wrong.
  return messageOf(second.kind === 'unwell' && first.kind === 'no answer' ? second : first)
}

const messageOf = (outcome: Outcome): string | undefined => (outcome.kind === 'well' ? undefined : outcome.message)
const isTls = ({ scheme = '' }: HttpProbe['httpGet']): boolean => scheme.toUpperCase() === 'HTTPS'
/** Whatever stands in the path is asked for: what cannot stand in a URL is escaped, escapes stay as they are. */
function pathOf({ path = '/' }: HttpProbe['httpGet']): string {
  const [whole = ''] = path.split('#', 1)
  const absolute = whole.startsWith('/') ? whole : `/${whole}`
  return absolute.toWellFormed().replace(/%(?![0-9a-f]{2})|[^!#-~]/giu, (character) => encodeURIComponent(character))
}
const headersOf = ({ httpHeaders = [] }: HttpProbe['httpGet']): Record<string, string> => ({
  'user-agent': probeUserAgent,
  accept: '*/*',
  ...Object.fromEntries(httpHeaders.map(({ name = '', value = '' }) => [name.toLowerCase(), value])),
})

function askHttp1({ httpGet, host, port, timeoutMs, clock }: HttpProbe): Promise<Outcome> {
  const path = pathOf(httpGet)
  const options: RequestOptions = {
    host,
    port,
    path,
    headers: { connection: 'close', ...headersOf(httpGet) },
    agent: false,
  }
  return new Promise((resolve) => {
    // Probes do not check certificates: what matters is whether the program answers.
    const request = isTls(httpGet) ? httpsRequest({ ...options, rejectUnauthorized: false }) : httpRequest(options)
    const cancel = clock.setTimer(timeoutMs, () => {
      request.destroy(new Error(`no answer within ${timeoutMs} ms`))
    })
    const done = (outcome: Outcome): void => {
      cancel()
      resolve(outcome)
      request.destroy()
    }
    request.on('error', (error) => done(unanswered(`Get "${host}:${port}${path}": ${error.message}`, error)))
    request.on('response', (response) => {
      const { statusCode = 0 } = response
      if (isReady(statusCode)) return done({ kind: 'well' })
      readStart(response, (body) => done(refused(statusCode, body)))
    })
    request.end()
  })
}

/** With prior knowledge: an upgrade from HTTP/1.1 is not tried. */
function askHttp2({ httpGet, host, port, timeoutMs, clock }: HttpProbe): Promise<Outcome> {
  const path = pathOf(httpGet)
  const { host: authority, ...headers } = headersOf(httpGet)
  for (const name of ['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']) {
    delete headers[name]
  }
  return new Promise((resolve) => {
    const session = connectHttp2(`http://${host.includes(':') ? `[${host}]` : host}:${port}`)
    const done = (outcome: Outcome): void => {
      cancel()
      session.destroy()
      resolve(outcome)
    }
    const fail = (error: Error): void =>
      done(unanswered(`Get "${host}:${port}${path}" (HTTP/2): ${error.message}`, error))
    const cancel = clock.setTimer(timeoutMs, () => fail(new Error(`no answer within ${timeoutMs} ms`)))
    session.on('error', fail)
    session.on('close', () => fail(new Error('the connection was closed')))
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: 'GET',
      [constants.HTTP2_HEADER_PATH]: path,
      ...(authority === undefined ? {} : { [constants.HTTP2_HEADER_AUTHORITY]: authority }),
      ...headers,
    })
    stream.on('error', fail)
    stream.on('response', (head) => {
      const status = Number(head[constants.HTTP2_HEADER_STATUS])
      if (isReady(status)) return done({ kind: 'well' })
      readStart(stream, (body) => done(refused(status, body)))
    })
    stream.end()
  })
}

const isReady = (status: number): boolean => status >= 200 && status < 400

function refused(status: number, body: string): Outcome {
  const said = body === '' ? '' : `: ${body.slice(0, bodyCharactersMax).trim()}`
  return { kind: 'unwell', message: `HTTP probe failed with statuscode: ${status}${said}` }
}

function unanswered(message: string, error: Error): Outcome {
  const isDial = (error as NodeJS.ErrnoException).syscall === 'connect'
  return { kind: isDial ? 'no connection' : 'no answer', message }
}

/** The beginning of what the program says, once it has ended. */
function readStart(body: NodeJS.ReadableStream, onEnd: (text: string) => void): void {
  let text = ''
  body.setEncoding('utf8')
  body.on('data', (part: string) => {
    if (text.length < bodyCharactersMax) text += part
  })
  body.on('close', () => onEnd(text))
}
