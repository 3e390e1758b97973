// One object's condition shown as another's. Source: knative/eventing's Propagate…Status helpers.
import type { Condition } from '../model/duck/types.ts'
import type { Conditions } from './reconciler.ts'

/** Marks `type` like `source`; an absent or empty source is Unknown for the given reason. */
export function mirrorCondition(
  conditions: Conditions,
  type: string,
  source: Condition | undefined,
  absent: { reason: string; message: string },
): void {
  const { reason = '', message = '' } = source ?? {}
  switch (source?.status) {
    case 'True':
      return conditions.markTrue(type)
    case 'False':
      return conditions.markFalse(type, reason, message)
    case 'Unknown':
      return conditions.markUnknown(type, reason, message)
    case undefined:
      return conditions.markUnknown(type, absent.reason, absent.message)
  }
}
