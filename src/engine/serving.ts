// How the rooms of Serving meet: the Pods that run here, the Revisions in front of them, and what the autoscaler hears.
import type { RequestLogFormat } from '../model/serving/request-log.ts'
import type { HttpEndpoint } from './reconciler.ts'

/** What a Pod's containers have used, all together. */
export interface PodUsage {
  /** Processor time since they started, in milliseconds. */
  cpuMs: number
  /** Memory they hold now. */
  memoryBytes: number
}

/** The network side of a running Pod, as those who send requests see it. */
export interface PodEndpoint {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly labels: Readonly<Record<string, string>>
  /** Where its ports are reached from this process. */
  readonly host: string
  /** The port on `host` that leads to a container port; `undefined` when nothing is known to listen there. */
  portOf(containerPort: number): number | undefined
  /** The container port of that name, of `http` when several containers have one. */
  namedPort(name: string): number | undefined
  /** Passes its probes, and is not on its way out. */
  readonly isReady: boolean
  /** Requests it is working on, counted over all senders. */
  readonly inFlight: number
  acquire(): void
  release(): void
  /** Calls `listener` once, after the next {@link release} by whomever. It must not throw. */
  onceReleased(listener: () => void): Disposable
  /** `undefined` when the system does not tell. */
  usage?(): Promise<PodUsage | undefined>
}

/** What whoever runs a Pod tells of it. */
export interface PodPresence {
  namespace: string
  name: string
  uid: string
  labels: Readonly<Record<string, string>>
  host: string
  /** Container port → port on `host`. */
  ports: ReadonlyMap<number, number>
  portNames: ReadonlyMap<string, number>
  isReady: boolean
  /** Where a container port is reached that is not among `ports`. @default nowhere */
  otherPort?(containerPort: number): number | undefined
  /** Asked by the autoscaler of class hpa. */
  usage?(): Promise<PodUsage | undefined>
}

/** The Pod's entry, held by whoever runs it. */
export interface RegisteredPod {
  update(change: Partial<Pick<PodPresence, 'labels' | 'isReady' | 'host' | 'ports'>>): void
  /** Takes it out of every choice; resolves when it works on no request any more, at the latest after `timeoutMs`. */
  drain(options: { timeoutMs: number }): Promise<void>
  remove(): void
}

/** The Pods that run here. The data plane's Endpoints: readiness is known here before any object says it. */
export interface PodTable {
  register(pod: PodPresence): RegisteredPod
  /** Pods with all these labels, ready or not, by name. An empty selector selects none. */
  select(namespace: string, selector: Readonly<Record<string, string>>): readonly PodEndpoint[]
  /** Calls `listener`, which must not throw, whenever what {@link select} gives, or the readiness of any of it, changes. */
  watch(namespace: string, selector: Readonly<Record<string, string>>, listener: () => void): Disposable
}

export type AppProtocol = 'http1' | 'h2c'

/** How long a request may take. Source: knative/serving pkg/http/handler/timeout.go. */
export interface RequestTimeouts {
  /** From the request's arrival to its end, waiting for an instance included, in milliseconds. */
  totalMs: number
  /** Until the first byte of the answer. */
  responseStartMs?: number
  /** Between two writes of the answer, and before the first. */
  idleMs?: number
}

/** One Revision's door. Plain data: compared as JSON. */
export interface RevisionDoorSpec {
  namespace: string
  name: string
  uid: string
  /** Labels of its Pods. */
  selector: Record<string, string>
  containerPort: number
  protocol: AppProtocol
  /** Requests one instance works on at a time; 0 is no limit. */
  containerConcurrency: number
  timeouts: RequestTimeouts
  /** Names of what it belongs to; absent when it stands alone. */
  service?: string
  configuration?: string
}

/** What went through a door since it was asked last. Source: knative/serving pkg/autoscaler/metrics Stat. */
export interface RequestSample {
  /** Requests waiting or being worked on, averaged over the time. */
  averageConcurrency: number
  /** Requests that arrived. */
  requestCount: number
}

/** What a door writes of each request. */
export interface RequestLogSpec extends RequestLogFormat {
  /** Names of what the Revision belongs to; empty when it stands alone. */
  service: string
  configuration: string
}

/** Where the requests of one Revision pass: they wait for an instance here, and are counted. Activator and queue-proxy. */
export interface RevisionDoor extends HttpEndpoint {
  readonly spec: RevisionDoorSpec
  readonly readyCount: number
  /** Requests waiting or being worked on. */
  readonly inFlight: number
  takeSample(): RequestSample
  /**
   * Calls `listener` at once for a request that finds no other in the house: the autoscaler wakes up on it. It must not
   * throw. One listener at a time, the last one.
   */
  onDemand(listener: () => void): Disposable
  /** Why no instance will come: those who wait are answered 503 with it, and so are new ones. `undefined`: they wait. */
  setTrouble(message: string | undefined): void
  /** From now on a line is written for each request that ends; `undefined`: none is. */
  setRequestLog(spec: RequestLogSpec | undefined): void
}

/** The doors of all Revisions. */
export interface RevisionDoors {
  /** Opens a door; disposing it drains and closes it. One per namespace and name; a second one replaces the first. */
  open(spec: RevisionDoorSpec): RevisionDoor & AsyncDisposable
  find(namespace: string, name: string): RevisionDoor | undefined
  /** Calls `listener`, which must not throw, when the door of that name is opened or closed. */
  watch(namespace: string, name: string, listener: () => void): Disposable
}
