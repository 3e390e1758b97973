// Reads what an instance prints, no faster than a limit: beyond it the program waits in its own write, not Knode.
import type { Readable } from 'node:stream'
import type { Clock } from '../../base/clock.ts'

/** Bytes of one output stream that are read in {@link outputWindowMs}: about 40 MiB a second. */
export const outputWindowBytesMax = 4_194_304
const outputWindowMs = 100

/** Passes chunks of `source` to `write`; a source that prints more than the limit is paused until the window is over. */
export function limitOutput(source: Readable, clock: Clock, write: (chunk: Uint8Array) => void): void {
  let windowStartMs = -Infinity
  let bytes = 0
  source.on('data', (chunk: Uint8Array) => {
    const nowMs = clock.monotonicMs()
    if (nowMs - windowStartMs >= outputWindowMs) {
      windowStartMs = nowMs
      bytes = 0
    }
    bytes += chunk.byteLength
    write(chunk)
    if (bytes < outputWindowBytesMax) return
    source.pause()
    clock.setTimer(windowStartMs + outputWindowMs - nowMs, () => source.resume())
  })
}
