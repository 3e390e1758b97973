// Streams get the configured limits unless their kind says otherwise.
import type { EventTransport, StreamOptions } from '../ports/event-transport/port.ts'
import { settings } from './config-schema.ts'
import type { Config } from './config-schema.ts'

type Limits = Pick<Config, 'memory' | 'retentionMs' | 'retentionBytes' | 'streamBytesMax'>

export function withStreamDefaults(transport: EventTransport, limits: Limits): EventTransport {
  const defaults = streamDefaults(limits)
  return {
    ensureStream: (name, options) => transport.ensureStream(name, { ...defaults, ...options }),
    stream: (name) => transport.stream(name),
    deleteStream: (name) => transport.deleteStream(name),
    streams: () => transport.streams(),
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  }
}

/** Sizes made for disks are not for memory: there the transport has its own, unless others were asked for. */
export function streamDefaults({ memory, retentionMs, retentionBytes, streamBytesMax }: Limits): StreamOptions {
  const asksFor = (name: 'retentionBytes' | 'streamBytesMax', bytes: number): boolean =>
    !memory || bytes !== settings.find((setting) => setting.name === name)?.default
  return {
    retentionMs,
    ...(asksFor('retentionBytes', retentionBytes) && { retentionBytes }),
    ...(asksFor('streamBytesMax', streamBytesMax) && { streamBytesMax }),
  }
}
