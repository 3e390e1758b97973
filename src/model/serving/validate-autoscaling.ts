// What the autoscaling annotations of a template may say. Source: knative/serving pkg/apis/autoscaling/annotation_validation.go.
import { fieldError, invalidValue, outOfBounds } from '../kubernetes/field-error.ts'
import type { FieldError } from '../kubernetes/field-error.ts'
import { parseGoDuration } from '../kubernetes/go-duration.ts'
import { annotationKeys, findAnnotation } from './annotation-keys.ts'
import type { AnnotationKey, Annotations } from './annotation-keys.ts'
import { readAutoscalerConfig } from './autoscaler-config.ts'
import type { AutoscalerConfig } from './autoscaler-config.ts'
import { hpaClass, kpaClass, parseGcTime, scalerClasses, xpaClass } from './scaler-class.ts'
import type { ConfigData } from './serving-config.ts'

const int32Max = 2_147_483_647
const windowMsMin = 6_000
const windowMsMax = 3_600_000
const secondPrecision = 'must be specified with at most second precision'

/** Paths are the annotations' names. */
export function validateAutoscaling(annotations: Annotations, config: ConfigData): FieldError[] {
  const defaults = readAutoscalerConfig(config)
  return [
    ...validateClass(annotations),
    ...validateBounds(annotations, defaults),
    ...validateNumbers(annotations),
    ...validateDurations(annotations),
    ...validateMetric(annotations, defaults),
    ...validateAlgorithm(annotations),
    ...validateInitialScale(annotations, defaults),
    ...(classOf(annotations, defaults) === xpaClass ? validateSpares(annotations) : []),
  ]
}

function validateClass(annotations: Annotations): FieldError[] {
  const found = findAnnotation(annotations, annotationKeys.class)
  if (found === undefined || !found.value.endsWith('.knative.dev')) return []
  return scalerClasses.has(found.value) ? [] : [invalidValue(found.value, found.name)]
}

const classOf = (annotations: Annotations, { podAutoscalerClass }: AutoscalerConfig): string =>
  findAnnotation(annotations, annotationKeys.class)?.value ?? podAutoscalerClass

function validateBounds(annotations: Annotations, { maxScaleLimit }: AutoscalerConfig): FieldError[] {
  const errors: FieldError[] = []
  const min = count(annotations, annotationKeys.minScale, errors)
  const max = count(annotations, annotationKeys.maxScale, errors)
  if (max !== 0 && max < min) {
    const paths = [annotationKeys.maxScale[0]!, annotationKeys.minScale[0]!]
    errors.push(fieldError(`max-scale=${max} is less than min-scale=${min}`, paths))
  }
  const maxName = findAnnotation(annotations, annotationKeys.maxScale)?.name
  if (maxName !== undefined && maxScaleLimit !== 0) {
    if (max > maxScaleLimit) errors.push(outOfBounds(max, 1, maxScaleLimit, maxName))
    if (max === 0) {
      errors.push(fieldError(`max-scale=0 (unlimited), must be less than ${maxScaleLimit}`, [maxName]))
    }
  }
  const activation = findAnnotation(annotations, annotationKeys.activationScale)
  if (activation === undefined) return errors
  const { name, value } = activation
  const scale = Number(value)
  if (!isInteger(value) || Math.abs(scale) > int32Max) errors.push(invalidValue(value, name))
  else if (min > scale) errors.push(fieldError(`min-scale=${min} is greater than activation-scale=${scale}`, [name]))
  else if (max !== 0 && max < scale) {
    errors.push(fieldError(`max-scale=${max} is less than activation-scale=${scale}`, [name]))
  } else if (scale < 2) errors.push(fieldError(`activation-scale=${scale} must be greater than 1`, [name]))
  return errors
}

/** A number of instances, 0 when absent or wrong. */
function count(annotations: Annotations, key: AnnotationKey, errors: FieldError[]): number {
  const found = findAnnotation(annotations, key)
  if (found === undefined) return 0
  const number = Number(found.value)
  if (!isInteger(found.value)) errors.push(invalidValue(found.value, found.name))
  else if (number < 0 || number > int32Max) errors.push(outOfBounds(found.value, 0, int32Max, found.name))
  else return number
  return 0
}

function validateNumbers(annotations: Annotations): FieldError[] {
  const within = (key: AnnotationKey, low: number, high: number): FieldError[] =>
    check(annotations, key, (value, name) => {
      if (!isNumber(value)) return invalidValue(value, name)
      return Number(value) < low || Number(value) > high ? outOfBounds(value, low, high, name) : undefined
    })
  return [
    ...within(annotationKeys.panicWindowPercentage, 1, 100),
    ...within(annotationKeys.panicThresholdPercentage, 110, 1_000),
    ...check(annotations, annotationKeys.target, (value, name) => {
      if (!isNumber(value)) return invalidValue(value, name)
      return Number(value) < 0.01 ? fieldError(`target ${value} should be at least 0.01`, [name]) : undefined
    }),
    ...within(annotationKeys.targetUtilizationPercentage, 1, 100),
    ...check(annotations, annotationKeys.targetBurstCapacity, (value, name) => {
      const isBad = !isNumber(value) || (Number(value) < 0 && Number(value) !== -1)
      return isBad ? invalidValue(value, name) : undefined
    }),
  ]
}

function validateDurations(annotations: Annotations): FieldError[] {
  const duration = (key: AnnotationKey, least: [ms: number, text: string], precise: boolean): FieldError[] =>
    check(annotations, key, (value, name) => {
      const ms = parseGoDuration(value)
      if (ms === undefined) return invalidValue(value, name)
      if (ms < least[0] || ms > windowMsMax) return outOfBounds(value, least[1], '1h0m0s', name)
      return precise && ms % 1_000 !== 0 ? fieldError(secondPrecision, [name]) : undefined
    })
  return [
    ...duration(annotationKeys.window, [windowMsMin, '6s'], true),
    ...duration(annotationKeys.scaleToZeroPodRetentionPeriod, [0, '0s'], false),
    ...duration(annotationKeys.scaleDownDelay, [0, '0s'], true),
  ]
}

function validateMetric(annotations: Annotations, defaults: AutoscalerConfig): FieldError[] {
  const scaler = classOf(annotations, defaults)
  const byRequests = [kpaClass, xpaClass].includes(scaler)
  return check(annotations, annotationKeys.metric, (value, name) => {
    const isBad = byRequests ? !['concurrency', 'rps'].includes(value) : scaler === hpaClass && value === ''
    return isBad ? invalidValue(value, name) : undefined
  })
}

function validateAlgorithm(annotations: Annotations): FieldError[] {
  const scaler = findAnnotation(annotations, annotationKeys.class)?.value ?? ''
  if (![kpaClass, xpaClass].includes(scaler)) return []
  return check(annotations, annotationKeys.metricAggregationAlgorithm, (value, name) =>
    ['', 'linear', 'weighted-exponential', 'weightedExponential'].includes(value)
      ? undefined
      : invalidValue(value, name),
  )
}

function validateInitialScale(annotations: Annotations, { allowZeroInitialScale }: AutoscalerConfig): FieldError[] {
  return check(annotations, annotationKeys.initialScale, (value, name) => {
    if (!isInteger(value)) return invalidValue(value, name)
    if (Number(value) < 0) return invalidValue(value, `${name} must be greater than 0`)
    return Number(value) === 0 && !allowZeroInitialScale
      ? invalidValue(value, `${name}=0 not allowed by cluster`)
      : undefined
  })
}

/** Class xpa only, which is not upstream's: others pass these annotations unread. */
function validateSpares(annotations: Annotations): FieldError[] {
  const errors: FieldError[] = []
  const buffer = count(annotations, annotationKeys.podBufferSize, errors)
  const max = count(annotations, annotationKeys.maxScale, [])
  if (max !== 0 && buffer > max) {
    const paths = [annotationKeys.maxScale[0]!, annotationKeys.podBufferSize[0]!]
    errors.push(fieldError(`max-scale=${max} is less than pod-buffer-size=${buffer}`, paths))
  }
  return [
    ...errors,
    ...check(annotations, annotationKeys.gcTime, (value, name) => {
      const ms = parseGcTime(value)
      if (ms === undefined) return invalidValue(value, name)
      return ms < 0 || ms > windowMsMax ? outOfBounds(value, '0s', '1h0m0s', name) : undefined
    }),
  ]
}

function check(
  annotations: Annotations,
  key: AnnotationKey,
  objection: (value: string, name: string) => FieldError | undefined,
): FieldError[] {
  const found = findAnnotation(annotations, key)
  const error = found === undefined ? undefined : objection(found.value, found.name)
  return error === undefined ? [] : [error]
}

const isInteger = (text: string): boolean => /^[+-]?\d+$/.test(text)
const isNumber = (text: string): boolean => /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text)
