// Load on a server from a process of its own, and what came of it.
import { join } from 'node:path'
import { goProgram } from './go-program.ts'
import { Part, script } from './part.ts'

export interface LoadOptions {
  /** Posts events of 1 KiB, or asks by GET. */
  what: 'event' | 'get'
  url: string
  count: number
  /** @default as many as are answered */
  ratePerSecond?: number
  /** In place of the URL's own. */
  host?: string
}

export interface Loaded {
  sent: number
  seconds: number
  p50Ms: number
  p95Ms: number
  p99Ms: number
  statuses: Record<string, number>
  /** How late the sender itself was in looking at answers: what it reports cannot be better than that. */
  ownDelayP99Ms: number
  /** Of the sender. */
  cpuUs: number
}

let paced: { program: string | undefined } | undefined

/** The command of the sender. At a given rate it is the one that keeps time, where that can be built. */
function senderFor(ratePerSecond: number): string[] {
  if (ratePerSecond > 0) paced ??= { program: goProgram('paced-load', join(import.meta.dirname, 'paced-load')) }
  const program = ratePerSecond > 0 ? paced?.program : undefined
  return program === undefined ? script(join(import.meta.dirname, 'load.ts')) : [program]
}

/** @throws when an answer is not the good one: 202 for events, 200 for GET. */
export async function load({ what, url, count, ratePerSecond = 0, host }: LoadOptions): Promise<Loaded> {
  const words = [what, url, String(count), String(ratePerSecond), ...(host === undefined ? [] : [host])]
  await using sender = new Part([...senderFor(ratePerSecond), ...words], { core: 1 })
  const loaded = JSON.parse(await sender.line()) as Loaded
  const wanted = what === 'event' ? '202' : '200'
  if (loaded.statuses[wanted] !== count) throw new Error(`not all were answered ${wanted}: ${JSON.stringify(loaded)}`)
  return loaded
}
