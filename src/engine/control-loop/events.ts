// Records Kubernetes Events on objects: equal ones are counted, floods are cut. Source: client-go tools/record.
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/log.ts'
import { kubernetesTime } from '../../model/kubernetes/resource.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import type { ResourceClient } from '../reconciler.ts'
import { isNotFound } from './api-failure.ts'
import { WorkQueue } from './work-queue.ts'

export interface RecordedEvent {
  type: 'Normal' | 'Warning'
  reason: string
  message: string
  /** Who says so, e.g. `trigger-controller`. */
  component: string
}

export interface EventRecorderOptions {
  client: ResourceClient
  clock: Clock
  log: Logger
}

/** An Event as core/v1 stores it. */
interface CoreEvent extends Resource {
  count: number
  lastTimestamp: string
}

/** Events one object may have in a row, and how long until it may have one more, in milliseconds. */
const eventBurstMax = 25
const eventRefillMs = 300_000
/** Events, and objects with Events, that are remembered. */
const rememberedMax = 4096
/** A name that every API server takes for an Event, in characters. */
const nameCharactersMax = 253

interface Happening {
  object: Resource
  event: RecordedEvent
  /** Name of the stored Event. */
  name: string
  firstMs: number
  lastMs: number
  count: number
}

interface Allowance {
  tokens: number
  atMs: number
}

export class EventRecorder implements AsyncDisposable {
  #options: EventRecorderOptions
  #happenings = new Map<string, Happening>()
  #allowances = new Map<string, Allowance>()
  #queue: WorkQueue
  #order = 0n

  constructor(options: EventRecorderOptions) {
    this.#options = options
    this.#queue = new WorkQueue({ clock: options.clock, process: (key) => this.#write(key) })
  }

  /** Never throws and never waits: the Event is stored by and by, or dropped with a log line. */
  record(object: Resource, event: RecordedEvent): void {
    const nowMs = this.#options.clock.now()
    const subject = [
      object.kind,
      object.apiVersion,
      object.metadata.namespace,
      object.metadata.name,
      object.metadata.uid,
    ]
    const key = JSON.stringify([...subject, event.component, event.type, event.reason, event.message])
    const known = this.#happenings.get(key)
    const happening = known ?? { object, event, name: this.#nameFor(object), firstMs: nowMs, lastMs: nowMs, count: 0 }
    happening.count++
    happening.lastMs = nowMs
    remember(this.#happenings, key, happening)
    if (this.#isAllowed(JSON.stringify([...subject, event.component]))) this.#queue.add(key)
  }

  get isIdle(): boolean {
    return this.#queue.isIdle
  }

  whenIdle(): Promise<void> {
    return this.#queue.whenIdle()
  }

  /** Resolves when what was recorded is stored, or after a while. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue.finish()
  }

  /** On the steady clock: one on the wall that is set back would keep objects silent until it has caught up. */
  #isAllowed(subject: string): boolean {
    const nowMs = this.#options.clock.monotonicMs()
    const { tokens, atMs } = this.#allowances.get(subject) ?? { tokens: eventBurstMax, atMs: nowMs }
    const refilled = Math.min(eventBurstMax, tokens + (nowMs - atMs) / eventRefillMs)
    const allowed = refilled >= 1
    remember(this.#allowances, subject, { tokens: allowed ? refilled - 1 : refilled, atMs: nowMs })
    return allowed
  }

  /** `shop.17c4e4f6d5a80000`: the time in nanoseconds, made unique; of a long name only the beginning. */
  #nameFor({ metadata: { name } }: Resource): string {
    const nanoseconds = BigInt(Math.round(this.#options.clock.now())) * 1_000_000n + (this.#order++ % 1_000_000n)
    const suffix = `.${nanoseconds.toString(16)}`
    const room = nameCharactersMax - suffix.length
    if (name.length <= room) return name + suffix
    // Each part between dots of a name ends with a letter or digit.
    return name.slice(0, room).replace(/[^a-z0-9]+$/, '') + suffix
  }

  async #write(key: string): Promise<void> {
    const happening = this.#happenings.get(key)
    if (happening === undefined) return
    try {
      await this.#store(happening)
    } catch (thrown) {
      const { kind, metadata } = happening.object
      const { reason } = happening.event
      this.#options.log.debug('cannot store an Event', { kind, ...nameFields(metadata), reason, err: thrown })
    }
  }

  async #store(happening: Happening): Promise<void> {
    const { client } = this.#options
    const { count, lastMs, name } = happening
    const namespace = happening.object.metadata.namespace ?? 'default'
    if (count > 1) {
      try {
        await client.patch('Event', namespace, name, { count, lastTimestamp: kubernetesTime(lastMs) })
        return
      } catch (thrown) {
        // Expired, or never stored: it starts anew.
        if (!isNotFound(thrown)) throw thrown
      }
    }
    await client.create(coreEvent(happening, namespace))
  }
}

function coreEvent({ object, event, name, firstMs, lastMs, count }: Happening, namespace: string): CoreEvent {
  const { uid, resourceVersion } = object.metadata
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, namespace },
    involvedObject: {
      apiVersion: object.apiVersion,
      kind: object.kind,
      ...nameFields(object.metadata),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
    type: event.type,
    reason: event.reason,
    message: event.message,
    source: { component: event.component },
    reportingComponent: event.component,
    reportingInstance: '',
    firstTimestamp: kubernetesTime(firstMs),
    lastTimestamp: kubernetesTime(lastMs),
    count,
  } as CoreEvent
}

const nameFields = ({ namespace, name }: Resource['metadata']): { namespace?: string; name: string } =>
  namespace === undefined ? { name } : { namespace, name }

/** Keeps what was used last; forgets the oldest above the limit. */
function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key)
  map.set(key, value)
  if (map.size <= rememberedMax) return
  const { value: oldest } = map.keys().next()
  if (oldest !== undefined) map.delete(oldest)
}
