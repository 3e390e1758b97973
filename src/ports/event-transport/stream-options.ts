// Options of streams made complete, and places in a stream made offsets.
import type { Offset, StartFrom, StreamOptions } from './port.ts'

/** The defaults of durable streams. */
export const durableStreamDefaults: Required<StreamOptions> = {
  retentionMs: 86_400_000,
  retentionBytes: 1_073_741_824,
  streamBytesMax: 4_294_967_296,
}

/** Given options over defaults; more than the hard limit is never kept. */
export function completeOptions(options: StreamOptions, defaults: Required<StreamOptions>): Required<StreamOptions> {
  const { retentionMs, retentionBytes, streamBytesMax } = { ...defaults, ...options }
  return { retentionMs, retentionBytes: Math.min(retentionBytes, streamBytesMax), streamBytesMax }
}

/** How often a stream looks for events to let go, in milliseconds. */
export const sweepIntervalMs = ({ retentionMs }: Required<StreamOptions>): number =>
  Math.min(60_000, Math.max(1_000, retentionMs / 20))

/** What helps a full stream. */
export const fullHint = 'let its consumers catch up, or raise streamBytesMax'

/** The offset that `from` means, or the time to look up. */
export function offsetOf(from: StartFrom, first: Offset, next: Offset): Offset | { timeMs: number } {
  if (from === 'earliest') return first
  if (from === 'latest') return next
  return 'offset' in from ? Math.min(Math.max(from.offset, first), next) : from
}
