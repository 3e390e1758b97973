// What a DeliverySpec may say, and what it means in numbers. Source: knative/eventing pkg/apis/duck/v1/delivery_types.go.
import { at, disallowedField, invalidValue } from '../kubernetes/field-error.ts'
import type { FieldError } from '../kubernetes/field-error.ts'
import { validateDestination } from './destination.ts'
import type { ReferenceRules } from './destination.ts'
import { parseIsoDurationMs } from './iso-duration.ts'
import type { DeliverySpec } from './types.ts'

/** Switches of ConfigMap `config-features` that decide which fields are allowed. */
export interface DeliveryFlags extends ReferenceRules {
  /** Flag `delivery-timeout`. @default true */
  timeoutAllowed?: boolean
  /** Flag `delivery-retryafter`. @default false */
  retryAfterAllowed?: boolean
}

/** Reads the flags from the data of `config-features`. Only `Enabled`, in any case, switches one on. */
export function deliveryFlags(features: Readonly<Record<string, string>>): DeliveryFlags {
  const enabled = (flag: string, otherwise: string): boolean =>
    (features[flag] ?? otherwise).trim().toLowerCase() === 'enabled'
  return {
    groupAllowed: enabled('kreference-group', 'disabled'),
    timeoutAllowed: enabled('delivery-timeout', 'enabled'),
    retryAfterAllowed: enabled('delivery-retryafter', 'disabled'),
  }
}

/** What is wrong with a delivery spec; paths start at the spec itself: wrap with `at('delivery', …)`. */
export function validateDelivery(delivery: DeliverySpec | undefined, flags: DeliveryFlags = {}): FieldError[] {
  if (delivery === undefined || delivery === null) return []
  const { deadLetterSink, retry, backoffPolicy, backoffDelay, timeout, retryAfterMax, format } = delivery
  const errors = at('deadLetterSink', validateDestination(deadLetterSink, flags))
  const require = (holds: boolean, value: unknown, path: string): void => {
    if (!holds) errors.push(invalidValue(value, path))
  }
  if (isSet(retry)) require(Number.isInteger(retry) && retry >= 0 && retry <= int32Max, retry, 'retry')
  if (isSet(timeout)) {
    if (flags.timeoutAllowed === false) errors.push(disallowedField('timeout'))
    else require((parseIsoDurationMs(timeout) ?? 0) > 0, timeout, 'timeout')
  }
  if (isSet(backoffPolicy)) {
    require(backoffPolicy === 'linear' || backoffPolicy === 'exponential', backoffPolicy, 'backoffPolicy')
  }
  // Upstream lets negative durations slip through; they never mean anything, so they are refused here.
  if (isSet(backoffDelay)) require(parseIsoDurationMs(backoffDelay) !== undefined, backoffDelay, 'backoffDelay')
  if (isSet(retryAfterMax)) {
    if (flags.retryAfterAllowed !== true) errors.push(disallowedField('retryAfterMax'))
    else require(parseIsoDurationMs(retryAfterMax) !== undefined, retryAfterMax, 'retryAfterMax')
  }
  if (isSet(format)) require(format === 'json' || format === 'binary', format, 'format')
  return errors
}

/** A delivery spec in numbers; durations that do not parse count as not set. */
export interface ParsedDelivery {
  /** Tries after the first one. */
  retries: number
  /** Waiting needs both a policy and a delay; otherwise retries follow at once. */
  backoff?: { policy: 'linear' | 'exponential'; delayMs: number }
  timeoutMs?: number
  /** Set: `Retry-After` of 429 and 503 counts, up to this much. */
  retryAfterMaxMs?: number
  format?: 'json' | 'binary'
}

export function parseDelivery(delivery: DeliverySpec = {}): ParsedDelivery {
  const { retry, backoffPolicy, backoffDelay, timeout, retryAfterMax, format } = delivery
  const delayMs = durationMs(backoffDelay)
  const timeoutMs = durationMs(timeout)
  const retryAfterMaxMs = durationMs(retryAfterMax)
  return {
    retries: retry ?? 0,
    ...(isSet(backoffPolicy) && delayMs !== undefined && { backoff: { policy: backoffPolicy, delayMs } }),
    ...(timeoutMs !== undefined && timeoutMs > 0 && { timeoutMs }),
    ...(retryAfterMaxMs !== undefined && { retryAfterMaxMs }),
    ...(isSet(format) && { format }),
  }
}

const int32Max = 2_147_483_647

// Stored objects may hold explicit nulls, which mean the same as absent.
const isSet = <Value>(value: Value | null | undefined): value is Value => value !== undefined && value !== null
const durationMs = (text: string | undefined): number | undefined =>
  isSet(text) ? parseIsoDurationMs(text) : undefined
