// Parallel flows.knative.dev/v1. Source: knative/eventing pkg/apis/flows/v1/parallel_types.go.
import type { AddressStatus, DeliverySpec, Destination, KResourceStatus } from '../../../model/duck/types.ts'
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
import type { ChannelState, SubscriptionState } from '../sequence/schema.ts'

export interface Parallel extends Resource {
  spec: { branches?: ParallelBranch[]; channelTemplate?: ChannelTemplate; reply?: Destination }
  status?: ParallelStatus
}

export interface ParallelBranch {
  filter?: Destination
  subscriber?: Destination
  reply?: Destination
  delivery?: DeliverySpec
}

export interface BranchState {
  filterSubscriptionStatus: SubscriptionState
  filterChannelStatus: ChannelState
  subscriberSubscriptionStatus: SubscriptionState
}

export interface ParallelStatus extends KResourceStatus, AddressStatus {
  ingressChannelStatus?: ChannelState
  branchStatuses?: BranchState[]
}

export const parallelSchema = {
  spec: openObject('Branches that each get every event.', {
    branches: list(
      'The branches.',
      object('One branch.', {
        filter: destination('A function: its answer is what flows on; no answer rejects the event.'),
        subscriber: destination('Who gets what the filter lets through.'),
        reply: destination('Who gets the subscriber’s answer; else the Parallel’s reply.'),
        delivery: deliverySpec('Retries and dead letters of the subscriber.'),
      }),
    ),
    channelTemplate: channelTemplateSchema,
    reply: destination('Who gets the answers of branches without a reply of their own.'),
  }),
  status: statusOf({
    address: addressable('Where to send events.'),
    addresses: list('All addresses.', addressable('One address.')),
    ingressChannelStatus: anyObject('State of the first channel.'),
    branchStatuses: list('State of each branch.', anyObject('One branch.')),
    policies: list('EventPolicies in force.', anyObject('One policy.')),
    auth: anyObject('Identities that events are sent with.'),
  }),
}
