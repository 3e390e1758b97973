// Durations as Go writes them: `90s`, `1h30m`, `1.5s`. Source: Go, time.ParseDuration.

/** Milliseconds of each unit. */
const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
}

/** Longest text taken for a duration, in characters: a program's own are far shorter. */
const durationCharactersMax = 200

/** The duration in milliseconds, possibly negative or fractional; `undefined` when the text is none. */
export function parseGoDuration(text: string): number | undefined {
  if (text.length > durationCharactersMax) return undefined
  const match = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+|0)$/.exec(text)
  if (match === null) return undefined
  let totalMs = 0
  for (const [, amount, unit] of match[2]!.matchAll(/([\d.]+)([a-zµμ]+)/g)) totalMs += Number(amount) * unitMs[unit!]!
  return match[1] === '-' ? -totalMs : totalMs
}

/** As Go prints a duration: `1h0m0s`, `1.5s`, `100ms`, `0s`. */
export function goDuration(ms: number): string {
  if (ms < 0) return `-${goDuration(-ms)}`
  if (ms === 0) return '0s'
  if (ms < 1) return ms < 1e-3 ? `${trimmed(ms * 1e6)}ns` : `${trimmed(ms * 1e3)}µs`
  if (ms < 1_000) return `${trimmed(ms)}ms`
  const hours = Math.floor(ms / unitMs['h']!)
  const minutes = Math.floor((ms % unitMs['h']!) / unitMs['m']!)
  const seconds = `${trimmed((ms % unitMs['m']!) / 1_000)}s`
  if (hours > 0) return `${hours}h${minutes}m${seconds}`
  return minutes > 0 ? `${minutes}m${seconds}` : seconds
}

/** Without the noise of binary fractions. */
const trimmed = (value: number): string => String(Number(value.toFixed(9)))
