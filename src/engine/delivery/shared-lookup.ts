// Asks for the addresses of a host once for all connections that are being opened to it.
import { lookup as systemLookup } from 'node:dns'
import type { LookupAddress, LookupOptions } from 'node:dns'
import type { LookupFunction } from 'node:net'

type Found = [error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number]

/**
 * Few lookups go on at a time in a process, each blocking a thread. A host whose name server is silent would, with one
 * for each try, keep all others from being found. Nothing is remembered: who asks later asks anew.
 */
export function sharedLookup(lookup: LookupFunction = systemLookup): LookupFunction {
  const waiting = new Map<string, ((...found: Found) => void)[]>()
  return (hostname, options: LookupOptions, found) => {
    const key = `${hostname} ${JSON.stringify(options)}`
    const others = waiting.get(key)
    if (others !== undefined) return void others.push(found)
    const all = [found]
    waiting.set(key, all)
    lookup(hostname, options, (...result) => {
      waiting.delete(key)
      for (const each of all) each(...result)
    })
  }
}
