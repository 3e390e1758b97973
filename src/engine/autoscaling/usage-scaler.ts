// Scales one Revision by what its instances use of processor or memory, never to zero: class hpa. Source: knative/serving
// pkg/reconciler/autoscaling/hpa.
import { isDeepStrictEqual } from 'node:util'
import { isDoneWithin } from '../../base/clock.ts'
import type {
  BoundFact,
  DecisionFacts,
  ScaleSnapshot,
  ScaleState,
  Scaler,
  ScalerOptions,
  ScalerRules,
} from '../autoscaler.ts'
import type { PodEndpoint } from '../serving.ts'
import { active, activeThreshold } from './bound-scale.ts'
import { decideUsage } from './decide-usage.ts'
import type { UsageDecision } from './decide-usage.ts'
import { stateWords } from './explain-scale.ts'
import { ReadyCount } from './ready-count.ts'
import { ReplicaWriter } from './replica-writer.ts'
import { isSameState } from './scale-state.ts'
import type { ScalerDeps } from './scaler-deps.ts'
import type { Ticked } from './ticker.ts'

/** Time between two looks, as Kubernetes' own autoscaler. */
const lookMs = 15_000
/** How long an instance may take to tell what it uses: less than the time between two looks. */
const answerMs = 10_000
/** Until replicas that could not be set are tried again. */
const retryMs = 1_000
const bytesPerMebibyte = 1_048_576
/** What an instance is taken to ask for that asks for nothing: one processor. */
const cpuRequestMillisDefault = 1_000

/** Processor time of a Pod at a look. */
interface CpuLook {
  cpuMs: number
  atMs: number
}

export class UsageScaler implements Scaler, Ticked {
  #options: ScalerOptions
  #deps: ScalerDeps
  #rules: ScalerRules
  #replicas: ReplicaWriter
  #ready: ReadyCount
  #openedMs: number
  #isInitialized: boolean
  #decision: UsageDecision | undefined
  #decidedMs = 0
  #bounds: BoundFact[] = []
  #state: ScaleState | undefined
  /** By uid of the Pod. */
  #cpu = new Map<string, CpuLook>()
  #nextLookMs = Number.NEGATIVE_INFINITY
  #isClosed = false

  constructor(options: ScalerOptions, deps: ScalerDeps) {
    const { namespace, name, rules, before } = options
    this.#options = options
    this.#deps = deps
    this.#rules = rules
    this.#openedMs = deps.clock.monotonicMs()
    this.#isInitialized = before?.isInitialized ?? false
    const log = deps.log.child({ namespace, name })
    this.#replicas = new ReplicaWriter({ ...options, ...deps, log })
    this.#ready = new ReadyCount(deps.pods, namespace, () => this.#check())
    this.#ready.follow(rules.selector)
    this.#check()
    this.tick()
  }

  get state(): ScaleState {
    // The constructor has made it.
    return this.#state!
  }

  get rules(): ScalerRules {
    return this.#rules
  }

  configure(rules: ScalerRules): void {
    if (!isDeepStrictEqual(rules, this.#rules)) {
      if (rules.settings.metric !== this.#rules.settings.metric) this.#decision = undefined
      this.#rules = rules
      this.#ready.follow(rules.selector)
    }
    this.#check()
  }

  #check(): void {
    if (this.#isClosed) return
    const want = this.#want()
    this.#replicas.set(want)
    if (this.#ready.count >= activeThreshold(this.#rules.settings, this.#isInitialized)) this.#isInitialized = true
    const state = this.#nextState(want)
    if (this.#state !== undefined && isSameState(state, this.#state)) return
    this.#state = { ...state, words: stateWords(this.snapshot(), this.#deps.clock.now()) }
    this.#options.onChange()
  }

  tick(): void {
    const { ticker, clock } = this.#deps
    const nowMs = clock.monotonicMs()
    if (nowMs >= this.#nextLookMs) {
      this.#nextLookMs = nowMs + lookMs
      void this.#look().then(() => this.#check())
    } else this.#check()
    ticker.set(this, Math.min(this.#nextLookMs, nowMs + (this.#replicas.isSettled ? lookMs : retryMs)))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    this.#deps.ticker.delete(this)
    this.#ready[Symbol.dispose]()
    await this.#replicas.close()
  }

  snapshot(): ScaleSnapshot {
    const { namespace, name } = this.#options
    const nowMs = this.#deps.clock.monotonicMs()
    const { words: _, reason: __, message: ___, ...state } = this.#nextState(this.#want())
    const replicas = this.#replicas.stored
    const facts = this.#facts()
    return {
      namespace,
      name,
      settings: this.#rules.settings,
      ...state,
      ...(replicas === undefined ? {} : { replicas }),
      activityForMs: nowMs - this.#openedMs,
      inFlight: this.#deps.revisions.find(namespace, name)?.inFlight ?? 0,
      ...(facts === undefined ? {} : { decision: { ...facts, agoMs: nowMs - this.#decidedMs } }),
      bounds: this.#bounds,
      isResting: false,
    }
  }

  /** Asks the instances what they use. */
  async #look(): Promise<void> {
    const { settings } = this.#rules
    const pods = this.#ready.list()
    const usages = await Promise.all(pods.map((pod) => this.#usageOf(pod)))
    const uids = new Set(pods.map(({ uid }) => uid))
    for (const uid of this.#cpu.keys()) if (!uids.has(uid)) this.#cpu.delete(uid)
    // Another unit is wanted by now: its wishes must not be held against these.
    if (settings.metric !== this.#rules.settings.metric) return
    const nowMs = this.#deps.clock.monotonicMs()
    const known = usages.filter((usage) => usage !== undefined)
    const replicas = this.#replicas.stored ?? 1
    const decision = decideUsage({ nowMs, replicas, usages: known }, settings, this.#decision?.wishes ?? [])
    if (decision === undefined) return
    this.#decision = decision
    this.#decidedMs = nowMs
  }

  /** In the unit of the target; `undefined` when it cannot be told, or not yet. */
  async #usageOf(pod: PodEndpoint): Promise<number | undefined> {
    const { settings, cpuRequestMillis = cpuRequestMillisDefault } = this.#rules
    const asked = pod.usage?.().catch(() => undefined)
    // A container engine that hangs must not be the end of all judging.
    if (asked === undefined || !(await isDoneWithin(this.#deps.clock, answerMs, asked))) return undefined
    const usage = await asked
    if (usage === undefined) return undefined
    if (settings.metric === 'memory') return usage.memoryBytes / bytesPerMebibyte
    if (settings.metric !== 'cpu') return undefined
    const atMs = this.#deps.clock.monotonicMs()
    const before = this.#cpu.get(pod.uid)
    this.#cpu.set(pod.uid, { cpuMs: usage.cpuMs, atMs })
    if (before === undefined || atMs <= before.atMs) return undefined
    const millis = ((usage.cpuMs - before.cpuMs) / (atMs - before.atMs)) * 1_000
    return (Math.max(0, millis) / cpuRequestMillis) * 100
  }

  #want(): number {
    const { minScale, maxScale, initialScale, isReachable, metric } = this.#rules.settings
    const isStarting = initialScale > 1 && !this.#isInitialized && isReachable
    const desired = this.#decision?.desired ?? Math.max(1, this.#replicas.stored ?? 1)
    const least = Math.max(1, minScale, isStarting ? initialScale : 0)
    this.#bounds = []
    if (metric !== 'cpu' && metric !== 'memory') this.#bounds.push({ rule: 'no-measure', to: desired })
    if (desired < least) {
      this.#bounds.push({ rule: isStarting && initialScale > minScale ? 'initial-scale' : 'min-scale', to: least })
      return least
    }
    if (maxScale === 0 || desired <= maxScale) return desired
    this.#bounds.push({ rule: 'max-scale', to: maxScale })
    return maxScale
  }

  #nextState(want: number): ScaleState {
    // Kubernetes' own autoscaler knows no activator: instances serve, and all activators are assigned.
    const fixed = { mode: 'Serve', activators: 0, words: '' } as const
    return { want, ready: this.#ready.count, ...active, isInitialized: this.#isInitialized, ...fixed }
  }

  #facts(): DecisionFacts | undefined {
    if (this.#decision === undefined) return undefined
    const { average, wanted, desired } = this.#decision
    const same = { stable: average, panic: average, wantStable: wanted, wantPanic: wanted, desired, undelayed: desired }
    return { ...same, ready: this.#ready.count, floor: 1, ceiling: desired, panicPeak: 0, excessBurstCapacity: 0 }
  }
}
