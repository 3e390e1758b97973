// The dead letter sink of an object: resolved into its status and the condition DeadLetterSinkResolved.
import { messageOf } from '../base/errors.ts'
import type { Addressable, DeliveryStatus } from '../model/duck/types.ts'
import type { Conditions } from './reconciler.ts'

type Address = Addressable & { url: string }

export type ResolvedSink = { resolved: true; address: Address | undefined } | { resolved: false }

/**
 * Writes what `resolve` finds; without a sink it returns `undefined`, which is fine as well. `failedReason` is the
 * condition's reason when `resolve` throws: kinds word it differently.
 */
export function markDeadLetterSink(
  status: DeliveryStatus,
  conditions: Conditions,
  { resolve, failedReason }: { resolve: () => Address | undefined; failedReason: string },
): ResolvedSink {
  delete status.deadLetterSinkUri
  delete status.deadLetterSinkCACerts
  delete status.deadLetterSinkAudience
  let address: Address | undefined
  try {
    address = resolve()
  } catch (thrown) {
    conditions.markFalse('DeadLetterSinkResolved', failedReason, messageOf(thrown))
    return { resolved: false }
  }
  if (address === undefined) {
    conditions.markTrue('DeadLetterSinkResolved', 'DeadLetterSinkNotConfigured', 'No dead letter sink is configured.')
    return { resolved: true, address }
  }
  status.deadLetterSinkUri = address.url
  if (address.CACerts !== undefined) status.deadLetterSinkCACerts = address.CACerts
  if (address.audience !== undefined) status.deadLetterSinkAudience = address.audience
  conditions.markTrue('DeadLetterSinkResolved')
  return { resolved: true, address }
}
