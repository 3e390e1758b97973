// What the gateway needs to know of a request's head, gathered in one pass over its raw headers.
import { isIP } from 'node:net'
import type { IncomingMessage } from 'node:http'

export interface RequestHead {
  /** Lower case, without port; `''` when the request names the gateway itself. */
  host: string
  /** Without query. */
  path: string
  /** From Content-Length; `undefined` when the body is chunked. 0 also when there is none. */
  bodyBytes: number | undefined
  userAgent: string
  /** Value of `K-Network-Probe`. */
  networkProbe: string | undefined
  networkHash: string
  /** A proxy before us says that its client came by https. */
  saysHttps: boolean
  /** Why the head is not acceptable. */
  objection: string | undefined
}

/** Host names that are remembered, so that each is looked at once. */
const hostsMax = 1_000
/** Longest host with its port, in characters: DNS names have 253 (RFC 1035 section 2.3.4). */
const hostLengthMax = 512

/** Reads heads for a gateway that also answers to `ownNames`, and to any IP address. */
export class HeadReader {
  #ownNames: ReadonlySet<string>
  #hosts = new Map<string, string>()

  constructor(ownNames: Iterable<string>) {
    this.#ownNames = new Set(['', 'localhost', ...ownNames].map((name) => name.toLowerCase()))
  }

  read({ rawHeaders, url = '/' }: Pick<IncomingMessage, 'rawHeaders' | 'url'>): RequestHead {
    const head: RequestHead = {
      host: '',
      path: '/',
      bodyBytes: 0,
      userAgent: '',
      networkProbe: undefined,
      networkHash: '',
      saysHttps: false,
      objection: undefined,
    }
    let authority: string | undefined
    for (let at = 0; at < rawHeaders.length; at += 2) {
      const value = rawHeaders[at + 1]!
      // Most names are told apart by their length alone.
      switch (rawHeaders[at]!.length) {
        case 4:
          if (rawHeaders[at]!.toLowerCase() !== 'host') break
          if (authority !== undefined) head.objection = 'more than one Host header'
          authority = value
          break
        case 10:
          if (rawHeaders[at]!.toLowerCase() === 'user-agent') head.userAgent = value
          break
        case 14:
          if (rawHeaders[at]!.toLowerCase() === 'content-length') head.bodyBytes = Number(value)
          else if (rawHeaders[at]!.toLowerCase() === 'k-network-hash') head.networkHash = value
          break
        case 15:
          if (rawHeaders[at]!.toLowerCase() === 'k-network-probe') head.networkProbe = value
          break
        case 17:
          if (rawHeaders[at]!.toLowerCase() === 'transfer-encoding') head.bodyBytes = undefined
          else if (rawHeaders[at]!.toLowerCase() === 'x-forwarded-proto') head.saysHttps = value === 'https'
          break
        default:
      }
    }
    // A client that takes the gateway for its proxy sends the whole URL; its host counts (RFC 9112 section 3.2.2).
    const absolute = url.startsWith('/') ? null : /^https?:\/\/([^/?#]*)([^?#]*)/i.exec(url)
    const host = absolute?.[1] ?? authority ?? ''
    if (host.length > hostLengthMax) head.objection ??= `the host has more than ${hostLengthMax} characters`
    else head.host = this.#hostOf(host)
    const path = absolute === null ? url : absolute[2]!
    const end = path.search(/[?#]/)
    head.path = (end < 0 ? path : path.slice(0, end)) || '/'
    return head
  }

  #hostOf(authority: string): string {
    let host = this.#hosts.get(authority)
    if (host !== undefined) return host
    const name = authority.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '')
    host = this.#ownNames.has(name) || isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0 ? '' : name
    if (this.#hosts.size >= hostsMax) this.#hosts.clear()
    this.#hosts.set(authority, host)
    return host
  }
}
