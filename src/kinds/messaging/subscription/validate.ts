// What a Subscription must not be. Source: knative/eventing pkg/apis/messaging/v1/subscription_validation.go.
import type { AdmissionContext } from '../../../engine/kind.ts'
import { deliveryFlags, validateDelivery } from '../../../model/duck/delivery.ts'
import { validateDestination, validateKReference } from '../../../model/duck/destination.ts'
import { eventingSystemNamespace, featuresConfigMap, isEnabled } from '../../../model/knative/feature-flags.ts'
import { validateOptionalDestination } from '../../../model/knative/flow-channel.ts'
import { at, disallowedField, fieldError } from '../../../model/kubernetes/field-error.ts'
import type { FieldError } from '../../../model/kubernetes/field-error.ts'
import { immutableField } from '../../../model/kubernetes/immutable.ts'
import type { Subscription } from './schema.ts'

export function validateSubscription(
  { spec }: Subscription,
  { old, config }: AdmissionContext<Subscription>,
): FieldError[] {
  const features = config.data(eventingSystemNamespace, featuresConfigMap)
  const flags = deliveryFlags(features)
  if (isEmpty(spec.channel)) {
    return at('spec', [fieldError('missing field(s)', ['channel'], 'the Subscription must reference a channel')])
  }
  const { namespace, ...channel } = spec.channel!
  const foreign = namespace !== undefined && !isEnabled(features, 'cross-namespace-event-links')
  return [
    ...at('spec', [
      ...at('channel', [...validateKReference(channel, flags), ...(foreign ? [disallowedField('namespace')] : [])]),
      ...(isEmpty(spec.subscriber)
        ? [fieldError('missing field(s)', ['subscriber'], 'the Subscription must reference a subscriber')]
        : at('subscriber', validateDestination(spec.subscriber, flags))),
      ...validateOptionalDestination('reply', spec.reply, flags),
      ...at('delivery', validateDelivery(spec.delivery, flags)),
    ]),
    ...(old === undefined
      ? []
      : immutableField('v1.SubscriptionSpec', { channel: old.spec.channel }, { channel: spec.channel }, 'spec')),
  ]
}

/** An empty object counts as absent. */
const isEmpty = (value: object | null | undefined): boolean =>
  value === undefined || value === null || Object.keys(value).length === 0
