// Sequence flows.knative.dev/v1. Source: knative/eventing pkg/apis/flows/v1/sequence_types.go.
import type { AddressStatus, Condition, DeliverySpec, Destination, KResourceStatus } from '../../../model/duck/types.ts'
import type { ObjectReference } from '../../../engine/children.ts'
import type { ChannelTemplate } from '../../../model/knative/channel-template.ts'
import { channelTemplateSchema } from '../../../model/knative/flow-channel.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import {
  addressable,
  anyObject,
  deliverySpec,
  destination,
  list,
  object,
  openObject,
  statusOf,
} from '../../../model/kubernetes/schema.ts'

export interface Sequence extends Resource {
  spec: { steps?: SequenceStep[]; channelTemplate?: ChannelTemplate; reply?: Destination }
  status?: SequenceStatus
}

export interface SequenceStep extends Destination {
  delivery?: DeliverySpec
}

export interface ChannelState {
  channel: ObjectReference
  ready: Condition
}

export interface SubscriptionState {
  subscription: ObjectReference
  ready: Condition
}

export interface SequenceStatus extends KResourceStatus, AddressStatus {
  channelStatuses?: ChannelState[]
  subscriptionStatuses?: SubscriptionState[]
}

export const sequenceSchema = {
  spec: openObject('Steps that an event goes through one after the other.', {
    steps: list(
      'The steps, in order. Each answer is the next step’s event.',
      object('One step.', {
        ...destination('').properties,
        delivery: deliverySpec('Retries and dead letters of this step.'),
      }),
    ),
    channelTemplate: channelTemplateSchema,
    reply: destination('Who gets the last step’s answer.'),
  }),
  status: statusOf({
    address: addressable('Where to send events.'),
    addresses: list('All addresses.', addressable('One address.')),
    channelStatuses: list('State of each channel.', anyObject('One channel.')),
    subscriptionStatuses: list('State of each Subscription.', anyObject('One Subscription.')),
    policies: list('EventPolicies in force.', anyObject('One policy.')),
    auth: anyObject('Identities that events are sent with.'),
  }),
}
