// The headers a Service's program gets, and those its client gets back. Source: knative/serving pkg/activator/handler,
// pkg/queue/sharedmain, pkg/http/header.
import type { IncomingMessage } from 'node:http'

/** Headers that mean one connection only (RFC 9110 section 7.6.1), and `Expect`, which the gateway has answered. */
const hopHeaders = new Set([
  'connection',
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
])

/** What Knative's own hops tell each other; from outside it would be a forgery, and programs never see it. */
const knativeHeaders = new Set([
  'k-original-host',
  'k-proxy-request',
  'knative-serving-namespace',
  'knative-serving-revision',
])

/** Raw headers for the program: name, value, name, value … `upgrade` keeps those that change the protocol. */
export function requestHeaders(request: IncomingMessage, { upgrade = false } = {}): string[] {
  const { rawHeaders, socket } = request
  const dropped = upgrade ? upgradeDropped : connectionTokens(rawHeaders)
  const headers: string[] = []
  let forwardedFor = ''
  let proto = ''
  let host = ''
  let isForwarded = false
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!.toLowerCase()
    const value = rawHeaders[at + 1]!
    if (name === 'x-forwarded-for') forwardedFor += `${value}, `
    else if (name === 'x-forwarded-proto') proto = value
    else if (!dropped.has(name) && !knativeHeaders.has(name)) {
      if (name === 'x-forwarded-host') host = value
      if (name === 'forwarded') isForwarded = true
      headers.push(rawHeaders[at]!, value)
    }
  }
  forwardedFor += plainAddress(socket.remoteAddress ?? '')
  proto ||= 'http'
  headers.push('X-Forwarded-For', forwardedFor, 'X-Forwarded-Proto', proto, 'K-Proxy-Request', 'activator')
  if (!isForwarded) headers.push('Forwarded', forwardedText(forwardedFor, host, proto))
  return headers
}

/** Raw headers for the client, from those the program sent. */
export function responseHeaders(rawHeaders: readonly (Buffer | string)[]): string[] {
  const given = rawHeaders.map((text) => (typeof text === 'string' ? text : text.toString('latin1')))
  const dropped = connectionTokens(given)
  const headers: string[] = []
  for (let at = 0; at < given.length; at += 2) {
    if (!dropped.has(given[at]!.toLowerCase())) headers.push(given[at]!, given[at + 1]!)
  }
  return headers
}

const upgradeDropped = new Set([...hopHeaders].filter((name) => name !== 'connection' && name !== 'upgrade'))

/** The hop headers, with those that `Connection` names. */
function connectionTokens(rawHeaders: readonly string[]): ReadonlySet<string> {
  let tokens: Set<string> | undefined
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (rawHeaders[at]!.length !== 10 || rawHeaders[at]!.toLowerCase() !== 'connection') continue
    for (const token of rawHeaders[at + 1]!.toLowerCase().split(',')) {
      const name = token.trim()
      if (name === '' || hopHeaders.has(name) || name === 'close') continue
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
