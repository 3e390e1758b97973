// InMemoryChannel messaging.knative.dev/v1. Source: knative/eventing pkg/apis/messaging/v1/in_memory_channel_types.go.
import { deliverySpec, openObject, statusOf } from '../../../model/kubernetes/schema.ts'
import { channelableStatus, subscribersSchema } from '../channel/schema.ts'
import type { Channelable } from '../channel/schema.ts'

export const inMemoryChannelKind = 'InMemoryChannel.messaging.knative.dev'

export type InMemoryChannel = Channelable

export const inMemoryChannelSchema = {
  spec: openObject('What the channel should be.', {
    subscribers: subscribersSchema,
    delivery: deliverySpec('How events are delivered to Subscriptions that do not say it themselves.'),
  }),
  status: statusOf(channelableStatus),
}

/** The stream that holds a channel's events. */
export function inMemoryChannelStream({ metadata }: InMemoryChannel): string {
  return `channel/${metadata.namespace}/${metadata.name}/${metadata.uid}`
}
