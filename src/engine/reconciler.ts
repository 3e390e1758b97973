// What a reconciler is given, and what it may rely on. The rooms of the engine implement these; app/ introduces them.
import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'
import type { Metrics } from '../base/metrics.ts'
import type { Random } from '../base/random.ts'
import type { CloudEvent, EventMessage } from '../model/cloudevents/event.ts'
import type { Addressable, DeliverySpec, Destination } from '../model/duck/types.ts'
import type { Resource } from '../model/kubernetes/resource.ts'
import type { EventStream, EventTransport } from '../ports/event-transport/port.ts'
import type { WorkloadRuntime } from '../ports/workload-runtime/port.ts'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { SecureContext } from 'node:tls'
import type { KeyPair } from '../base/key-pair.ts'
import type { Autoscaler } from './autoscaler.ts'
import type { FlowFeed } from './flow.ts'
import type { ConfigReader, KindId } from './kind.ts'
import type { PodTable, RevisionDoors } from './serving.ts'

/** Brings the world in line with one object. Called again whenever the object, or anything it read, changes. */
export interface Reconciler<Object extends Resource = Resource> {
  /**
   * Reads the present, marks conditions, declares children and workers; harmless to repeat.
   * `object` is a private copy: change `object.status` freely, the controller stores it if it differs.
   * A thrown error is retried with back-off; a `TerminalError` waits for the next edit.
   */
  reconcile(object: Object, context: ReconcileContext): Promise<void>
  /**
   * Cleans up outside effects before the object goes. Its presence gives the kind a finalizer. `'later'`: it is not done
   * yet, and is called again by the next change or `requeue`; the status it leaves is stored.
   */
  finalize?(object: Object, context: ReconcileContext): Promise<void | 'later'>
  /** Workers of a deleted object go on until `finalize` is done. @default false: they have stopped when it is called */
  readonly finalizesWithWorkers?: boolean
  /** Condition types that `Ready` depends on, and those that only inform. Absent: the kind has no conditions. */
  readonly conditions?: { dependents: readonly string[]; info?: readonly string[] }
  /** Objects of classes that others look after get no call, no finalizer and no status. @default all are ours */
  isOurs?(object: Object): boolean
  /**
   * Holds back the first `Ready: True` of an object until it is this old, in milliseconds: kn before 1.14 waits for ever
   * when the object is Ready before kn's first look at it. @default 0
   */
  readonly firstReadyAfterMs?: number
}

export interface ReconcileContext {
  conditions: Conditions
  /** Reads the cache; a later change of that object (or its appearing) reconciles this one again. */
  get<Object extends Resource>(kind: KindId, namespace: string, name: string): Object | undefined
  /** All objects of a kind in a namespace (absent: all); any change among them reconciles this one again. */
  list<Object extends Resource>(kind: KindId, namespace?: string): Object[]
  /**
   * Objects of a kind that `owner` controls (owner reference with `controller: true`), by namespace and name; any change
   * among them reconciles this one again. Prefer it to `list`: it costs nothing while others' children change.
   * @param owner @default this object
   */
  children<Object extends Resource>(kind: KindId, owner?: Resource): Object[]
  /**
   * The address a destination means now; followed like `get`. Relative references are in `namespace`.
   * @throws {KnodeError} NOT_ADDRESSABLE or NOT_FOUND with upstream's message.
   */
  resolve(destination: Destination, namespace: string): Addressable & { url: string }
  workers: Workers
  /** Creates or updates a child; only the given fields count. Returns the stored object. */
  apply<Object extends Resource>(child: Object): Promise<Object>
  /** Deletes a child; fine when it is gone. */
  remove(kind: KindId, namespace: string, name: string): Promise<void>
  /** Records a Kubernetes Event on the object. */
  event(type: 'Normal' | 'Warning', reason: string, message: string): void
  /** Reconcile again after this long, at the latest. */
  requeueAfter(delayMs: number): void
  /** Reconcile again now. May be kept and called at any later time, e.g. by a worker whose state changed. */
  requeue(): void
}

/** Conditions of one object, with the rules of knative/pkg apis/condition_set.go. */
export interface Conditions {
  markTrue(type: string, reason?: string, message?: string): void
  markFalse(type: string, reason: string, message: string): void
  markUnknown(type: string, reason: string, message: string): void
  status(type: string): 'True' | 'False' | 'Unknown' | undefined
}

/** Data-plane parts of one object: named, restarted when their spec changes, stopped with the object. */
export interface Workers {
  /**
   * Makes sure that a worker of this name runs with this spec (compared as JSON): an equal one is left alone, a changed
   * one is stopped before `start` makes the new one.
   */
  ensure<Spec>(name: string, spec: Spec, start: (spec: Spec) => Promise<AsyncDisposable>): Promise<void>
  stop(name: string): Promise<void>
  stopAll(): Promise<void>
}

/** What a kind may use. */
export interface KindDeps {
  client: ResourceClient
  config: ConfigReader
  caches: Caches
  transport: EventTransport
  delivery: DeliveryEngine
  runtime: WorkloadRuntime
  endpoints: EndpointTable
  certificates: CertificateTable
  pods: PodTable
  revisions: RevisionDoors
  autoscaler: Autoscaler
  addresses: Addresses
  /** Where volumes of Pods are: below it, each Pod has a directory named by its uid. It need not exist yet. */
  podDirectory: string
  clock: Clock
  random: Random
  log: Logger
  metrics: Metrics
  flow: FlowFeed
}

/** Untracked reads of the informers' caches, for data planes. */
export interface Caches {
  get<Object extends Resource>(kind: KindId, namespace: string, name: string): Object | undefined
  list<Object extends Resource>(kind: KindId, namespace?: string): Object[]
}

/** Writes objects with the semantics of the API: defaults, validation, generation, conflicts. Reads the store. */
export interface ResourceClient {
  get<Object extends Resource>(kind: KindId, namespace: string, name: string): Promise<Object | undefined>
  list<Object extends Resource>(kind: KindId, namespace?: string): Promise<Object[]>
  create<Object extends Resource>(object: Object): Promise<Object>
  /** @throws {ConflictError} when the resourceVersion is given and no longer current. */
  update<Object extends Resource>(object: Object): Promise<Object>
  updateStatus<Object extends Resource>(object: Object): Promise<Object>
  /** JSON merge patch (RFC 7386). */
  patch<Object extends Resource>(kind: KindId, namespace: string, name: string, patch: object): Promise<Object>
  delete(kind: KindId, namespace: string, name: string, options?: RemovalOptions): Promise<void>
  /** Stores a Namespace's `spec.finalizers`: a deleting one without any goes. */
  finalize<Object extends Resource>(object: Object): Promise<Object>
}

export interface RemovalOptions {
  /** Only this very object, not a namesake that came after it. @throws {StatusError} 409 Conflict otherwise */
  uid?: string
  /** What becomes of the objects it owns. @default 'Background' */
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan'
}

/** Where this process can be reached. URLs have no trailing slash. */
export interface Addresses {
  /** `http://127.0.0.1:7481` */
  gatewayUrl: string
  /** `http://127.0.0.1:7480` */
  apiUrl: string
  /** Domain suffix and port of public Service URLs: `127.0.0.1.sslip.io:7481`. */
  serviceDomain: string
}

// --- delivery ---

/** Delivers a stream's events to one subscriber, as a Trigger or Subscription asks. Plain data: compared as JSON. */
export interface DispatchSpec {
  /** What it is, for logs, metrics and Events. */
  owner: { kind: KindId; namespace: string; name: string; uid: string }
  stream: string
  /** Name of the position in the stream; keep it stable, e.g. the owner's uid. */
  consumer: string
  /** `trigger`: answers that are no event fail the delivery, the hop count is kept; `subscription`: they are ignored. */
  contract: 'trigger' | 'subscription'
  /** Filters of a Trigger's spec. */
  filter?: { attributes?: Record<string, string> }
  filters?: unknown[]
  /** Annotations `knode.dev/*` of the owner. */
  annotations?: Record<string, string>
  subscriber?: Addressable & { url: string }
  reply?: Addressable & { url: string }
  deadLetter?: Addressable & { url: string }
  delivery?: DeliverySpec
}

export interface DeliveryEngine {
  /** Starts delivering; disposing it stops and keeps the position. */
  dispatch(spec: DispatchSpec): Promise<AsyncDisposable>
  /** Forgets the consumer's position, when its owner is gone. */
  forget(stream: string, consumer: string): Promise<void>
  /** Why a consumer's events wait now though nobody paused it; `undefined` when they do not. */
  trouble(consumer: string): DeliveryTrouble | undefined
  /** Calls `listener` when the answer of {@link trouble} changes, until disposed. It must not throw. */
  onTrouble(consumer: string, listener: () => void): Disposable
  /**
   * Sends one event with the retry rules of Knative's sources (see sources-and-sinks reference): for adapters.
   * Never throws: the outcome says what happened.
   */
  send(event: CloudEvent, target: Addressable & { url: string }, options?: SendOptions): Promise<SendOutcome>
  /** The door of a Broker: stamps arrival time, counts hops down, appends. The same endpoint for the same stream. */
  brokerEndpoint(options: EndpointOptions): EventEndpoint
  /** The door of a channel: appends the event as it is. */
  channelEndpoint(options: EndpointOptions): EventEndpoint
}

/** What is wrong with a consumer's subscriber. */
export interface DeliveryTrouble {
  /** For conditions and Events. */
  reason: 'SubscriberDoesNotAnswer' | 'SubscriberDoesNotConsent' | 'SubscriberGone' | 'TooManyEventsWait'
  /** Names the subscriber's URL. */
  message: string
}

export interface EndpointOptions {
  namespace: string
  name: string
  stream: EventStream
  /** Brokers only: events of a source and id stored within this time are taken and not stored again. Absent: all are. */
  dedupMs?: number
}

export interface SendOptions {
  /** Namespace of the sender, sent as `Kn-Namespace`. */
  namespace?: string
  /** Retries after the first try. @default 5 */
  retries?: number
  /** First wait, doubled each time, in milliseconds. @default 50 */
  backoffDelayMs?: number
  signal?: AbortSignal
}

export type SendOutcome = { kind: 'accepted'; status: number } | { kind: 'failed'; status?: number; reason: string }

// --- gateway ---

/** Takes events for a Broker or Channel. */
export interface EventEndpoint {
  kind: 'events'
  /**
   * Takes the event or says why not; `status` and `message` are the HTTP answer. `given`: nobody else has the event, so
   * that it may be changed in place.
   */
  accept(message: EventMessage, options?: { given?: boolean }): Promise<AcceptResult>
  /** Whether `accept` may be called now, before the body is read: 404, 503 … otherwise. */
  refusal?(): AcceptResult | undefined
}

export interface AcceptResult {
  status: number
  message?: string
  /** Seconds, for a `Retry-After` header. */
  retryAfterSeconds?: number
}

/** Anything else behind the gateway: a serving Service, an external name. */
export interface HttpEndpoint {
  kind: 'http'
  handle(request: IncomingMessage, response: ServerResponse, options?: ForwardOptions): void
  upgrade?(request: IncomingMessage, socket: Duplex, head: Buffer, options?: ForwardOptions): void
}

/** What a route changes of a request on its way. */
export interface ForwardOptions {
  /** Headers that are set, whatever the client sent. Names in lower case. */
  setHeaders?: Readonly<Record<string, string>>
  /** Takes the place of the Host header. */
  host?: string
}

export type Endpoint = EventEndpoint | HttpEndpoint

/** A door that is there but closed for now. */
export function closedEndpoint(message: string, status = 503): EventEndpoint {
  const refusal: AcceptResult = { status, message }
  return { kind: 'events', accept: () => Promise.resolve(refusal), refusal: () => refusal }
}

export interface EndpointTable {
  /** `host` in lower case and without port, `path` without query. `isSecure`: asked by https. @default false */
  find(host: string, path: string, isSecure?: boolean): Endpoint | undefined
  /** Providers are asked in the order they were added. Disposing removes it. */
  add(provider: EndpointProvider): Disposable
}

export interface EndpointProvider {
  /** `host` is `''` when the request names the gateway itself by address. */
  find(host: string, path: string, isSecure?: boolean): Endpoint | undefined
}

/** A certificate for some hosts; `*.` at the beginning of one means any one part. */
export interface HostCertificate {
  hosts: readonly string[]
  /** Checked. The same object means that nothing has changed. Absent: what the owner's hosts had stays. */
  pair?: KeyPair
}

/** Which certificate the gateway shows to TLS clients. */
export interface CertificateTable {
  /** Puts these in the place of the owner's former ones. */
  program(ownerId: string, certificates: readonly HostCertificate[]): void
  /** Takes all of an owner out. */
  withdraw(ownerId: string): void
  /** `serverName` in lower case. */
  find(serverName: string): SecureContext | undefined
}
