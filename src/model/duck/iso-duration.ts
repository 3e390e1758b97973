// ISO 8601 durations as Knative's delivery specs write them. Source: ISO 8601-1 5.5.2, rickb777/date period.

// Mean Gregorian years and months, as Go's period library counts them: P1M is 730h29m6s.
const unitMs = {
  Y: 31_556_952_000,
  M: 2_629_746_000,
  W: 604_800_000,
  D: 86_400_000,
  TH: 3_600_000,
  TM: 60_000,
  TS: 1000,
} as const

/** Longest text taken for a duration, in characters. */
const durationCharactersMax = 64

const field = (unit: string): string => `(?:(\\d+(?:[.,]\\d+)?)${unit})?`
const pattern = new RegExp(
  `^\\+?P(?=\\d|T\\d)${field('Y')}${field('M')}${field('W')}${field('D')}` +
    `(?:T(?=\\d)${field('H')}${field('M')}${field('S')})?$`,
)

/**
 * The length of an ISO 8601 duration in milliseconds, fractions kept (`PT0.25S` → 250, `P1D` → 86,400,000), or
 * `undefined` when it does not parse or is negative. Lower case, spaces and bare numbers do not parse.
 */
export function parseIsoDurationMs(text: string): number | undefined {
  if (text.length > durationCharactersMax) return undefined
  const fields = pattern.exec(text)?.slice(1)
  if (fields === undefined) return undefined
  const lastField = fields.findLastIndex((value) => value !== undefined)
  // Only the smallest unit given may have a fraction (ISO 8601-1 5.5.2.3).
  if (fields.some((value, index) => index < lastField && value !== undefined && /[.,]/.test(value))) return undefined
  const units = Object.values(unitMs)
  return fields.reduce((sum, value, index) => sum + Number((value ?? '0').replace(',', '.')) * units[index]!, 0)
}
