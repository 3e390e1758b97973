// Scales one Revision by its requests, to zero and back: classes kpa and xpa. It sleeps while there is nothing to judge,
// and a request at zero wakes it at once. Sources: knative/serving pkg/autoscaler/scaling/multiscaler.go,
// pkg/reconciler/autoscaling/kpa.
import { isDeepStrictEqual } from 'node:util'
import type { DecisionFacts, ScaleSnapshot, ScaleState, Scaler, ScalerOptions, ScalerRules } from '../autoscaler.ts'
import type { RevisionDoor } from '../serving.ts'
import {
  activating,
  activatorCount,
  active,
  activeThreshold,
  boundScale,
  inactive,
  initialExcessBurstCapacity,
  modeOf,
  nextActivity,
} from './bound-scale.ts'
import type { ActivityState, BoundScale } from './bound-scale.ts'
import { decideScale, memoryWith } from './decide-scale.ts'
import type { ScaleMemory } from './decide-scale.ts'
import { stateWords } from './explain-scale.ts'
import { LoadMeter } from './load-meter.ts'
import { ReadyCount } from './ready-count.ts'
import { ReplicaWriter } from './replica-writer.ts'
import { isSameState } from './scale-state.ts'
import type { ScalerDeps } from './scaler-deps.ts'
import { earlyMsMax } from './ticker.ts'
import type { Ticked } from './ticker.ts'

/** Time between two decisions, in seconds. */
const decisionSeconds = 2
/**
 * After a request at zero: by then the rest of its burst has come, in milliseconds. Upstream's activator reports once a
 * second.
 */
const burstLookMs = 100

export class RequestScaler implements Scaler, Ticked {
  #options: ScalerOptions
  #deps: ScalerDeps
  #rules: ScalerRules
  #replicas: ReplicaWriter
  #ready: ReadyCount
  #meter: LoadMeter
  #memory: ScaleMemory
  #openedMs: number
  #facts: DecisionFacts | undefined
  #decidedMs = 0
  #decidedSecond = Number.NEGATIVE_INFINITY
  /** What was decided last, before bounds; -1 while nothing is known. */
  #desired: number
  #excessBurstCapacity: number
  #activity: ActivityState
  #activeSinceMs: number
  #isInitialized: boolean
  /** Since when requests pass the activator. */
  #proxySinceMs: number | undefined
  #bound: BoundScale
  #state: ScaleState | undefined
  #door: RevisionDoor | undefined
  #demand: Disposable | undefined
  #doorWatch: Disposable
  /** When a request was last seen. */
  #busyMs: number
  #quietUntilMs = 0
  #isClosed = false

  constructor(options: ScalerOptions, deps: ScalerDeps) {
    const { namespace, name, rules, before } = options
    const { clock, revisions } = deps
    const nowMs = clock.monotonicMs()
    this.#options = options
    this.#deps = deps
    this.#rules = rules
    const log = deps.log.child({ namespace, name })
    this.#replicas = new ReplicaWriter({ ...options, ...deps, log })
    this.#ready = new ReadyCount(deps.pods, namespace, () => this.#check())
    this.#ready.follow(rules.selector)
    this.#meter = new LoadMeter(rules.settings)
    this.#openedMs = this.#activeSinceMs = this.#busyMs = this.#proxySinceMs = nowMs
    this.#isInitialized = before?.isInitialized ?? false
    // What was at zero stays there; what ran comes up as it was, and gets a window's time to prove its use.
    const replicas = this.#isInitialized ? (this.#replicas.stored ?? 0) : this.#ready.count
    const wasAtZero = before?.activity === 'inactive' || (this.#isInitialized && replicas === 0)
    this.#activity = wasAtZero ? inactive : before?.activity === 'active' ? active : activating
    this.#desired = wasAtZero ? 0 : -1
    this.#memory = memoryWith(replicas, nowMs)
    this.#excessBurstCapacity = initialExcessBurstCapacity(rules.settings)
    this.#bound = this.#boundNow(nowMs)
    this.#doorWatch = revisions.watch(namespace, name, () => this.#attach())
    this.#attach()
    this.#wake()
    this.#evaluate()
  }

  get state(): ScaleState {
    // The constructor has made it.
    return this.#state!
  }

  get rules(): ScalerRules {
    return this.#rules
  }

  configure(rules: ScalerRules): void {
    if (isDeepStrictEqual(rules, this.#rules)) return this.#check()
    this.#rules = rules
    this.#meter.configure(rules.settings)
    this.#ready.follow(rules.selector)
    this.#wake()
    this.#evaluate()
  }

  #check(): void {
    if (this.#isClosed) return
    this.#evaluate()
    if (!this.#isAtRest()) this.#wake()
  }

  tick(): void {
    const nowMs = this.#deps.clock.monotonicMs()
    const second = Math.floor((nowMs + earlyMsMax) / 1_000)
    this.#measure(second, nowMs)
    const held = this.#door?.inFlight ?? 0
    if (this.#ready.count === 0 && held > 0) this.#decide({ stable: held, panic: held }, second)
    else if (second - this.#decidedSecond >= decisionSeconds) this.#decideByAverages(second, nowMs)
    this.#evaluate()
    if (!this.#isAtRest()) this.#deps.ticker.set(this, (second + 1) * 1_000)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    this.#deps.ticker.delete(this)
    this.#doorWatch[Symbol.dispose]()
    this.#demand?.[Symbol.dispose]()
    this.#ready[Symbol.dispose]()
    await this.#replicas.close()
  }

  #attach(): void {
    const { namespace, name } = this.#options
    const door = this.#deps.revisions.find(namespace, name)
    if (door === this.#door) return
    this.#demand?.[Symbol.dispose]()
    this.#door = door
    this.#demand = door?.onDemand(() => this.#onDemand())
    // Whatever it counted before nobody looked is no sample of a second.
    door?.takeSample()
    if ((door?.inFlight ?? 0) > 0) this.#onDemand()
  }

  /** A request found nobody in the house. Where instances stand, the next second will tell of it. */
  #onDemand(): void {
    const { clock, ticker } = this.#deps
    this.#wake()
    if (this.#desired > 0) return
    const nowMs = clock.monotonicMs()
    const held = Math.max(1, this.#door?.inFlight ?? 0)
    this.#busyMs = nowMs
    this.#quietUntilMs = nowMs + burstLookMs - earlyMsMax
    this.#decide({ stable: held, panic: held }, Math.floor(nowMs / 1_000))
    this.#evaluate()
    ticker.set(this, nowMs + burstLookMs)
  }

  #wake(): void {
    const { clock, ticker } = this.#deps
    if (ticker.has(this)) return
    const second = Math.floor(clock.monotonicMs() / 1_000)
    this.#door?.takeSample()
    this.#meter.begin(second, this.#facts !== undefined && this.#ready.count > 0)
    ticker.set(this, (second + 1) * 1_000)
  }

  #measure(second: number, nowMs: number): void {
    if (!this.#meter.isDue(second)) return
    const { stableWindowMs } = this.#rules.settings
    const sample = this.#door?.takeSample()
    // A Revision without a door gets no requests; one whose door is about to open is not judged yet.
    if (sample === undefined && nowMs - this.#openedMs <= stableWindowMs) return
    if ((sample?.requestCount ?? 0) > 0 || (sample?.averageConcurrency ?? 0) > 0) this.#busyMs = nowMs
    this.#meter.record(second, sample ?? { averageConcurrency: 0, requestCount: 0 })
  }

  #decideByAverages(second: number, nowMs: number): void {
    const { targetBurstCapacity, stableWindowMs } = this.#rules.settings
    const isUnmeasured = !this.#meter.hasData(second)
    if (isUnmeasured && targetBurstCapacity !== -1) return
    if (isUnmeasured && nowMs - this.#openedMs <= stableWindowMs) return
    this.#decide(this.#meter.averages(second), second)
  }

  #decide(averages: { stable: number; panic: number }, second: number): void {
    const nowMs = this.#deps.clock.monotonicMs()
    const input = { ...averages, nowMs, ready: this.#ready.count }
    const { facts, memory } = decideScale(input, this.#rules.settings, this.#memory)
    this.#memory = memory
    this.#facts = facts
    this.#desired = facts.desired
    this.#excessBurstCapacity = facts.excessBurstCapacity
    this.#decidedMs = nowMs
    this.#decidedSecond = second
  }

  #evaluate(): void {
    const nowMs = this.#deps.clock.monotonicMs()
    const { settings } = this.#rules
    const ready = this.#ready.count
    this.#bound = this.#boundNow(nowMs)
    const { want, isApplied } = this.#bound
    if (isApplied) this.#replicas.set(want)
    const threshold = activeThreshold(settings, this.#isInitialized)
    if (ready >= threshold) this.#isInitialized = true
    const next = nextActivity({ want, ready, threshold, before: this.#activity })
    if (next.activity !== this.#activity.activity) this.#activeSinceMs = nowMs
    this.#activity = next
    const isProxied = modeOf(want, this.#excessBurstCapacity) === 'Proxy' || ready === 0
    this.#proxySinceMs = isProxied ? (this.#proxySinceMs ?? nowMs) : undefined
    const state = this.#nextState()
    if (this.#state !== undefined && (isSameState(state, this.#state) || this.#isQuiet(nowMs))) return
    this.#state = { ...state, words: stateWords(this.snapshot(), this.#deps.clock.now()) }
    this.#options.onChange()
  }

  /** A start from zero is told when its instance is ready, or takes long: until then only that instance counts. */
  #isQuiet(nowMs: number): boolean {
    return nowMs < this.#quietUntilMs && this.#ready.count === this.#state?.ready
  }

  #boundNow(nowMs: number): BoundScale {
    const input = {
      desired: this.#desired,
      activity: this.#activity.activity,
      activityForMs: nowMs - this.#activeSinceMs,
      isInitialized: this.#isInitialized,
      proxyForMs: this.#proxySinceMs === undefined ? undefined : nowMs - this.#proxySinceMs,
    }
    const bound = boundScale(input, this.#rules.settings)
    // What is gone already needs no time to go.
    return bound.want === 0 && this.#replicas.stored === 0 ? { want: 0, isApplied: true, facts: [] } : bound
  }

  #nextState(): ScaleState {
    const { want } = this.#bound
    const ready = this.#ready.count
    return {
      want,
      ready,
      ...this.#activity,
      isInitialized: this.#isInitialized,
      mode: modeOf(want, this.#excessBurstCapacity),
      activators: activatorCount(ready, this.#rules.settings),
      words: '',
    }
  }

  /** Nothing changes any more until a request, a Pod or a rule does. */
  #isAtRest(): boolean {
    const { want, isApplied, lookAgainMs } = this.#bound
    if (!isApplied || lookAgainMs !== undefined || !this.#replicas.isSettled) return false
    if (this.#activity.activity === 'activating' || (this.#door?.inFlight ?? 0) > 0) return false
    if (this.#replicas.stored === undefined) return false
    if (want === 0) return true
    const facts = this.#facts
    if (facts === undefined || facts.stable > 0 || facts.panic > 0 || facts.panicLeftMs !== undefined) return false
    return facts.ready === want && this.#ready.count === want && facts.desired === facts.undelayed
  }

  snapshot(): ScaleSnapshot {
    const { namespace, name } = this.#options
    const { settings } = this.#rules
    const nowMs = this.#deps.clock.monotonicMs()
    const { words: _, reason: __, message: ___, ...state } = this.#nextState()
    const replicas = this.#replicas.stored
    const zeroInMs = this.#zeroInMs(nowMs)
    return {
      namespace,
      name,
      settings,
      ...state,
      ...(replicas === undefined ? {} : { replicas }),
      activityForMs: nowMs - this.#activeSinceMs,
      inFlight: this.#door?.inFlight ?? 0,
      ...(this.#facts === undefined ? {} : { decision: { ...this.#facts, agoMs: nowMs - this.#decidedMs } }),
      bounds: this.#bound.facts,
      ...(zeroInMs === undefined ? {} : { zeroInMs }),
      isResting: !this.#deps.ticker.has(this),
    }
  }

  /** When the last instance goes if no request comes: the window empties, then what holds the last one passes. */
  #zeroInMs(nowMs: number): number | undefined {
    const { minScale, scaleToZero, podBuffer, stableWindowMs, podRetentionMs, scaleToZeroGraceMs } =
      this.#rules.settings
    const isHeld = minScale > 0 || podBuffer > 0 || !scaleToZero || (this.#door?.inFlight ?? 0) > 0
    if (isHeld || (this.#replicas.stored ?? 0) === 0 || this.#activity.activity === 'activating') return undefined
    if (this.#activity.activity === 'inactive') return this.#bound.lookAgainMs
    const idleLeftMs = Math.max(
      this.#busyMs + stableWindowMs - nowMs,
      this.#activeSinceMs + stableWindowMs - nowMs,
      this.#facts?.panicLeftMs ?? 0,
      0,
    )
    const proxyForMs = this.#proxySinceMs === undefined ? 0 : nowMs - this.#proxySinceMs + idleLeftMs
    return idleLeftMs + Math.max(podRetentionMs, scaleToZeroGraceMs - proxyForMs, decisionSeconds * 1_000)
  }
}
