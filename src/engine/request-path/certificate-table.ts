// Which certificate the gateway shows for which host. Ingresses program it.
import { createSecureContext } from 'node:tls'
import type { SecureContext } from 'node:tls'
import type { KeyPair } from '../../base/key-pair.ts'
import type { CertificateTable, HostCertificate } from '../reconciler.ts'

interface Entry {
  ownerId: string
  pair: KeyPair
}

/** Certificates that are kept ready for handshakes; others are made ready again when they are asked for. */
const readyMax = 1_000

export function createCertificateTable(): CertificateTable {
  return new Certificates()
}

/** A host's certificate is the one of whoever had it first; the next one's turn comes when that one lets go. */
class Certificates implements CertificateTable {
  #entries = new Map<string, readonly Entry[]>()
  /** Hosts by owner's id. */
  #owned = new Map<string, ReadonlySet<string>>()
  /** The one used last comes last. */
  #ready = new Map<KeyPair, SecureContext>()

  program(ownerId: string, certificates: readonly HostCertificate[]): void {
    const former = this.#owned.get(ownerId) ?? new Set()
    const owned = new Set<string>()
    for (const { hosts, pair } of certificates) {
      for (const host of hosts.map((each) => each.toLowerCase())) {
        if (pair !== undefined) this.#put(host, { ownerId, pair })
        if (pair !== undefined || former.has(host)) owned.add(host)
      }
    }
    for (const host of former) if (!owned.has(host)) this.#take(host, ownerId)
    if (owned.size === 0) this.#owned.delete(ownerId)
    else this.#owned.set(ownerId, owned)
  }

  withdraw(ownerId: string): void {
    this.program(ownerId, [])
  }

  find(serverName: string): SecureContext | undefined {
    const [entry] = this.#entries.get(serverName) ?? this.#entries.get(serverName.replace(/^[^.]*/, '*')) ?? []
    if (entry === undefined) return undefined
    const { pair } = entry
    const context = this.#ready.get(pair) ?? createSecureContext({ ...pair, minVersion: 'TLSv1.2' })
    this.#ready.delete(pair)
    this.#ready.set(pair, context)
    if (this.#ready.size > readyMax) this.#ready.delete(this.#ready.keys().next().value!)
    return context
  }

  #put(host: string, entry: Entry): void {
    const before = this.#entries.get(host) ?? []
    const at = before.findIndex(({ ownerId }) => ownerId === entry.ownerId)
    if (at >= 0 && before[at]!.pair !== entry.pair) this.#ready.delete(before[at]!.pair)
    this.#entries.set(host, at < 0 ? [...before, entry] : before.with(at, entry))
  }

  #take(host: string, ownerId: string): void {
    const left: Entry[] = []
    for (const entry of this.#entries.get(host) ?? []) {
      if (entry.ownerId === ownerId) this.#ready.delete(entry.pair)
      else left.push(entry)
    }
    if (left.length === 0) this.#entries.delete(host)
    else this.#entries.set(host, left)
  }
}
