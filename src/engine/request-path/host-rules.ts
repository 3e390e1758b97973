// The gateway's routing table: which host leads to whom. Ingresses program it.
import type { Endpoint, EndpointProvider, EndpointTable } from '../reconciler.ts'
import { PathEndpoint } from './path-endpoint.ts'
import type { HostPath, PathDeps } from './path-endpoint.ts'

export interface HostRule {
  /** In lower case, without ports; `*` is any host that nobody else has. */
  hosts: readonly string[]
  paths: readonly HostPath[]
}

/** Whose rules they are. */
export interface RulesOwner {
  /** The same for all programs of one owner, e.g. its uid. */
  id: string
  /** Says of itself that just these rules are in force, e.g. since before a restart: it outranks one that does not. */
  isSettled: boolean
  /** Called when another attempt may come out otherwise. It must not throw. */
  onChange(): void
}

export type HostRulesDeps = Pick<PathDeps, 'revisions' | 'random'> & { endpoints: Pick<EndpointTable, 'find'> }

interface HostEntry {
  owner: RulesOwner
  /** Longest prefix first. */
  endpoints: readonly PathEndpoint[]
}

const anyHost = '*'

/** Hosts belong to whom had them first; the others wait until they are free. Rules change at once, without a gap. */
export class HostRules implements EndpointProvider {
  #deps: PathDeps
  #hosts = new Map<string, HostEntry>()
  /** Hosts by owner's id. */
  #owned = new Map<string, ReadonlySet<string>>()
  /** Owners that wait for a host, by host, then by id. */
  #waiting = new Map<string, Map<string, RulesOwner>>()

  constructor({ endpoints, revisions, random }: HostRulesDeps) {
    this.#deps = { revisions, random, findInside: (host, path) => endpoints.find(host, path), hops: { count: 0 } }
  }

  /**
   * Puts these rules in the place of the owner's former ones. Where another has one of the hosts nothing changes: the
   * host is returned, and the owner called when it is free.
   */
  program(owner: RulesOwner, rules: readonly HostRule[]): string | undefined {
    const paths = pathsByHost(rules)
    this.#stopWaiting(owner.id)
    const others = [...paths.keys()].flatMap((host) => {
      const holder = this.#hosts.get(host)?.owner
      return holder === undefined || holder.id === owner.id ? [] : [{ host, holder }]
    })
    const taken = others.filter(({ holder }) => holder.isSettled || !owner.isSettled)
    for (const { host } of taken) this.#await(host, owner)
    if (taken.length > 0) return taken[0]!.host
    for (const { holder } of others) {
      this.withdraw(holder.id)
      holder.onChange()
    }
    const former = this.#owned.get(owner.id) ?? new Set()
    for (const [host, list] of paths) this.#hosts.set(host, { owner, endpoints: endpointsOf(list, this.#deps) })
    this.#owned.set(owner.id, new Set(paths.keys()))
    this.#free([...former].filter((host) => !paths.has(host)))
    return undefined
  }

  /** Whether any rules of the owner are in force. */
  has(ownerId: string): boolean {
    return this.#owned.has(ownerId)
  }

  /** Takes all rules of an owner out. */
  withdraw(ownerId: string): void {
    this.#stopWaiting(ownerId)
    const hosts = this.#owned.get(ownerId) ?? []
    this.#owned.delete(ownerId)
    this.#free([...hosts])
  }

  find(host: string, path: string, isSecure = false): Endpoint | undefined {
    // The gateway's own address is no host of anybody's.
    const entry = this.#hosts.get(host) ?? (host === '' ? undefined : this.#hosts.get(anyHost))
    if (entry === undefined) return undefined
    for (const endpoint of entry.endpoints) {
      if (path.startsWith(endpoint.prefix)) return endpoint.eventsBehind(path, isSecure) ?? endpoint
    }
    return undefined
  }

  #free(hosts: readonly string[]): void {
    for (const host of hosts) this.#hosts.delete(host)
    const freed = new Set(hosts.flatMap((host) => [...(this.#waiting.get(host)?.values() ?? [])]))
    for (const owner of freed) owner.onChange()
  }

  #await(host: string, owner: RulesOwner): void {
    const waiting = this.#waiting.get(host) ?? new Map<string, RulesOwner>()
    this.#waiting.set(host, waiting.set(owner.id, owner))
  }

  #stopWaiting(ownerId: string): void {
    for (const [host, waiting] of this.#waiting) {
      waiting.delete(ownerId)
      if (waiting.size === 0) this.#waiting.delete(host)
    }
  }
}

function pathsByHost(rules: readonly HostRule[]): Map<string, HostPath[]> {
  const byHost = new Map<string, HostPath[]>()
  for (const { hosts, paths } of rules) {
    for (const host of hosts) byHost.set(host, [...(byHost.get(host) ?? []), ...paths])
  }
  return byHost
}

/** One for each prefix, with all paths that a request which begins like that may match, the longest first. */
function endpointsOf(paths: readonly HostPath[], deps: PathDeps): PathEndpoint[] {
  const longestFirst = [...paths].sort((a, b) => b.prefix.length - a.prefix.length)
  return [...new Set(longestFirst.map(({ prefix }) => prefix))].map((prefix) => {
    const candidates = longestFirst.filter((path) => prefix.startsWith(path.prefix))
    return new PathEndpoint(prefix, candidates, deps)
  })
}
