// What becomes of events, told as it happens: for `knode tail`, the ledger and the console.
import type { CloudEvent } from '../model/cloudevents/event.ts'
import type { KindId } from './kind.ts'

/** One step in the life of an event. */
export interface FlowFact {
  what: 'accepted' | 'refused' | 'filtered' | 'delivered' | 'replied' | 'retrying' | 'dead-lettered' | 'dropped'
  /** Milliseconds since 1970. */
  timeMs: number
  /** The Broker or channel whose stream holds the event. */
  stream: string
  event: CloudEvent
  /** The Trigger or Subscription concerned; absent for `accepted` and `refused`. */
  owner?: { kind: KindId; namespace: string; name: string }
  url?: string
  status?: number
  attempt?: number
  tookMs?: number
  /** Why, in words. */
  message?: string
}

/** Costs nothing while nobody watches: ask `watched` before building a fact. */
export interface FlowFeed {
  readonly watched: boolean
  publish(fact: FlowFact): void
  /** Disposing ends it. A listener must not throw. */
  subscribe(listener: (fact: FlowFact) => void): Disposable
}

export function createFlowFeed(): FlowFeed {
  const listeners = new Set<(fact: FlowFact) => void>()
  return {
    get watched() {
      return listeners.size > 0
    },
    publish(fact) {
      for (const listener of listeners) listener(fact)
    },
    subscribe(listener) {
      listeners.add(listener)
      return { [Symbol.dispose]: () => void listeners.delete(listener) }
    },
  }
}
