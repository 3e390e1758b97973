// A small client of the Kubernetes-style API: JSON in and out, lines of streams, refusals as StatusError.
import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { KnodeError, messageOf } from '../base/errors.ts'
import { StatusError } from '../model/kubernetes/status-error.ts'
import type { Status } from '../model/kubernetes/status-error.ts'
import type { Connection } from './connection.ts'
import { outliveAnswer } from './idle-socket.ts'

interface ApiRequest {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Absolute, without query. */
  path: string
  /** `undefined` values are left out. */
  query?: Readonly<Record<string, string | number | boolean | undefined>>
  /** Sent as JSON. */
  body?: unknown
  contentType?: string
  /** @default 'application/json' */
  accept?: string
  /** Beside the client's own signal. */
  signal?: AbortSignal
}

interface ApiAnswer<Body> {
  status: number
  body: Body
}

/** Disposing it closes its idle connections; an exit does so, too. */
export interface ApiClient extends Disposable {
  readonly server: string
  /** What a command means that names none. */
  readonly namespace: string
  /** @throws {StatusError} for answers from 400 on. @throws {KnodeError} API_UNREACHABLE, API_REFUSED for no JSON. */
  call<Body = unknown>(request: ApiRequest): Promise<ApiAnswer<Body>>
  /** The lines of an answer as they come. @throws as `call`, and quietly ends when the signal aborts. */
  lines(request: ApiRequest): AsyncIterable<string>
}

export interface ApiClientOptions extends Connection {
  signal: AbortSignal
  /** Takes the texts of `Warning:` headers. */
  warn: (text: string) => void
}

export function openApiClient(options: ApiClientOptions): ApiClient {
  const { server, token, certificateAuthority, namespace, signal, warn } = options
  const isSecure = server.startsWith('https:')
  const agent = isSecure
    ? new HttpsAgent({ keepAlive: true, ...(certificateAuthority !== undefined && { ca: certificateAuthority }) })
    : new HttpAgent({ keepAlive: true })

  function open(request: ApiRequest): Promise<IncomingMessage> {
    const { method = 'GET', path, query = {}, body, contentType = 'application/json', accept } = request
    const url = new URL(server + path)
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value))
    }
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
    const headers = {
      accept: accept ?? 'application/json',
      'user-agent': 'knode',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(bytes !== undefined && { 'content-type': contentType, 'content-length': bytes.length }),
    }
    const signals = request.signal === undefined ? signal : AbortSignal.any([signal, request.signal])
    return new Promise((resolve, reject) => {
      const send = isSecure ? httpsRequest : httpRequest
      const sent = send(url, { method, headers, agent, signal: signals }, (response) => {
        for (const text of warningsOf(response)) warn(text)
        resolve(response)
      })
      sent.on('error', (error) => reject(error.name === 'AbortError' ? error : unreachable(server, error)))
      outliveAnswer(sent)
      sent.end(bytes)
    })
  }

  return {
    server,
    namespace,
    [Symbol.dispose]: () => agent.destroy(),
    async call<Body>(request: ApiRequest) {
      const response = await open(request)
      const status = response.statusCode ?? 0
      const text = await textOf(response, server)
      if (status >= 400) throw refusal(status, text)
      return { status, body: parsed(text, request.path, server) as Body }
    },
    async *lines(request) {
      const response = await open(request)
      const status = response.statusCode ?? 0
      if (status >= 400) throw refusal(status, await textOf(response, server))
      yield* linesOf(response, server, () => signal.aborted || request.signal?.aborted === true)
    },
  }
}

async function textOf(response: IncomingMessage, server: string): Promise<string> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
  } catch (error) {
    throw (error as Error).name === 'AbortError' ? error : unreachable(server, error)
  }
  return Buffer.concat(chunks).toString('utf8')
}

async function* linesOf(response: IncomingMessage, server: string, isStopped: () => boolean): AsyncGenerator<string> {
  let rest = ''
  response.setEncoding('utf8')
  try {
    for await (const chunk of response as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      yield* lines
    }
  } catch (error) {
    if (isStopped()) return
    throw unreachable(server, error)
  } finally {
    response.destroy()
  }
  if (rest !== '') yield rest
}

function parsed(text: string, path: string, server: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    throw new KnodeError('API_REFUSED', `${server}${path} answered no JSON`, {
      cause,
      hint: 'is this the API of Knode? knode kubeconfig tells which server is used',
    })
  }
}

/** The texts of `299 - "unknown field \"spec.foo\""` headers. */
function warningsOf({ headers }: IncomingMessage): string[] {
  const text = headers['warning']
  const quoted = typeof text === 'string' ? text.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g) : []
  return [...quoted].map(([, warning]) => warning!.replace(/\\(.)/g, '$1'))
}

function refusal(status: number, text: string): StatusError {
  try {
    const body = JSON.parse(text) as Status
    if (body.kind === 'Status') {
      return new StatusError(body.code, body.reason ?? '', body.message ?? `status ${status}`, body.details)
    }
  } catch {
    // Not every refusal is a Status: an unknown path is plain text.
  }
  const words = status === 404 ? 'the server does not know this address' : text.trim().split('\n', 1)[0]!
  return new StatusError(status, '', `${words === '' ? 'refused' : words} (${status})`)
}

function unreachable(server: string, cause: unknown): KnodeError {
  const { code } = cause as NodeJS.ErrnoException
  const why =
    code === 'ECONNREFUSED' ? 'nobody listens there' : code === 'ECONNRESET' ? 'the connection broke' : messageOf(cause)
  return new KnodeError('API_UNREACHABLE', `no answer from ${server}: ${why}`, {
    cause,
    retryable: true,
    hint: 'start Knode with knode up, or name a running one with --kubeconfig or --data-dir',
  })
}
