// What happens to the requests of one host below one path: which backend takes each, and what changes on the way.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Random } from '../../base/random.ts'
import type { Endpoint, EventEndpoint, ForwardOptions, HttpEndpoint } from '../reconciler.ts'
import type { RevisionDoors } from '../serving.ts'
import { isEncrypted } from './forwarded-headers.ts'

/** One share of the requests. */
export interface HostTarget {
  namespace: string
  /** A Revision, or else a core Service. */
  name: string
  percent: number
  /** Names in lower case. */
  setHeaders: Readonly<Record<string, string>>
}

export interface HostPath {
  /** `/` is any path. */
  prefix: string
  /** What a request must have, names in lower case. */
  headers: Readonly<Record<string, string>>
  /** At least one with a share. */
  targets: readonly HostTarget[]
  /** Takes the place of the Host header; whoever answers there, if anybody does, takes the request. */
  rewriteHost?: string
  /** Clients of plain HTTP are sent to HTTPS. */
  isRedirected: boolean
}

export interface PathDeps {
  revisions: Pick<RevisionDoors, 'find'>
  random: Random
  /** Whoever answers at a host of this process. */
  findInside: (host: string, path: string) => Endpoint | undefined
  /** Rules that the request at hand has passed: one may lead to another one's host, all in one call. */
  hops: { count: number }
}

/** How many rules a request may pass: more are a circle. */
const hopsMax = 8

interface Candidate {
  path: HostPath
  headers: readonly (readonly [string, string])[]
  targets: readonly { target: HostTarget; forward: ForwardOptions }[]
  percents: number
}

export class PathEndpoint implements HttpEndpoint {
  readonly kind = 'http'
  readonly prefix: string
  #candidates: readonly Candidate[]
  #deps: PathDeps

  /** The first of `paths` whose headers match counts. */
  constructor(prefix: string, paths: readonly HostPath[], deps: PathDeps) {
    this.prefix = prefix
    this.#deps = deps
    this.#candidates = paths.map((path) => {
      const { rewriteHost } = path
      const sharing = path.targets.filter(({ percent }) => percent > 0)
      return {
        path,
        headers: Object.entries(path.headers),
        targets: sharing.map((target) => ({
          target,
          forward: { setHeaders: target.setHeaders, ...(rewriteHost !== undefined && { host: rewriteHost }) },
        })),
        percents: sharing.reduce((sum, { percent }) => sum + percent, 0),
      }
    })
  }

  /** Where all of these requests go, if that is a door for events: their own rules begin before the door. */
  eventsBehind(path: string, isSecure: boolean): EventEndpoint | undefined {
    const [only, ...more] = this.#candidates
    const isSure = more.length === 0 && only!.headers.length === 0 && only!.targets.length === 1
    if (!isSure || (only!.path.isRedirected && !isSecure)) return undefined
    const { target } = only!.targets[0]!
    if (this.#deps.revisions.find(target.namespace, target.name) !== undefined) return undefined
    const endpoint = this.#inOneHop(() => this.#endpointOf(only!, target, path))
    return endpoint?.kind === 'events' ? endpoint : undefined
  }

  handle(request: IncomingMessage, response: ServerResponse, options?: ForwardOptions): void {
    const refuse = (status: number, message: string, headers: Record<string, string> = {}): void => {
      request.resume()
      response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers }).end(`${message}\n`)
    }
    const candidate = this.#candidateFor(request)
    if (candidate === undefined) return refuse(404, 'no rule is for such a request')
    if (candidate.path.isRedirected && !isSecure(request)) {
      const location = secureUrl(request)
      return refuse(301, `moved to ${location}`, { location })
    }
    const { target, forward } = this.#pick(candidate)
    const isTaken = this.#inOneHop(() => {
      const endpoint = this.#endpointOf(candidate, target, pathOf(request))
      if (endpoint?.kind !== 'http') return false
      endpoint.handle(request, response, joined(options, forward))
      return true
    })
    if (isTaken !== true) refuse(503, `${target.namespace}/${target.name} takes no requests`)
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, options?: ForwardOptions): void {
    const candidate = this.#candidateFor(request)
    if (candidate === undefined) return refuseUpgrade(socket, '404 Not Found')
    if (candidate.path.isRedirected && !isSecure(request)) {
      return refuseUpgrade(socket, `301 Moved Permanently\r\nLocation: ${secureUrl(request)}`)
    }
    const { target, forward } = this.#pick(candidate)
    const isTaken = this.#inOneHop(() => {
      const endpoint = this.#endpointOf(candidate, target, pathOf(request))
      if (endpoint?.kind !== 'http' || endpoint.upgrade === undefined) return false
      endpoint.upgrade(request, socket, head, joined(options, forward))
      return true
    })
    if (isTaken !== true) refuseUpgrade(socket, '503 Service Unavailable')
  }

  #candidateFor(request: IncomingMessage): Candidate | undefined {
    return this.#candidates.find(({ headers }) => headers.every(([name, value]) => request.headers[name] === value))
  }

  /** Each target takes its share, exactly, in the long run. */
  #pick({ targets, percents }: Candidate): Candidate['targets'][number] {
    if (targets.length === 1) return targets[0]!
    let left = this.#deps.random.next() * percents
    return targets.find(({ target }) => (left -= target.percent) < 0) ?? targets.at(-1)!
  }

  #endpointOf({ path: { rewriteHost } }: Candidate, target: HostTarget, path: string): Endpoint | undefined {
    const { revisions, findInside } = this.#deps
    const rewritten = rewriteHost === undefined ? undefined : findInside(rewriteHost, path)
    if (rewritten !== undefined) return rewritten
    const { namespace, name } = target
    return revisions.find(namespace, name) ?? findInside(`${name}.${namespace}.svc.cluster.local`, path)
  }

  #inOneHop<T>(act: () => T): T | undefined {
    const { hops } = this.#deps
    if (hops.count >= hopsMax) return undefined
    hops.count++
    try {
      return act()
    } finally {
      hops.count--
    }
  }
}

/** What an earlier rule asked for, and this one, which counts more. */
function joined(former: ForwardOptions | undefined, own: ForwardOptions): ForwardOptions {
  return former === undefined ? own : { ...former, ...own, setHeaders: { ...former.setHeaders, ...own.setHeaders } }
}

const pathOf = ({ url = '/' }: IncomingMessage): string => {
  const path = url.startsWith('/') ? url : url.replace(/^[a-z]+:\/\/[^/?#]*/i, '')
  const end = path.search(/[?#]/)
  return (end < 0 ? path : path.slice(0, end)) || '/'
}

/** By TLS up to here, or up to a proxy before us that says so. */
const isSecure = ({ socket, headers }: IncomingMessage): boolean =>
  isEncrypted(socket) || headers['x-forwarded-proto'] === 'https'

/** The same address by HTTPS: where it names a port, that is ours, and it speaks both. */
function secureUrl(request: IncomingMessage): string {
  const { url = '/', headers } = request
  const absolute = /^[a-z]+:\/\/([^/?#]*)(.*)$/i.exec(url)
  const authority = absolute?.[1] ?? headers[':authority'] ?? headers.host ?? ''
  const host = String(authority).replace(/:(80)?$/, '')
  return `https://${host}${absolute === null ? url : absolute[2]}`
}

/** A client that keeps its side open must not keep the connection. */
const refuseUpgrade = (socket: Duplex, statusAndHeaders: string): void =>
  void socket.end(`HTTP/1.1 ${statusAndHeaders}\r\nConnection: close\r\n\r\n`, () => socket.destroy())
