// Opens the event transport that the configuration names; heavy drivers load when chosen.
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import type { LogFileSystem } from './log/file-system.ts'
import type { EventTransport } from './port.ts'

export type EventTransportOptions = MemoryTransportOptions | LogTransportOptions

export interface MemoryTransportOptions {
  driver: 'memory'
  clock: Clock
  log: Logger
}

export interface LogTransportOptions {
  driver: 'log'
  clock: Clock
  log: Logger
  /** Where the streams are kept; created if need be. One process at a time. */
  directory: string
  /** What an acknowledged event survives: `disk` power loss, `process` the end of the process. @default 'disk' */
  durability?: 'disk' | 'process'
  /** How long a write waits for the events that are about to come, at most, in milliseconds. @default 0 */
  gatherMsMax?: number
  /** @default systemRandom */
  random?: Random
  /** @default the machine's */
  fileSystem?: LogFileSystem
}

/** Opens the transport; streams kept by an earlier process are there with their consumers. */
export async function openEventTransport(options: EventTransportOptions): Promise<EventTransport> {
  switch (options.driver) {
    case 'memory': {
      const { MemoryTransport } = await import('./memory/memory-transport.ts')
      return new MemoryTransport(options.clock)
    }
    case 'log': {
      const { openLogTransport } = await import('./log/log-transport.ts')
      return await openLogTransport(options)
    }
    default:
      return options satisfies never
  }
}
