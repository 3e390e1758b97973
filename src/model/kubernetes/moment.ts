// A moment as people name one: how long ago (`1h30m`), or a time (`2026-01-31T12:00:00Z`).
import { utcTimestamp } from '../cloudevents/timestamp.ts'
import { parseGoDuration } from './go-duration.ts'

/** The moment in milliseconds since 1970; `undefined` when the text is none. */
export function parseMoment(text: string, nowMs: number): number | undefined {
  const agoMs = parseGoDuration(text)
  if (agoMs !== undefined) return agoMs < 0 ? undefined : nowMs - agoMs
  const timestamp = utcTimestamp(text)
  return timestamp === undefined ? undefined : Date.parse(timestamp)
}
