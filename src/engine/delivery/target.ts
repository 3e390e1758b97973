// Where a URL leads: to an endpoint of this process, through the gateway, or out into the network.
import type { Addressable } from '../../model/duck/types.ts'
import type { Addresses } from '../reconciler.ts'

/** A URL taken apart once, so that sending need not. */
export interface Target {
  /** As errors and dead letters name it. */
  url: string
  /** Where to connect: scheme, host and port. */
  origin: string
  /** Which connections it may use: names behind the gateway do not share theirs, so that none holds up another. */
  pool: string
  /** With query, as the request line has it. */
  path: string
  /** The `Host` header. */
  host: string
  /** Set when this process answers for the name: what to ask the endpoint table for. */
  own?: { host: string; path: string }
  /** It is our own by https: within the process nobody listens in, and its program is told that all is well. */
  isSecureWithin?: true
  /** Certificates trusted beside the system's. */
  CACerts?: string
  /** Why no request can be made of the URL. */
  objection?: string
}

const clusterSuffix = '.svc.cluster.local'
const loopbackNames: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

/**
 * Takes an address apart. A URL whose scheme is not http or https becomes `http://HOST/`, as Knative has it. Cluster
 * names never reach DNS.
 */
export function parseTarget(address: Addressable & { url: string }, addresses: Addresses): Target {
  const parsed = parseHttpUrl(address.url)
  if (parsed === undefined) {
    const objection = `${JSON.stringify(address.url)} is no URL`
    return { url: address.url, origin: '', pool: '', path: '', host: '', objection }
  }
  const ownHost = ownHostOf(parsed, addresses)
  const origin = ownHost === undefined ? parsed.origin : addresses.gatewayUrl
  return {
    url: address.url,
    origin,
    pool: `${origin} ${parsed.host} ${address.CACerts ?? ''}`,
    path: parsed.pathname + parsed.search,
    host: parsed.host,
    ...(ownHost !== undefined && { own: { host: ownHost, path: parsed.pathname } }),
    ...(ownHost !== undefined && parsed.protocol === 'https:' && { isSecureWithin: true }),
    ...(address.CACerts !== undefined && { CACerts: address.CACerts }),
  }
}

/** The host to ask the endpoint table for: `''` when the gateway itself is named by address. */
function ownHostOf(url: URL, { gatewayUrl, serviceDomain }: Addresses): string | undefined {
  const name = url.hostname.toLowerCase()
  if (name.endsWith(clusterSuffix)) return name
  // Public names of Services lead to the gateway, too: asking DNS would only come back here, or fail offline.
  const [domain = '', port = '80'] = serviceDomain.split(':')
  if (name.endsWith(`.${domain}`) && portOf(url) === port) return name
  const gateway = URL.parse(gatewayUrl)
  if (gateway === null || portOf(url) !== portOf(gateway)) return undefined
  const bothLoopback = loopbackNames.has(name) && loopbackNames.has(gateway.hostname)
  return name === gateway.hostname || bothLoopback ? '' : undefined
}

function parseHttpUrl(text: string): URL | undefined {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase()
  if (scheme === 'http' || scheme === 'https') return usable(URL.parse(text))
  const host = /^(?:[a-z][a-z0-9+.-]*:)?(?:\/\/)?([^/?#]+)/i.exec(text)?.[1]
  return host === undefined ? undefined : usable(URL.parse(`http://${host}/`))
}

const usable = (url: URL | null): URL | undefined => (url === null || url.hostname === '' ? undefined : url)
const portOf = (url: URL): string => url.port || (url.protocol === 'https:' ? '443' : '80')
