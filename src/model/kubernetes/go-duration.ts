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

/** The duration in milliseconds, possibly negative or fractional; `undefined` when the text is none. */
export function parseGoDuration(text: string): number | undefined {
  const match = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+|0)$/.exec(text)
  if (match === null) return undefined
  let totalMs = 0
  for (const [, amount, unit] of match[2]!.matchAll(/([\d.]+)([a-zµμ]+)/g)) totalMs += Number(amount) * unitMs[unit!]!
  return match[1] === '-' ? -totalMs : totalMs
}
