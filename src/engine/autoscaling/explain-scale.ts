// Why a Revision has as many instances as it has, in sentences. Pure.
import { kubernetesTime } from '../../model/kubernetes/resource.ts'
import type { BoundFact, DecisionFacts, ScaleSettings, ScaleSnapshot } from '../autoscaler.ts'

/** Most telling first. */
export function explainScale(snapshot: ScaleSnapshot): string[] {
  const { settings, decision, bounds } = snapshot
  return [
    headline(snapshot),
    ...(decision === undefined ? [] : loadSentences(snapshot, decision)),
    ...bounds.flatMap((fact) => boundSentence(fact, settings)),
    ...spareSentences(settings),
    ...(settings.isReachable ? [] : ['No traffic can reach this Revision, so that nothing holds its instances.']),
    ...zeroSentence(snapshot),
    ...modeSentence(snapshot),
  ]
}

/** The same in one text for a status, which stays until the next decision: it begins with the time it speaks of. */
export const stateWords = (snapshot: ScaleSnapshot, nowMs: number): string =>
  [`${kubernetesTime(nowMs)}:`, ...explainScale(snapshot)].join(' ')

function headline({ want, ready, activity, replicas, inFlight }: ScaleSnapshot): string {
  const waiting = inFlight === 0 ? '' : `; ${countOf(inFlight, 'request')} in the house`
  if (want > 0) return `${countOf(want, 'instance')} wanted, ${ready} ready${waiting}.`
  if (want < 0) return `Not decided yet: ${countOf(replicas ?? 0, 'instance')} asked for, ${ready} ready${waiting}.`
  if (ready > 0) return `None wanted, ${ready} still ready${waiting}.`
  return activity === 'inactive' && inFlight === 0
    ? 'At zero: no request is there, and the next one starts an instance.'
    : `None wanted${waiting}.`
}

function loadSentences(snapshot: ScaleSnapshot, decision: DecisionFacts): string[] {
  const { settings, isResting } = snapshot
  if (isResting && decision.stable === 0) return []
  return settings.class === 'hpa' ? usageSentences(settings, decision) : requestSentences(settings, decision)
}

function requestSentences(settings: ScaleSettings, decision: DecisionFacts): string[] {
  const { metric, target, total, stableWindowMs, panicWindowMs, panicThreshold, activationScale } = settings
  const { stable, panic, wantStable, wantPanic, panicLeftMs, ready, floor, ceiling, undelayed, desired } = decision
  const unit = `${amount(stable) === '1' ? 'request' : 'requests'} ${metric === 'rps' ? 'a second' : 'at once'}`
  const share = total === target ? '' : `, ${amount((target / total) * 100)} % of ${amount(total)}`
  const sentences = [
    `On average ${amount(stable)} ${unit} over ${span(stableWindowMs)}, ${amount(panic)} over the last ` +
      `${span(panicWindowMs)}; one instance is meant for ${amount(target)}${share}: ` +
      `that makes ${wantStable} and ${wantPanic}.`,
  ]
  const forLoad = undelayed - settings.podBuffer
  if (panicLeftMs !== undefined) {
    const factor = amount(panicThreshold * 100)
    sentences.push(
      `Panic, since ${span(panicWindowMs)} asked for ${factor} % or more of what is ready: instances are only added, ` +
        `up to ${decision.panicPeak} so far, for ${span(panicLeftMs)} more at least.`,
    )
  } else if (forLoad > wantStable && forLoad === floor) {
    const rate = amount(settings.maxScaleDownRate)
    sentences.push(`Of ${ready} ready instances one decision keeps ${floor} at least (max-scale-down-rate ${rate}).`)
  }
  if (forLoad < Math.max(wantStable, wantPanic) && forLoad === ceiling) {
    const rate = amount(settings.maxScaleUpRate)
    sentences.push(`One decision comes to ${ceiling} at most (max-scale-up-rate ${rate}).`)
  }
  if (activationScale > 1 && forLoad === activationScale && Math.max(wantStable, wantPanic) < forLoad) {
    sentences.push(`activation-scale begins with ${activationScale}.`)
  }
  if (desired > undelayed) sentences.push(delaySentence(settings, desired, undelayed))
  return sentences
}

function usageSentences({ metric, target, stabilization }: ScaleSettings, decision: DecisionFacts): string[] {
  const unit = metric === 'cpu' ? '% of the processor time asked for' : 'MiB of memory'
  const { stable, wantStable, desired } = decision
  const held = `The greatest wish of the last ${span(stabilization.downMs)} counts: ${desired}.`
  return [
    `Each instance uses ${amount(stable)} ${unit} on average and is meant for ${amount(target)}: ` +
      `that makes ${wantStable}.`,
    ...(desired > wantStable ? [held] : []),
  ]
}

function delaySentence({ scaleDownDelayMs, gcTimeMs }: ScaleSettings, desired: number, undelayed: number): string {
  const [name, ms] = scaleDownDelayMs >= gcTimeMs ? ['scale-down-delay', scaleDownDelayMs] : ['gc-time', gcTimeMs]
  return `${name} of ${span(ms)} holds ${desired}; the load asks for ${undelayed}.`
}

function boundSentence({ rule, to, leftMs = 0 }: BoundFact, settings: ScaleSettings): string[] {
  switch (rule) {
    case 'min-scale':
      return [`min-scale keeps ${to}.`]
    case 'max-scale':
      return [`max-scale allows no more than ${to}.`]
    case 'initial-scale':
      return [`initial-scale asks for ${to} until they were ready once.`]
    case 'scale-to-zero-disabled':
      return ['enable-scale-to-zero is false, so that one stays.']
    case 'activating':
      return [`It starts; without a ready instance it is given up in ${span(leftMs)}.`]
    case 'idle-window':
      return [`It has been active for less than its window; the last instance stays ${span(leftMs)} more.`]
    case 'grace-period':
      return [`scale-to-zero-grace-period keeps the last instance ${span(leftMs)} more.`]
    case 'pod-retention':
      return [`scale-to-zero-pod-retention-period keeps the last instance ${span(leftMs)} more.`]
    case 'activation-failed':
      return [`No instance became ready within ${span(settings.activationTimeoutMs)}, so that it was given up.`]
    case 'no-data':
      return ['Nothing is measured yet.']
    case 'no-measure':
      return [`Nothing tells the metric "${settings.metric}" of its instances, so that they stay as they are.`]
    default:
      return rule satisfies never
  }
}

const spareSentences = ({ podBuffer }: ScaleSettings): string[] =>
  podBuffer === 0 ? [] : [`pod-buffer-size adds ${countOf(podBuffer, 'warm spare')}.`]

const zeroSentence = ({ zeroInMs }: ScaleSnapshot): string[] =>
  zeroInMs === undefined ? [] : [`If no request comes, the last instance goes in ${span(zeroInMs)}.`]

function modeSentence({ mode, want, settings, decision }: ScaleSnapshot): string[] {
  if (want <= 0 || decision === undefined || settings.class === 'hpa') return []
  const { targetBurstCapacity } = settings
  const burst = targetBurstCapacity < 0 ? 'unlimited' : amount(targetBurstCapacity)
  const excess = `excess burst capacity ${amount(decision.excessBurstCapacity)}, target-burst-capacity ${burst}`
  return [mode === 'Serve' ? `Requests go straight to the instances (${excess}).` : `Mode Proxy (${excess}).`]
}

const countOf = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

/** At most two decimals. */
const amount = (value: number): string => String(Math.round(value * 100) / 100)

/** `45s`, `1m30s`, `2h`; whole seconds, one at least. */
function span(ms: number): string {
  const seconds = Math.max(1, Math.ceil(ms / 1_000))
  const parts = [
    [Math.floor(seconds / 3_600), 'h'],
    [Math.floor((seconds % 3_600) / 60), 'm'],
    [seconds % 60, 's'],
  ] as const
  return parts.flatMap(([value, unit]) => (value === 0 ? [] : [`${value}${unit}`])).join('')
}
