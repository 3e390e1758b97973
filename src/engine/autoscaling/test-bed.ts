// For tests: one Revision with its door, its Deployment, and Pods that start as fast as told, all on a fake clock.
import { FakeClock } from '../../base/fake-clock.ts'
import { createLogger } from '../../base/log.ts'
import { createMetrics } from '../../base/metrics.ts'
import type { Metrics } from '../../base/metrics.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import type { Autoscaler, ScaleSnapshot, Scaler, ScalerOptions } from '../autoscaler.ts'
import { createPodTable } from '../pod-table.ts'
import type { Caches, ResourceClient } from '../reconciler.ts'
import type { PodTable, PodUsage, RegisteredPod, RevisionDoor, RevisionDoors } from '../serving.ts'
import { createAutoscaler } from './autoscaler.ts'
import { settingsOf } from './test-settings.ts'
import type { SettingsOptions } from './test-settings.ts'

const namespace = 'shop'
const selector = { 'serving.knative.dev/revisionUID': 'uid-1' }
const deploymentKind = 'Deployment.apps'

export interface ScalerBedOptions extends SettingsOptions {
  before?: NonNullable<ScalerOptions['before']>
  /** As stored at the beginning. @default 1 */
  replicas?: number
  /** Until a Pod that was made is ready; absent: for ever. @default 1_000 */
  podStartMs?: number | undefined
  /** @default true */
  hasDoor?: boolean
  /** What each Pod has used at a time, in milliseconds since the beginning. */
  usage?: (atMs: number) => PodUsage | Promise<PodUsage>
  cpuRequestMillis?: number
}

export interface ScalerBed extends AsyncDisposable {
  clock: FakeClock
  autoscaler: Autoscaler
  scaler: Scaler
  metrics: Metrics
  pods: PodTable
  /** Every write of replicas: `SECONDS: REPLICAS`. */
  writes: string[]
  /** How often the reconciler was told to look. */
  changes: number
  warnings: string[]
  /** Requests in the house from now on; as many new ones came. */
  load(concurrency: number): void
  /** Requests that came and went at once. */
  requests(count: number): void
  /** Opens or closes the door. */
  setDoor(isOpen: boolean): void
  configure(options: SettingsOptions): void
  snapshot(): ScaleSnapshot
  readonly replicas: number
  readonly ready: number
  /** Somebody else writes them. */
  setReplicas(replicas: number): void
  failWrites(message: string | undefined): void
  failPods(): void
}

export function aScalerBed(options: ScalerBedOptions = {}): ScalerBed {
  const clock = new FakeClock()
  const podStartMs = 'podStartMs' in options ? options.podStartMs : 1_000
  const warnings: string[] = []
  const log = createLogger({ level: 'warn', clock, write: (line) => void warnings.push(line) })
  const metrics = createMetrics()
  const pods = createPodTable({ clock })
  const running: RegisteredPod[] = []
  const writes: string[] = []
  let version = 1
  let made = 0
  let failure: string | undefined
  let replicas = options.replicas ?? 1

  const deployment = (): Resource => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'hello-00001-deployment', namespace, uid: 'uid-d', resourceVersion: String(version) },
    spec: { replicas },
  })
  const adjustPods = (): void => {
    while (running.length > replicas) running.pop()!.remove()
    while (running.length < replicas) {
      const name = `hello-${++made}`
      const usage = options.usage && (() => Promise.resolve(options.usage!(clock.monotonicMs())))
      const presence = { namespace, name, uid: name, labels: selector, host: '127.0.0.1', ports: new Map() }
      const pod = pods.register({
        ...presence,
        portNames: new Map(),
        isReady: false,
        ...(usage === undefined ? {} : { usage }),
      })
      running.push(pod)
      if (podStartMs !== undefined)
        clock.setTimer(podStartMs, () => running.includes(pod) && pod.update({ isReady: true }))
    }
  }
  const setReplicas = (wanted: number): void => {
    replicas = wanted
    version++
    adjustPods()
  }
  adjustPods()

  const caches = {
    get: (kind: string) => (kind === deploymentKind ? deployment() : undefined),
    list: () => [],
  } as unknown as Caches
  const client = {
    patch(_kind: string, _namespace: string, _name: string, patch: { spec: { replicas: number } }) {
      if (failure !== undefined) return Promise.reject(new Error(failure))
      writes.push(`${clock.monotonicMs() / 1_000}: ${patch.spec.replicas}`)
      setReplicas(patch.spec.replicas)
      return Promise.resolve(deployment())
    },
  } as unknown as ResourceClient

  const house = aDoor(clock)
  const doorWatchers = new Set<() => void>()
  let isOpen = options.hasDoor ?? true
  const revisions: RevisionDoors = {
    open: () => {
      throw new Error('not expected')
    },
    find: () => (isOpen ? house.door : undefined),
    watch(_namespace, _name, listener) {
      doorWatchers.add(listener)
      return { [Symbol.dispose]: () => void doorWatchers.delete(listener) }
    },
  }
  const autoscaler = createAutoscaler({ caches, client, clock, log, metrics, pods, revisions })
  const rulesOf = (given: SettingsOptions): ScalerOptions['rules'] => ({
    settings: settingsOf(given),
    selector,
    service: 'hello',
    configuration: 'hello',
    ...(options.cpuRequestMillis === undefined ? {} : { cpuRequestMillis: options.cpuRequestMillis }),
  })
  const counted = { changes: 0 }
  const scaler = autoscaler.open({
    namespace,
    name: 'hello-00001',
    target: { kind: deploymentKind, name: 'hello-00001-deployment' },
    rules: rulesOf(options),
    ...(options.before === undefined ? {} : { before: options.before }),
    onChange: () => void counted.changes++,
  })
  return {
    clock,
    autoscaler,
    scaler,
    metrics,
    pods,
    writes,
    warnings,
    load: house.load,
    requests: house.requests,
    setReplicas,
    configure: (given) => scaler.configure(rulesOf(given)),
    snapshot: () => autoscaler.snapshot(namespace, 'hello-00001')!,
    get changes() {
      return counted.changes
    },
    get replicas() {
      return replicas
    },
    get ready() {
      return pods.select(namespace, selector).filter(({ isReady }) => isReady).length
    },
    setDoor(open) {
      isOpen = open
      for (const listener of doorWatchers) listener()
    },
    failWrites: (message) => void (failure = message),
    failPods: () => running.forEach((pod) => pod.update({ isReady: false })),
    [Symbol.asyncDispose]: () => autoscaler[Symbol.asyncDispose](),
  }
}

function aDoor(clock: FakeClock): {
  door: RevisionDoor
  load: (concurrency: number) => void
  requests: (count: number) => void
} {
  let inFlight = 0
  let requestCount = 0
  let area = 0
  let sinceMs = clock.monotonicMs()
  let areaMs = sinceMs
  let listener: (() => void) | undefined
  const settle = (): void => {
    area += inFlight * (clock.monotonicMs() - areaMs)
    areaMs = clock.monotonicMs()
  }
  const load = (concurrency: number): void => {
    settle()
    const wasEmpty = inFlight === 0
    requestCount += Math.max(0, concurrency - inFlight)
    inFlight = concurrency
    if (wasEmpty && concurrency > 0) listener?.()
  }
  const door = {
    get inFlight() {
      return inFlight
    },
    takeSample() {
      settle()
      const elapsedMs = clock.monotonicMs() - sinceMs
      const sample = { averageConcurrency: elapsedMs === 0 ? inFlight : area / elapsedMs, requestCount }
      area = requestCount = 0
      sinceMs = clock.monotonicMs()
      return sample
    },
    onDemand(given: () => void) {
      listener = given
      return { [Symbol.dispose]: () => void (listener = listener === given ? undefined : listener) }
    },
  } as unknown as RevisionDoor
  const requests = (count: number): void => {
    const before = inFlight
    load(before + count)
    load(before)
  }
  return { door, load, requests }
}
