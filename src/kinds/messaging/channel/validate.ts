// What a Channel must not be. Source: knative/eventing pkg/apis/messaging/v1/channel_validation.go.
import type { AdmissionContext } from '../../../engine/kind.ts'
import { deliveryFlags, validateDelivery } from '../../../model/duck/delivery.ts'
import { eventingSystemNamespace, featuresConfigMap } from '../../../model/knative/feature-flags.ts'
import { validateChannelTemplate } from '../../../model/knative/flow-channel.ts'
import { at, disallowedField } from '../../../model/kubernetes/field-error.ts'
import type { FieldError } from '../../../model/kubernetes/field-error.ts'
import { immutableField } from '../../../model/kubernetes/immutable.ts'
import type { Channel } from './schema.ts'

export function validateChannel(channel: Channel, { old, config }: AdmissionContext<Channel>): FieldError[] {
  const flags = deliveryFlags(config.data(eventingSystemNamespace, featuresConfigMap))
  const { channelTemplate, subscribers, delivery } = channel.spec
  return [
    ...at('spec', [
      ...validateChannelTemplate(channelTemplate),
      ...((subscribers ?? []).length > 0 ? [disallowedField('subscribable.subscribers')] : []),
      ...at('delivery', validateDelivery(delivery, { ...flags, parentNamespace: channel.metadata.namespace ?? '' })),
    ]),
    ...(old === undefined ? [] : immutableField('v1.ChannelSpec', old.spec, channel.spec, 'spec')),
  ]
}
