// The autoscaler as the others meet it: the rules of one Revision, who looks after it, and what it tells.
import type { KindId } from './kind.ts'

/**
 * `kpa`: by requests, to zero. `xpa`: the same with warm spares. `hpa`: by processor or memory, never to zero.
 */
export type ScalerClass = 'kpa' | 'hpa' | 'xpa'

/** All that annotations, ConfigMaps and the spec say of one Revision's scale. Plain data. */
export interface ScaleSettings {
  class: ScalerClass
  /** `concurrency` or `rps`; `cpu`, `memory` or anything else for hpa. */
  metric: string
  algorithm: 'linear' | 'weighted-exponential'
  /** What one instance should have of the metric. For hpa: percent of the processor time asked for, or MiB. */
  target: number
  /** What one instance can bear of it. */
  total: number
  stableWindowMs: number
  panicWindowMs: number
  /** Times what the ready instances are meant for, at which panic begins. */
  panicThreshold: number
  maxScaleUpRate: number
  maxScaleDownRate: number
  /** Requests that a burst may bring without warning; -1 is any number. */
  targetBurstCapacity: number
  activatorCapacity: number
  scaleDownDelayMs: number
  minScale: number
  /** 0 is no bound. */
  maxScale: number
  initialScale: number
  /** Instances to begin with when there are to be any; 0 is no such rule. */
  activationScale: number
  /** Whether traffic may reach the Revision. */
  isReachable: boolean
  scaleToZero: boolean
  scaleToZeroGraceMs: number
  /** How long the last instance stays at least. */
  podRetentionMs: number
  /** How long a start may take before it is given up. */
  activationTimeoutMs: number
  /** Warm instances beyond what the load asks for. */
  podBuffer: number
  /** How long an instance that is not needed lingers. */
  gcTimeMs: number
  /** hpa only: how long a greater wish is waited for before growing, a smaller one before shrinking. */
  stabilization: { upMs: number; downMs: number }
}

/** Whether a Revision serves: `activating` is condition Active Unknown, the others True and False. */
export type Activity = 'activating' | 'active' | 'inactive'

export type ProxyMode = 'Proxy' | 'Serve'

/** What a scaler came to. Changes only with a decision, never with a mere measurement. */
export interface ScaleState {
  /** Instances there should be; -1 while that is not known. */
  readonly want: number
  readonly ready: number
  readonly activity: Activity
  /** For condition Active. */
  readonly reason: string
  readonly message: string
  /** Whether it was ever as large as it had to be at first. */
  readonly isInitialized: boolean
  readonly mode: ProxyMode
  readonly activators: number
  /** Why, in sentences, as of the decision. */
  readonly words: string
}

/** What a scaler is told by the reconciler of its PodAutoscaler, again whenever it changes. */
export interface ScalerRules {
  settings: ScaleSettings
  /** Labels of the Pods. */
  selector: Readonly<Record<string, string>>
  /** For metrics. */
  service: string
  configuration: string
  /** What one instance's containers ask for of the processor, in thousandths; hpa measures by it. */
  cpuRequestMillis?: number
}

export interface ScalerOptions {
  /** The Revision's, and the PodAutoscaler's. */
  namespace: string
  name: string
  /** What has the replicas. */
  target: { kind: KindId; name: string }
  rules: ScalerRules
  /** What was stored before Knode started; absent for a new Revision. */
  before?: { activity: Activity; isInitialized: boolean }
  /** {@link ScaleState} has changed. It must not throw. */
  onChange: () => void
}

/** Looks after the replicas of one Revision until disposed. */
export interface Scaler extends AsyncDisposable {
  readonly state: ScaleState
  /** Also looks at the replicas as they are stored, and puts them right. */
  configure(rules: ScalerRules): void
}

/** Decides how many instances each Revision has. */
export interface Autoscaler extends AsyncDisposable {
  open(options: ScalerOptions): Scaler
  /** How one Revision's scale stands at this moment; `undefined` when nobody looks after it. */
  snapshot(namespace: string, name: string): ScaleSnapshot | undefined
}

/** Everything that tells why a Revision has as many instances as it has. Plain data. */
export interface ScaleSnapshot {
  namespace: string
  name: string
  settings: ScaleSettings
  ready: number
  /** As stored in the Deployment; absent when there is none. */
  replicas?: number
  want: number
  activity: Activity
  activityForMs: number
  isInitialized: boolean
  mode: ProxyMode
  activators: number
  /** Requests waiting or being worked on. */
  inFlight: number
  /** The last decision on measurements; absent when there was none yet. */
  decision?: DecisionFacts & { agoMs: number }
  /** What the decision was bent by, in order. */
  bounds: BoundFact[]
  /** When zero instances will be reached if no request comes; absent when never, or when it is not to be foreseen. */
  zeroInMs?: number
  /** Nothing is measured until a request comes. */
  isResting: boolean
}

/** Numbers of one decision. */
export interface DecisionFacts {
  /** Average over the stable window, and over the panic window (hpa: the same). */
  stable: number
  panic: number
  /** Ready instances it was made with. */
  ready: number
  /** What the averages ask for, before any rule. */
  wantStable: number
  wantPanic: number
  /** Least and most that one decision may come to. */
  floor: number
  ceiling: number
  /** Time left in panic if the load stays; absent when not in panic. */
  panicLeftMs?: number
  panicPeak: number
  /** What it came to. */
  desired: number
  /** Without scale-down-delay. */
  undelayed: number
  excessBurstCapacity: number
}

/** One rule that changed the number, and what it was made to. */
export interface BoundFact {
  rule:
    | 'min-scale'
    | 'max-scale'
    | 'initial-scale'
    | 'scale-to-zero-disabled'
    | 'activating'
    | 'idle-window'
    | 'grace-period'
    | 'pod-retention'
    | 'activation-failed'
    | 'no-data'
    | 'no-measure'
  to: number
  /** How long it holds at most from now. */
  leftMs?: number
}
