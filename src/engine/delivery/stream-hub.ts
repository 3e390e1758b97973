// All consumers of one stream that the engine knows: one matcher for their filters, asked once per event.
import type { Clock } from '../../base/clock.ts'
import type { Metrics } from '../../base/metrics.ts'
import type { CloudEvent, EventMessage } from '../../model/cloudevents/event.ts'
import type { EventStream } from '../../ports/event-transport/port.ts'
import type { FlowFeed } from '../flow.ts'
import { eventingScope } from '../instrument-scopes.ts'
import type { DispatchSpec } from '../reconciler.ts'
import { compileFilters } from './filters/compile.ts'
import type { CompiledFilter } from './filters/compile.ts'
import { createMatcher } from './filters/matcher.ts'
import { dataFilterAnnotation } from './filters/spec.ts'
import type { SubscriptionsFilter } from './filters/spec.ts'
import { hopsAttribute, withoutHops } from './reply.ts'

export interface StreamHubDeps {
  clock: Clock
  flow: FlowFeed
  metrics: Metrics
}

/**
 * Keeps the stream's selector in step with the consumers. A consumer that stopped stays known until it is forgotten, so
 * that its events wait for it.
 */
export class StreamHub {
  #stream: EventStream
  #deps: StreamHubDeps
  #matcher = createMatcher()
  #owners = new Map<string, DispatchSpec['owner']>()
  #filters = new Map<string, { compiled: CompiledFilter; alone: ReadonlySet<string> }>()
  #hidesHops = false
  /** Whether any filter speaks of the hop count: only then must it be out of sight of all. */
  #filtersHops = false
  #seen: EventMessage | undefined
  #visible: CloudEvent | undefined

  constructor(stream: EventStream, deps: StreamHubDeps) {
    this.#stream = stream
    this.#deps = deps
  }

  get stream(): EventStream {
    return this.#stream
  }

  /** @throws {KnodeError} BAD_FILTER */
  add({ consumer, owner, contract, filter, filters, annotations }: DispatchSpec): void {
    const { kind, namespace, name } = owner
    const faults = this.#deps.metrics
      .scope(eventingScope)
      .counter('knode.filter.faults', 'Data filters that could not be evaluated')
    const dataFilter = annotations?.[dataFilterAnnotation]
    const compiled = compileFilters(
      { filter, filters: filters as SubscriptionsFilter[] | undefined, dataFilter },
      { onFault: (reason) => faults.add(1, { kind: kind.split('.')[0]!.toLowerCase(), namespace, name, reason }) },
    )
    // A data filter may go through all attributes without naming one; CESQL names them in any case.
    this.#filtersHops ||=
      dataFilter !== undefined || JSON.stringify([filter, filters]).toLowerCase().includes(hopsAttribute)
    this.#matcher.set(consumer, compiled)
    this.#owners.set(consumer, owner)
    // Only a Broker's stream has Triggers, and there all of them do.
    if (contract === 'trigger') this.#hidesHops = true
    this.#filters.set(consumer, { compiled, alone: new Set([consumer]) })
    this.#stream.select((message, only) =>
      only === undefined ? this.#select(message) : this.#selectOnly(message, only),
    )
  }

  remove(consumer: string): void {
    this.#matcher.delete(consumer)
    this.#owners.delete(consumer)
    this.#filters.delete(consumer)
  }

  get isEmpty(): boolean {
    return this.#owners.size === 0
  }

  /** The event as filters and watchers see it; remembers the last, as its consumers mostly ask one after the other. */
  #visibleOf(message: EventMessage): CloudEvent {
    if (!this.#hidesHops) return message.event
    if (this.#seen !== message || this.#visible === undefined) {
      this.#seen = message
      this.#visible = withoutHops(message.event)
    }
    return this.#visible
  }

  /** Whether the consumer's filters want the event. Told to nobody. */
  wants(message: EventMessage, consumer: string): boolean {
    return (
      this.#filters.get(consumer)?.compiled.passes(this.#filtersHops ? this.#visibleOf(message) : message.event) ===
      true
    )
  }

  // Told to nobody: the event was, when it came.
  #selectOnly(message: EventMessage, consumer: string): ReadonlySet<string> {
    return this.wants(message, consumer) ? this.#filters.get(consumer)!.alone : nobody
  }

  #select(message: EventMessage): ReadonlySet<string> {
    const event = this.#filtersHops ? this.#visibleOf(message) : message.event
    const wanted = this.#matcher.match(event)
    const { flow, clock } = this.#deps
    if (flow.watched && wanted.size < this.#owners.size) {
      const seen = this.#visibleOf(message)
      const facts = { what: 'filtered', timeMs: clock.now(), stream: this.#stream.name, event: seen } as const
      let explained = 0
      for (const [consumer, { kind, namespace, name }] of this.#owners) {
        if (wanted.has(consumer)) continue
        const why = explained++ < explanationsMax ? this.#filters.get(consumer)?.compiled.explain(event) : undefined
        flow.publish({ ...facts, owner: { kind, namespace, name }, ...(why && { message: why.reason }) })
      }
    }
    return wanted
  }
}

/** Consumers of one event that are told why they did not want it: a watcher must not slow thousands down. */
const explanationsMax = 100
const nobody: ReadonlySet<string> = new Set()
