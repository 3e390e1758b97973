// The HTTP server in front of the operations: lets people in, finds what a path means, and ends gracefully.
import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { sleep } from '../../../base/clock.ts'
import type { Clock } from '../../../base/clock.ts'
import { messageOf } from '../../../base/errors.ts'
import type { Logger } from '../../../base/log.ts'
import { systemRandom } from '../../../base/random.ts'
import type { Random } from '../../../base/random.ts'
import type { UserInfo } from '../../kind.ts'
import type { KindRegistry } from '../kind-registry.ts'
import type { Operations } from '../operations.ts'
import { chooseDiscovery } from './accept.ts'
import { sendBytes, sendObject, sendText, statusOf } from './answers.ts'
import { parseResourcePath } from './api-path.ts'
import { createChunks } from './chunks.ts'
import { createDiscovery } from './discovery.ts'
import { createGuard } from './guard.ts'
import type { Guard } from './guard.ts'
import { listen } from './listener.ts'
import { createOpenApi, openApiV2Stub } from './openapi.ts'
import { decodeBody, mediaTypeOf, readBody } from './request-body.ts'
import { answerResourceRequest } from './resource-requests.ts'
import type { ResourceDeps } from './resource-requests.ts'
import { answerReview, reviewResources } from './reviews.ts'

export interface ApiServerOptions {
  /** @default '127.0.0.1' */
  host?: string
  /** 0 takes a free one. */
  port: number
  /** PEM. With it the same port also speaks HTTPS, which Go clients need to send the token. */
  tls?: { cert: string; key: string }
  operations: Operations
  registry: KindRegistry
  clock: Clock
  /** @default the system's */
  random?: Random
  log: Logger
  /** The bearer token of every request beside the health checks. */
  token: string
  /** Who the bearer of the token is. @default kubernetes-admin */
  user?: UserInfo
  /** More names that `Host` may carry, e.g. of a proxy. */
  hostNames?: readonly string[]
  /** Asked in order, before the API's own paths and behind the same guard: `/metrics`, `/knode/v1/…`. */
  extraRoutes?: readonly ExtraRoute[]
  /** Knode's own version, told in `/version` as gitCommit. */
  version: string
  /** How long requests in flight may take when the server stops, in milliseconds. @default 5_000 */
  drainMs?: number
}

export interface ExtraRoute {
  /** Whether the path is this route's; it has no query. */
  matches(path: string): boolean
  /** Answers; what it throws becomes a Status. `stopping` aborts when the server stops. */
  handle(request: IncomingMessage, response: ServerResponse, context: ExtraContext): Promise<void> | void
}

export interface ExtraContext {
  url: URL
  user: UserInfo
  stopping: AbortSignal
}

export interface ApiServer extends AsyncDisposable {
  /** `http://127.0.0.1:7480` */
  url: string
  /** `https://127.0.0.1:7480`, for kubeconfigs; absent without a certificate. */
  secureUrl?: string
}

/** Kubernetes' version whose API this is; Knative's own programs refuse older ones than 1.34. */
const kubernetesVersion = { major: '1', minor: '34', gitVersion: 'v1.34.1' }

/** Starts to serve. @throws {KnodeError} ADDRESS_IN_USE when the port is taken. */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { host = '127.0.0.1', port, tls, clock, log, drainMs = 5_000 } = options
  const stopping = new AbortController()
  const guard = createGuard({ ...options, host })
  const answer = createHandler(options, guard, stopping.signal)
  const inFlight = new Set<Promise<void>>()
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const handled = answer(request, response).finally(() => inFlight.delete(handled))
    inFlight.add(handled)
  }
  const listener = await listen({ host, port, handle, clock, log, ...(tls !== undefined && { tls }) })
  const address = `${host.includes(':') ? `[${host}]` : host}:${listener.port}`
  let closing: Promise<void> | undefined
  return {
    url: `http://${address}`,
    ...(tls !== undefined && { secureUrl: `https://${address}` }),
    [Symbol.asyncDispose]: () => (closing ??= close()),
  }

  async function close(): Promise<void> {
    listener.stopListening()
    stopping.abort()
    const deadline = new AbortController()
    const late = sleep(clock, drainMs, deadline.signal).catch(() => undefined)
    await Promise.race([Promise.allSettled(inFlight), late])
    deadline.abort()
    if (inFlight.size > 0) log.warn('api requests cut off', { requests: inFlight.size })
    await listener.closeAll()
  }
}

type Handle = (request: IncomingMessage, response: ServerResponse) => Promise<void>

function createHandler(options: ApiServerOptions, guard: Guard, stopping: AbortSignal): Handle {
  const { operations, registry, clock, random = systemRandom, log, extraRoutes = [], version } = options
  const chunks = createChunks(clock, () => randomBytes(16).toString('base64url'))
  const resources: ResourceDeps = { operations, registry, chunks, clock, random, log, stopping }
  const answerFixedPath = createFixedPaths(registry, version)
  const route = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = URL.parse(`http://knode${request.url ?? '/'}`)
    if (url === null) return sendText(response, 404, '404 page not found\n')
    guard.checkOrigin(request)
    if (healthPaths.includes(url.pathname)) return sendText(response, 200, 'ok')
    const user = guard.authenticate(request)
    const extra = extraRoutes.find((route) => route.matches(url.pathname))
    if (extra !== undefined) return extra.handle(request, response, { url, user, stopping })
    if (await answerFixedPath(request, response, url.pathname)) return
    const path = parseResourcePath(url.pathname)
    if (path === undefined) return sendText(response, 404, '404 page not found\n')
    const review = reviewResources.find(
      ({ group, version, plural }) => group === path.group && version === path.version && plural === path.plural,
    )
    if (review === undefined) {
      return answerResourceRequest({ request, response, path, query: url.searchParams, user }, resources)
    }
    if (request.method !== 'POST' || path.name !== undefined) return sendText(response, 405, '405 method not allowed\n')
    const body = decodeBody(await readBody(request), mediaTypeOf(request))
    return sendObject(request, response, answerReview(review, body, user, guard), { code: 201 })
  }
  return async (request, response) => {
    try {
      await route(request, response)
    } catch (error) {
      await sendFailure(request, response, error, log)
    }
  }
}

const healthPaths = ['/healthz', '/livez', '/readyz']

async function sendFailure(
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  log: Logger,
): Promise<void> {
  if (response.destroyed) return
  if (response.headersSent) {
    log.warn('api answer broke off', { path: request.url, err: messageOf(error) })
    response.destroy()
    return
  }
  const status = statusOf(error, log)
  if (status.details?.retryAfterSeconds !== undefined) {
    response.setHeader('Retry-After', status.details.retryAfterSeconds)
  }
  if (status.code === 401) response.setHeader('WWW-Authenticate', 'Bearer')
  // A body that was refused unread must not be taken for the next request.
  if (!request.complete) response.setHeader('Connection', 'close')
  await sendObject(request, response, status, { code: status.code })
}

/** Everything that is not an object: version, discovery, OpenAPI. Tells whether the path was one of these. */
function createFixedPaths(
  registry: KindRegistry,
  version: string,
): (request: IncomingMessage, response: ServerResponse, path: string) => Promise<boolean> {
  const discovery = createDiscovery(registry)
  const openApi = createOpenApi(registry)
  const versionInfo = {
    ...kubernetesVersion,
    gitCommit: `knode-${version}`,
    gitTreeState: 'clean',
    buildDate: '2026-01-01T00:00:00Z',
    goVersion: 'n/a',
    compiler: 'node',
    platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
  }
  const find = (request: IncomingMessage, path: string): { contentType: string; body: string | Buffer } | undefined => {
    const json = (body: string | undefined) =>
      body === undefined ? undefined : { contentType: 'application/json', body }
    if (path === '/version') return json(JSON.stringify(versionInfo))
    if (path === '/openapi/v3') return json(openApi.index())
    if (path.startsWith('/openapi/v3/')) return json(openApi.document(path.slice('/openapi/v3/'.length)))
    if (path === '/openapi/v2') {
      // The `@` of the media type that clients ask for would not parse as one.
      return { contentType: 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf', body: openApiV2Stub }
    }
    return discovery.find(path.length > 1 ? path.replace(/\/$/, '') : path, chooseDiscovery(request.headers.accept))
  }
  return async (request, response, path) => {
    const found = find(request, path)
    if (found === undefined) return false
    if (request.method !== 'GET' && request.method !== 'HEAD') sendText(response, 405, '405 method not allowed\n')
    else await sendBytes(request, response, 200, found.contentType, found.body)
    return true
  }
}
