// How many instances the measured load asks for. Pure: same input, same answer. Source: knative/serving
// pkg/autoscaler/scaling/autoscaler.go, pkg/autoscaler/aggregation/max.
import type { DecisionFacts, ScaleSettings } from '../autoscaler.ts'

export interface ScaleInput {
  /** On a steady clock. */
  nowMs: number
  ready: number
  /** Averages over the two windows. */
  stable: number
  panic: number
}

/** What one decision leaves to the next. */
export interface ScaleMemory {
  /** When the load was last over the threshold; undefined when not in panic. */
  panicAtMs: number | undefined
  /** Most instances this panic asked for. */
  panicPeak: number
  /** Decisions that may still hold others up: older and greater ones first. */
  delayed: readonly DelayedDecision[]
}

interface DelayedDecision {
  atMs: number
  pods: number
}

export const freshMemory: ScaleMemory = { panicAtMs: undefined, panicPeak: 0, delayed: [] }

/** Begins in panic when there are several instances already: they stay until there is something to judge by. */
export const memoryWith = (pods: number, nowMs: number): ScaleMemory =>
  pods > 1 ? { ...freshMemory, panicAtMs: nowMs, panicPeak: pods } : freshMemory

export function decideScale(
  input: ScaleInput,
  settings: ScaleSettings,
  memory: ScaleMemory,
): { facts: DecisionFacts; memory: ScaleMemory } {
  const { nowMs, stable, panic } = input
  const { maxScaleUpRate, maxScaleDownRate, activationScale, isReachable, podBuffer, target } = settings
  // Spares are no answer to the load, so that they do not count as if they were.
  const ready = Math.max(1, input.ready - podBuffer)
  const ceiling = Math.ceil(maxScaleUpRate * ready)
  const floor = isReachable ? Math.floor(ready / maxScaleDownRate) : 0
  const wantStable = Math.ceil(stable / target)
  const wantPanic = Math.ceil(panic / target)
  const within = (raw: number): number => {
    const bounded = Math.min(Math.max(raw, floor), ceiling)
    return activationScale > 1 && raw > 0 ? Math.max(bounded, activationScale) : bounded
  }
  const panicAtMs = panicAfter(wantPanic / ready >= settings.panicThreshold, nowMs, settings, memory)
  const isPanicking = panicAtMs !== undefined
  const panicPeak = isPanicking ? Math.max(within(wantStable), within(wantPanic), memory.panicPeak) : 0
  const undelayed = (isPanicking ? panicPeak : within(wantStable)) + podBuffer
  const delayed = delay({ atMs: nowMs, pods: undelayed }, delayMsOf(settings), memory.delayed)
  const facts: DecisionFacts = {
    stable,
    panic,
    ready: input.ready,
    wantStable,
    wantPanic,
    floor,
    ceiling,
    panicPeak,
    desired: delayed[0]?.pods ?? undelayed,
    undelayed,
    excessBurstCapacity: excessBurstCapacity(input, settings),
    ...(isPanicking ? { panicLeftMs: panicAtMs + settings.stableWindowMs - nowMs } : {}),
  }
  return { facts, memory: { panicAtMs, panicPeak, delayed } }
}

/** Panic begins and is prolonged over the threshold, and ends one stable window after the last time that was so. */
function panicAfter(
  isOver: boolean,
  nowMs: number,
  { stableWindowMs }: ScaleSettings,
  { panicAtMs }: ScaleMemory,
): number | undefined {
  if (isOver) return nowMs
  return panicAtMs !== undefined && nowMs <= panicAtMs + stableWindowMs ? panicAtMs : undefined
}

/** How long a greater decision holds up a smaller one. What no traffic reaches is held up by nothing. */
const delayMsOf = ({ isReachable, scaleDownDelayMs, gcTimeMs }: ScaleSettings): number =>
  isReachable ? Math.max(scaleDownDelayMs, gcTimeMs) : 0

/** A smaller decision that is older than a greater one can never be the greatest again. */
function delay(decision: DelayedDecision, delayMs: number, before: readonly DelayedDecision[]): DelayedDecision[] {
  if (delayMs <= 0) return []
  const kept = before.filter(({ atMs, pods }) => pods > decision.pods && decision.atMs - atMs < delayMs)
  return [...kept, decision]
}

/** Requests beyond the announced burst that the ready instances could take; below 0 they could not take the burst. */
function excessBurstCapacity({ ready, panic }: ScaleInput, { targetBurstCapacity, total }: ScaleSettings): number {
  if (targetBurstCapacity === 0) return 0
  if (targetBurstCapacity < 0) return -1
  return Math.floor(ready * total - targetBurstCapacity - panic)
}
