// Chance as a neighbour, so that a test can repeat it.
import { randomUUID, getRandomValues } from 'node:crypto'

export interface Random {
  /** A number in [0, 1). */
  next(): number
  /** A random (version 4) UUID. */
  uuid(): string
}

/** Chance for production. */
export const systemRandom: Random = {
  next: () => getRandomValues(new Uint32Array(1))[0]! / 2 ** 32,
  uuid: () => randomUUID(),
}

/** The same sequence for the same seed (mulberry32). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const hex = (digits: number): string =>
    Array.from({ length: digits }, () => Math.floor(next() * 16).toString(16)).join('')
  return { next, uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-${'89ab'[Math.floor(next() * 4)]}${hex(3)}-${hex(12)}` }
}

/** So many hexadecimal digits, each of them random: not those of a UUID that tell its version and variant. */
export function randomHex(random: Random, count: number): string {
  let digits = ''
  while (digits.length < count) {
    const uuid = random.uuid()
    digits += uuid.slice(0, 8) + uuid.slice(9, 13) + uuid.slice(15, 18) + uuid.slice(20, 23) + uuid.slice(24)
  }
  return digits.slice(0, count)
}
