// ConfigMap `config-autoscaler`, whole. Source: knative/serving pkg/autoscaler/config/config.go.
import { parseGoDuration } from '../kubernetes/go-duration.ts'
import type { ConfigData } from './serving-config.ts'

export interface AutoscalerConfig {
  podAutoscalerClass: string
  enableScaleToZero: boolean
  allowZeroInitialScale: boolean
  /** Share of an instance's concurrency that is aimed for, 0..1. */
  concurrencyTargetFraction: number
  concurrencyTargetDefault: number
  rpsTargetDefault: number
  /** -1 is unlimited. */
  targetBurstCapacity: number
  activatorCapacity: number
  panicWindowPercentage: number
  panicThresholdPercentage: number
  maxScaleUpRate: number
  maxScaleDownRate: number
  initialScale: number
  /** 0 is no bound. */
  minScale: number
  maxScale: number
  maxScaleLimit: number
  stableWindowMs: number
  scaleDownDelayMs: number
  scaleToZeroGraceMs: number
  scaleToZeroPodRetentionMs: number
}

/** Utilization that Revisions scaled by requests per second aim for; no ConfigMap changes it. */
export const rpsTargetFraction = 0.7
/** Least value a target may come to. */
export const targetMin = 0.01

const defaults: AutoscalerConfig = {
  podAutoscalerClass: 'kpa.autoscaling.knative.dev',
  enableScaleToZero: true,
  allowZeroInitialScale: false,
  concurrencyTargetFraction: 0.7,
  concurrencyTargetDefault: 100,
  rpsTargetDefault: 200,
  targetBurstCapacity: 211,
  activatorCapacity: 100,
  panicWindowPercentage: 10,
  panicThresholdPercentage: 200,
  maxScaleUpRate: 1000,
  maxScaleDownRate: 2,
  initialScale: 1,
  minScale: 0,
  maxScale: 0,
  maxScaleLimit: 0,
  stableWindowMs: 60_000,
  scaleDownDelayMs: 0,
  scaleToZeroGraceMs: 30_000,
  scaleToZeroPodRetentionMs: 0,
}

/** What the ConfigMap says; a value that is none counts as absent. */
export function readAutoscalerConfig(data: ConfigData): AutoscalerConfig {
  const fraction = float(data['container-concurrency-target-percentage'], defaults.concurrencyTargetFraction)
  return {
    podAutoscalerClass: data['pod-autoscaler-class'] ?? defaults.podAutoscalerClass,
    enableScaleToZero: flag(data['enable-scale-to-zero'], defaults.enableScaleToZero),
    allowZeroInitialScale: flag(data['allow-zero-initial-scale'], defaults.allowZeroInitialScale),
    // Values up to 1 are fractions, as older ConfigMaps had them.
    concurrencyTargetFraction: fraction > 1 ? fraction / 100 : fraction,
    concurrencyTargetDefault: float(data['container-concurrency-target-default'], defaults.concurrencyTargetDefault),
    rpsTargetDefault: float(data['requests-per-second-target-default'], defaults.rpsTargetDefault),
    targetBurstCapacity: float(data['target-burst-capacity'], defaults.targetBurstCapacity),
    activatorCapacity: float(data['activator-capacity'], defaults.activatorCapacity),
    panicWindowPercentage: float(data['panic-window-percentage'], defaults.panicWindowPercentage),
    panicThresholdPercentage: float(data['panic-threshold-percentage'], defaults.panicThresholdPercentage),
    maxScaleUpRate: float(data['max-scale-up-rate'], defaults.maxScaleUpRate),
    maxScaleDownRate: float(data['max-scale-down-rate'], defaults.maxScaleDownRate),
    initialScale: integer(data['initial-scale'], defaults.initialScale),
    minScale: integer(data['min-scale'], defaults.minScale),
    maxScale: integer(data['max-scale'], defaults.maxScale),
    maxScaleLimit: integer(data['max-scale-limit'], defaults.maxScaleLimit),
    stableWindowMs: duration(data['stable-window'], defaults.stableWindowMs),
    scaleDownDelayMs: duration(data['scale-down-delay'], defaults.scaleDownDelayMs),
    scaleToZeroGraceMs: duration(data['scale-to-zero-grace-period'], defaults.scaleToZeroGraceMs),
    scaleToZeroPodRetentionMs: duration(data['scale-to-zero-pod-retention-period'], defaults.scaleToZeroPodRetentionMs),
  }
}

const float = (text: string | undefined, otherwise: number): number => (isFloat(text) ? Number(text) : otherwise)
const integer = (text: string | undefined, otherwise: number): number => (isInteger(text) ? Number(text) : otherwise)
const duration = (text: string | undefined, otherwise: number): number => parseGoDuration(text ?? '') ?? otherwise
const flag = (text: string | undefined, otherwise: boolean): boolean =>
  isFlag(text) ? trueWords.has(text!) : otherwise

const isFloat = (text: string | undefined): boolean =>
  text !== undefined && /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text)
const isInteger = (text: string | undefined): boolean => text !== undefined && /^[+-]?\d+$/.test(text)

/** As Go reads booleans. */
const trueWords = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])
const falseWords = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False'])
const isFlag = (text: string | undefined): boolean =>
  text !== undefined && (trueWords.has(text) || falseWords.has(text))
