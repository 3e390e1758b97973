// The gateway's HTTP server: finds who answers at the request's host and path, and stops without dropping what it took.
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { sleep } from '../../base/clock.ts'
import type { Clock } from '../../base/clock.ts'
import { KnodeError } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import type { Metrics } from '../../base/metrics.ts'
import { startListening } from '../../base/start-listening.ts'
import { eventingScope } from '../instrument-scopes.ts'
import type { CertificateTable, Endpoint, EndpointTable } from '../reconciler.ts'
import { BodyReader } from './body-reader.ts'
import { ConnectionDoor } from './connection-door.ts'
import { eventAddressOf } from './event-address.ts'
import { EventDoor } from './event-door.ts'
import { isEncrypted } from './forwarded-headers.ts'
import { HeadReader } from './request-head.ts'
import type { RequestHead } from './request-head.ts'

export interface GatewayLimits {
  /** Largest body of an event or of a batch of events, in bytes. @default 1_048_576 */
  eventBytesMax?: number
  /** Longest time the body of an event may take to arrive, in milliseconds. @default 10_000 */
  bodyMs?: number
  /** How much of an unwanted body is swallowed so that its sender reads our answer, in bytes. @default 8_388_608 */
  discardBytesMax?: number
  /** Largest head of a request, in bytes: as Go's default, since attributes travel in headers. @default 1_048_576 */
  headerBytesMax?: number
  /** @default 1_000 */
  headersMax?: number
  /** Longest time the head of a request may take to arrive, in milliseconds. @default 10_000 */
  headersMs?: number
  /** Longest time a TLS handshake may take, in milliseconds. @default 10_000 */
  handshakeMs?: number
  /** How long an idle connection is kept, in milliseconds. @default 90_000 */
  idleMs?: number
  /** Open connections; more are closed at once. @default 10_000 */
  connectionsMax?: number
  /** How long closing waits for requests that were taken, in milliseconds. @default 10_000 */
  drainMs?: number
}

export interface GatewayOptions {
  host: string
  /** 0 takes a free one. */
  port: number
  endpoints: EndpointTable
  /** Shown to TLS clients, by the name they ask for. */
  certificates: Pick<CertificateTable, 'find'>
  clock: Clock
  log: Logger
  metrics: Metrics
  /** Further names that mean the gateway itself, e.g. what containers call this machine. */
  ownNames?: string[]
  limits?: GatewayLimits
}

export interface Gateway extends AsyncDisposable {
  /** Without slash at the end. */
  readonly url: string
}

/**
 * Listens for events and for requests to Services. Disposing refuses new requests and finishes those it took.
 * @throws {KnodeError} ADDRESS_IN_USE, BAD_CONFIG when it cannot listen there.
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const front = new HttpFront(options)
  await front.listen()
  return front
}

/** How often a closing gateway looks for connections that became idle. */
const drainStepMs = 20

class HttpFront implements Gateway {
  #options: GatewayOptions
  #limits: Required<GatewayLimits>
  #server: Server
  #connections: ConnectionDoor
  #heads: HeadReader
  #bodies: BodyReader
  #door: EventDoor
  #upgraded = new Set<Duplex>()
  #taken = 0
  #closing: Promise<void> | undefined
  #url = ''

  constructor(options: GatewayOptions) {
    this.#options = options
    const { certificates, clock, log, metrics, limits } = options
    this.#limits = resolveLimits(limits)
    const { eventBytesMax, bodyMs, discardBytesMax } = this.#limits
    this.#heads = new HeadReader([options.host, ...(options.ownNames ?? [])])
    this.#bodies = new BodyReader(clock, { bodyBytesMax: eventBytesMax, bodyMs, discardBytesMax })
    const refused = metrics
      .scope(eventingScope)
      .counter('knode.gateway.refused', 'Requests for events that were answered 4xx or 5xx')
    this.#door = new EventDoor({ bodies: this.#bodies, eventBytesMax, bodyMs, refused, log })
    this.#server = this.#makeServer()
    this.#connections = new ConnectionDoor(this.#server, {
      ...this.#limits,
      certificates,
      clock,
      log,
      onRequest: (request, response) => this.#handle(request, response),
    })
  }

  get url(): string {
    return this.#url
  }

  async listen(): Promise<void> {
    const { host, port, log } = this.#options
    const onError = (err: Error): void => log.error('the gateway’s listener failed', { err })
    await startListening(this.#server, { host, port }, onError).catch((cause: NodeJS.ErrnoException) => {
      throw cannotListen(cause, host, port)
    })
    this.#url = urlOf(this.#server.address() as AddressInfo)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#drain()
    await this.#closing
  }

  #makeServer(): Server {
    const { headerBytesMax, headersMax, headersMs, idleMs, connectionsMax } = this.#limits
    const server = createServer({
      maxHeaderSize: headerBytesMax,
      headersTimeout: headersMs,
      // Services may upload for long; events have `bodyMs`.
      requestTimeout: 0,
      connectionsCheckingInterval: Math.min(headersMs, 5_000),
      keepAliveTimeout: idleMs,
      // Some HTTP clients offer h2c with every request: only what can be upgraded here leaves the usual way.
      shouldUpgradeCallback: (request) => this.#upgradable(request) !== undefined,
    })
    // One more than allowed, so that too many are told from just enough: not every Node 24 refuses them by itself.
    server.maxHeadersCount = headersMax + 1
    server.maxConnections = connectionsMax
    const onRequest = (request: IncomingMessage, response: ServerResponse): void => this.#handle(request, response)
    server.on('request', onRequest)
    server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      const head = this.#heads.read(request)
      // A body that would be refused is not asked for.
      const refused = (head.bodyBytes ?? 0) > this.#limits.eventBytesMax && this.#find(request, head)?.kind !== 'http'
      if (!refused) response.writeContinue()
      this.#handle(request, response)
    })
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.#upgrade(request, socket, head),
    )
    return server
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    this.#taken++
    response.on('close', this.#onAnswered)
    if (this.#closing !== undefined) response.shouldKeepAlive = false
    const head = this.#heads.read(request)
    try {
      this.#route(request, response, head)
    } catch (thrown) {
      this.#options.log.error('a request could not be answered', { host: head.host, path: head.path, err: thrown })
      if (response.headersSent) response.destroy()
      else this.#door.refuse(request, response, head, { status: 500, message: 'internal error' })
    }
  }

  #route(request: IncomingMessage, response: ServerResponse, head: RequestHead): void {
    const { host, path } = head
    const refuse = (status: number, message: string): void =>
      this.#door.refuse(request, response, head, { status, message })
    if (request.rawHeaders.length > this.#limits.headersMax * 2) {
      return refuse(431, `the request has more than ${this.#limits.headersMax} headers`)
    }
    if (head.objection !== undefined) return refuse(400, head.objection)
    if (head.networkProbe !== undefined) return this.#answerProbe(request, response, head)
    const address = eventAddressOf(host, path)
    if (address !== undefined && head.userAgent.startsWith('kube-probe/')) {
      return this.#closing === undefined ? refuse(200, '') : refuse(503, 'shutting down')
    }
    if (this.#closing !== undefined) return refuse(503, 'shutting down')
    const endpoint = this.#find(request, head)
    if (endpoint?.kind === 'http') return endpoint.handle(request, response)
    // Endpoints of other hosts exist for themselves, like channels.
    if (endpoint !== undefined) return this.#door.handle(request, response, head, address ?? 'channel', endpoint)
    if (address !== undefined) return this.#door.handle(request, response, head, address, undefined)
    refuse(404, `nothing answers at host ${JSON.stringify(host)}`)
  }

  /** Knative networking's own probes: they ask whether the gateway is there, never what is behind it. */
  #answerProbe(request: IncomingMessage, response: ServerResponse, head: RequestHead): void {
    const refuse = (status: number, message: string): void =>
      this.#door.refuse(request, response, head, { status, message })
    if (head.networkProbe !== 'probe') return refuse(400, `unexpected probe header value: ${head.networkProbe ?? ''}`)
    if (head.networkHash === '') return refuse(400, 'a probe request must contain a non-empty "K-Network-Hash" header')
    if (this.#closing !== undefined) return refuse(503, 'shutting down')
    response.setHeader('K-Network-Hash', head.networkHash)
    refuse(200, '')
  }

  #find({ socket }: IncomingMessage, { host, path, saysHttps }: RequestHead): Endpoint | undefined {
    return this.#options.endpoints.find(host, path, saysHttps || isEncrypted(socket))
  }

  #upgradable(request: IncomingMessage): ((socket: Duplex, head: Buffer) => void) | undefined {
    if (this.#closing !== undefined || request.headers.upgrade?.toLowerCase() === 'h2c') return undefined
    const head = this.#heads.read(request)
    if (head.objection !== undefined || head.networkProbe !== undefined) return undefined
    // What follows such a head is its body, and no protocol yet: it is answered the usual way.
    if (head.bodyBytes !== 0) return undefined
    const endpoint = this.#find(request, head)
    if (endpoint?.kind !== 'http' || endpoint.upgrade === undefined) return undefined
    return (socket, head) => endpoint.upgrade!(request, socket, head)
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#upgraded.add(socket)
    socket.on('close', () => this.#upgraded.delete(socket))
    socket.on('error', () => socket.destroy())
    try {
      const upgrade = this.#upgradable(request)
      if (upgrade !== undefined) return upgrade(socket, head)
      socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n', () => socket.destroy())
    } catch (thrown) {
      this.#options.log.error('a connection could not be upgraded', { err: thrown })
      socket.destroy()
    }
  }

  #onAnswered = (): void => {
    this.#taken--
  }

  async #drain(): Promise<void> {
    const { clock, log } = this.#options
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#connections.close()
    const untilMs = clock.monotonicMs() + this.#limits.drainMs
    while (this.#taken > 0 && clock.monotonicMs() < untilMs) {
      this.#server.closeIdleConnections()
      await sleep(clock, drainStepMs)
    }
    if (this.#taken > 0) log.warn('closing the gateway with requests unanswered', { requests: this.#taken })
    for (const socket of this.#upgraded) socket.destroy()
    this.#server.closeAllConnections()
    this.#connections.destroy()
    await closed
    this.#bodies.close()
  }
}

function resolveLimits(limits: GatewayLimits = {}): Required<GatewayLimits> {
  const defaults: Required<GatewayLimits> = {
    eventBytesMax: 1_048_576,
    bodyMs: 10_000,
    discardBytesMax: 8_388_608,
    headerBytesMax: 1_048_576,
    headersMax: 1_000,
    headersMs: 10_000,
    handshakeMs: 10_000,
    idleMs: 90_000,
    connectionsMax: 10_000,
    drainMs: 10_000,
  }
  return { ...defaults, ...limits }
}

/** A gateway on all addresses is reached through loopback. */
function urlOf({ address, port }: AddressInfo): string {
  if (address === '0.0.0.0') return `http://127.0.0.1:${port}`
  if (address === '::') return `http://[::1]:${port}`
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`
}

function cannotListen(cause: NodeJS.ErrnoException, host: string, port: number): KnodeError {
  if (cause.code === 'EADDRINUSE') {
    return new KnodeError('ADDRESS_IN_USE', `the gateway’s address ${host}:${port} is in use`, {
      cause,
      hint: 'stop what listens there, or choose another with --gateway-port (0 takes a free one)',
    })
  }
  return new KnodeError('BAD_CONFIG', `the gateway cannot listen on ${host}:${port}: ${cause.message}`, {
    cause,
    hint: 'choose an address of this machine with --host and a port above 1023 with --gateway-port',
  })
}
