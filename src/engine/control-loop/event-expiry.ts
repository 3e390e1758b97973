// Deletes Events that are old, as Kubernetes' API server does by their time to live.
import type { CancelTimer, Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/log.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import type { Caches, ResourceClient } from '../reconciler.ts'
import { isNotFound } from './api-failure.ts'

export interface EventExpiryOptions {
  caches: Caches
  client: ResourceClient
  clock: Clock
  log: Logger
}

/** How long an Event is kept after it last happened, and how often old ones are looked for, in milliseconds. */
const eventKeptMs = 3_600_000
const eventSweepMs = 600_000

interface CoreEvent extends Resource {
  lastTimestamp?: string | null
  eventTime?: string | null
}

/** Sweeps now and then on, until disposed. */
export function startEventExpiry({ caches, client, clock, log }: EventExpiryOptions): AsyncDisposable {
  let cancel: CancelTimer = () => undefined
  let sweeping: Promise<void> = Promise.resolve()
  let stopped = false
  const sweep = async (): Promise<void> => {
    for (const event of caches.list<CoreEvent>('Event')) {
      if (stopped) return
      const { namespace = '', name, creationTimestamp } = event.metadata
      const lastMs = Date.parse(event.lastTimestamp ?? event.eventTime ?? creationTimestamp ?? '')
      if (Number.isNaN(lastMs) || clock.now() - lastMs < eventKeptMs) continue
      try {
        await client.delete('Event', namespace, name)
      } catch (thrown) {
        if (!isNotFound(thrown)) log.debug('cannot delete an old Event', { namespace, name, err: thrown })
      }
    }
  }
  const schedule = (): void => {
    sweeping = sweep().then(() => {
      if (!stopped) cancel = clock.setTimer(eventSweepMs, schedule)
    })
  }
  schedule()
  return {
    async [Symbol.asyncDispose]() {
      stopped = true
      cancel()
      await sweeping
    },
  }
}
