// The headers a program gets, and those its client gets back. Source: knative/serving pkg/activator/handler,
// pkg/queue/sharedmain, pkg/http/header; knative/networking pkg/http/header.
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { randomHex } from '../../base/random.ts'
import type { Random } from '../../base/random.ts'
import type { ForwardOptions } from '../reconciler.ts'

/** What happens to the headers of requests to a program. */
export interface HeaderRules {
  /**
   * - `revision`: what Knative's hops add, they add
   * - `service`: a core Service is wires only: nothing is added
   */
  kind: 'revision' | 'service'
  /** For trace ids of requests that bring none. */
  random: Random
}

/** Headers that mean one connection only (RFC 9110 section 7.6.1), and `Expect`, which the gateway has answered. */
const hopHeaders = new Set([
  'connection',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
])

/** What Knative's own hops tell each other; from outside it would be a forgery, and programs never see it. */
const originalHost = 'k-original-host'
const knativeHeaders = new Set([
  originalHost,
  'k-proxy-request',
  'knative-serving-namespace',
  'knative-serving-revision',
])

interface HeaderOptions {
  /** Keeps headers that change the protocol. @default false */
  upgrade?: boolean
  /** Takes the place of the client's trace context. `tracestate` may be empty. */
  trace?: { readonly traceparent: string; readonly tracestate: string } | undefined
}

/** Raw headers for the program: name, value, name, value … */
export function requestHeaders(
  request: IncomingMessage,
  rules: HeaderRules,
  { setHeaders, host }: ForwardOptions = {},
  { upgrade = false, trace }: HeaderOptions = {},
): string[] {
  const { rawHeaders } = request
  const dropped = upgrade ? upgradeDropped : connectionTokens(rawHeaders)
  // A host that was rewritten on the way is told to the program as its client knows it.
  const newHost = setHeaders?.[originalHost] ?? host ?? authorityOf(request.url)
  const headers: string[] = newHost === undefined ? [] : ['Host', newHost]
  const forwarding = new Forwarding(trace !== undefined)
  const isRevision = rules.kind === 'revision'
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!.toLowerCase()
    const value = rawHeaders[at + 1]!
    if (dropped.has(name) || knativeHeaders.has(name)) continue
    if (setHeaders !== undefined && Object.hasOwn(setHeaders, name)) continue
    if (newHost !== undefined && name === 'host') continue
    if (isRevision && forwarding.takes(name, value)) continue
    headers.push(rawHeaders[at]!, value)
  }
  if (setHeaders !== undefined) {
    for (const [name, value] of Object.entries(setHeaders)) {
      if (!knativeHeaders.has(name) && !(isRevision && forwarding.takes(name, value))) headers.push(name, value)
    }
  }
  if (trace !== undefined) {
    headers.push('Traceparent', trace.traceparent)
    if (trace.tracestate !== '') headers.push('Tracestate', trace.tracestate)
  }
  if (isRevision) forwarding.addTo(headers, request.socket, rules.random)
  return headers
}

/** A client that takes the gateway for its proxy names the host twice; that of the URL counts (RFC 9112 section 3.2.2). */
const authorityOf = (url = '/'): string | undefined =>
  url.startsWith('/') ? undefined : /^https?:\/\/([^/?#]+)/i.exec(url)?.[1]

/** What is known of the way a request has come. */
class Forwarding {
  #for = ''
  #proto = ''
  #host = ''
  #isForwarded = false
  #isTraced: boolean
  /** A trace context of our own is sent. */
  #hasTrace: boolean

  constructor(hasTrace: boolean) {
    this.#hasTrace = hasTrace
    this.#isTraced = hasTrace
  }

  /** True when the header is not to be passed on as it is. */
  takes(name: string, value: string): boolean {
    switch (name) {
      case 'x-forwarded-for':
        this.#for += `${value}, `
        return true
      case 'x-forwarded-proto':
        this.#proto = value
        return true
      case 'x-forwarded-host':
        this.#host = value
        return false
      case 'forwarded':
        this.#isForwarded = true
        return false
      case 'traceparent':
        this.#isTraced = true
        return this.#hasTrace
      case 'tracestate':
        return this.#hasTrace
      default:
        return false
    }
  }

  addTo(headers: string[], socket: Socket, random: Random): void {
    const address = plainAddress(socket.remoteAddress ?? '')
    const forwardedFor = this.#for + address
    const proto = isEncrypted(socket) ? 'https' : this.#proto || 'http'
    headers.push('X-Forwarded-For', forwardedFor, 'X-Forwarded-Proto', proto, 'K-Proxy-Request', 'activator')
    if (!this.#isForwarded) headers.push('Forwarded', forwardedText(forwardedFor, this.#host, proto))
    if (!this.#isTraced) headers.push('Traceparent', newTraceparent(random))
  }
}

/** Whether TLS protects the connection. */
export const isEncrypted = (socket: Socket): boolean => (socket as Partial<TLSSocket>).encrypted === true

/** W3C Trace Context: an id for all that comes of this request, of which nothing is recorded here. */
function newTraceparent(random: Random): string {
  const digits = randomHex(random, 48)
  return `00-${digits.slice(0, 32)}-${digits.slice(32)}-00`
}

/** Raw headers for the client, from those the program sent. */
export function answerHeaders(rawHeaders: readonly (Buffer | string)[]): { headers: string[]; hasLength: boolean } {
  const given = rawHeaders.map(textOf)
  const dropped = connectionTokens(given)
  const headers: string[] = []
  let hasLength = false
  for (let at = 0; at < given.length; at += 2) {
    const name = given[at]!.toLowerCase()
    if (dropped.has(name)) continue
    if (name === 'content-length') hasLength = true
    headers.push(given[at]!, given[at + 1]!)
  }
  return { headers, hasLength }
}

/** Header text as Node has it: one character a byte. */
export const textOf = (text: Buffer | string): string => (typeof text === 'string' ? text : text.toString('latin1'))

/** Length of the request's body, in bytes; `undefined` when only its end will tell. */
export function bodyBytesOf({ rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>): number | undefined {
  let bytes: number | undefined = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const { length } = rawHeaders[at]!
    if (length !== 14 && length !== 17) continue
    const name = rawHeaders[at]!.toLowerCase()
    if (name === 'transfer-encoding') return undefined
    if (name === 'content-length') bytes = Number(rawHeaders[at + 1])
  }
  return bytes
}

const upgradeDropped = new Set([...hopHeaders].filter((name) => name !== 'connection' && name !== 'upgrade'))

/** The hop headers, with those that `Connection` names. */
function connectionTokens(rawHeaders: readonly string[]): ReadonlySet<string> {
  let tokens: Set<string> | undefined
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (rawHeaders[at]!.length !== 10 || rawHeaders[at]!.toLowerCase() !== 'connection') continue
    for (const token of rawHeaders[at + 1]!.toLowerCase().split(',')) {
      const name = token.trim()
      // The host is for everybody on the way (RFC 9110 section 7.6.1).
      if (name === '' || hopHeaders.has(name) || name === 'close' || name === 'host') continue
      tokens ??= new Set(hopHeaders)
      tokens.add(name)
    }
  }
  return tokens ?? hopHeaders
}

/** `for=1.2.3.4;host=h;proto=http, for="[::1]"` (RFC 7239): host and protocol belong to the first hop. */
function forwardedText(forwardedFor: string, host: string, proto: string): string {
  const [first = '', ...rest] = forwardedFor.split(',').map((address) => `for=${quotedAddress(address.trim())}`)
  const firstHop = [first, ...(host === '' ? [] : [`host=${host}`]), `proto=${proto}`].join(';')
  return [firstHop, ...rest].join(', ')
}

const quotedAddress = (address: string): string =>
  address.includes(':') && !address.includes('"') ? `"[${address.replace(/^\[|\]$/g, '')}]"` : address

/** IPv4 addresses on an IPv6 socket are IPv4 addresses. */
const plainAddress = (address: string): string => address.replace(/^::ffff:/, '')
