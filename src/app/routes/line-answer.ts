// An answer of lines that goes on for as long as there is something to tell.
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'

export interface LineAnswer {
  /** Aborts when the client is gone or the server stops. */
  readonly ended: AbortSignal
  /** Bytes written that the client has not taken. */
  readonly waitingBytes: number
  /** Writes without waiting. */
  write(line: string): void
  /** Writes, and waits while the client takes nothing; never longer than until the answer has ended. */
  send(line: string): Promise<void>
  close(): void
}

/** Begins the answer: the head goes out at once. */
export function openLines(response: ServerResponse, stopping: AbortSignal, mediaType: string): LineAnswer {
  const gone = new AbortController()
  response.on('close', () => gone.abort())
  if (response.destroyed) gone.abort()
  const ended = AbortSignal.any([gone.signal, stopping])
  response.writeHead(200, { 'content-type': mediaType }).flushHeaders()
  const write = (line: string): boolean => ended.aborted || response.write(`${line}\n`)
  return {
    ended,
    get waitingBytes() {
      return response.writableLength
    },
    write: (line) => void write(line),
    async send(line) {
      if (!write(line)) await once(response, 'drain', { signal: ended }).catch(() => undefined)
    },
    close: () => void response.end(),
  }
}

/** Lines of JSON, one value a line. */
export const jsonLines = 'application/x-ndjson'

/** Resolves when the signal aborts. */
export async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
}
