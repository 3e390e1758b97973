// Streams get the configured limits unless their kind says otherwise.
import type { EventTransport } from '../ports/event-transport/port.ts'
import type { Config } from './config-schema.ts'

export function withStreamDefaults(
  transport: EventTransport,
  { retentionMs, retentionBytes, streamBytesMax }: Pick<Config, 'retentionMs' | 'retentionBytes' | 'streamBytesMax'>,
): EventTransport {
  return {
    ensureStream: (name, options) =>
      transport.ensureStream(name, { retentionMs, retentionBytes, streamBytesMax, ...options }),
    stream: (name) => transport.stream(name),
    deleteStream: (name) => transport.deleteStream(name),
    streams: () => transport.streams(),
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  }
}
