// Channel messaging.knative.dev/v1. Source: knative/eventing pkg/apis/messaging/v1/channel_types.go.
import type {
  AddressStatus,
  DeliverySpec,
  DeliveryStatus,
  KReference,
  KResourceStatus,
  SubscriberSpec,
  SubscriberStatus,
} from '../../../model/duck/types.ts'
import type { ChannelTemplate } from '../../../model/knative/channel-template.ts'
import { channelTemplateSchema } from '../../../model/knative/flow-channel.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import {
  addressable,
  anyObject,
  deliverySpec,
  integer,
  kReference,
  list,
  object,
  openObject,
  statusOf,
  string,
} from '../../../model/kubernetes/schema.ts'

export const channelKind = 'Channel.messaging.knative.dev'
export const subscribableAnnotation = 'messaging.knative.dev/subscribable'

/** What every channel kind looks like to those who subscribe to it. */
export interface Channelable extends Resource {
  spec: { subscribers?: SubscriberSpec[]; delivery?: DeliverySpec }
  status?: ChannelableStatus
}

export interface ChannelableStatus extends KResourceStatus, AddressStatus, DeliveryStatus {
  subscribers?: SubscriberStatus[]
}

export interface Channel extends Channelable {
  spec: { channelTemplate?: ChannelTemplate; subscribers?: SubscriberSpec[]; delivery?: DeliverySpec }
  status?: ChannelStatus
}

export interface ChannelStatus extends ChannelableStatus {
  /** The backing channel. */
  channel?: KReference
}

export const subscribersSchema = list(
  'Physical subscribers, written by Subscriptions.',
  object('One subscriber.', {
    uid: string('UID of the Subscription.'),
    name: string('Name of the Subscription.'),
    generation: integer('Generation of the Subscription.', { format: 'int64' }),
    subscriberUri: string('Where events go.'),
    subscriberCACerts: string('Its certificates.'),
    subscriberAudience: string('Its audience.'),
    replyUri: string('Where answers go.'),
    replyCACerts: string('Its certificates.'),
    replyAudience: string('Its audience.'),
    delivery: deliverySpec('Retries and dead letters of this subscriber.'),
    auth: anyObject('Identity that events are sent with.'),
  }),
)

export const channelableStatus = {
  address: addressable('Where to send events.'),
  addresses: list('All addresses.', addressable('One address.')),
  deadLetterSinkUri: string('The resolved dead letter sink.'),
  deadLetterSinkCACerts: string('Its certificates.'),
  deadLetterSinkAudience: string('Its audience.'),
  policies: list(
    'EventPolicies in force.',
    object('One policy.', { apiVersion: string('Version.'), name: string('Name.') }),
  ),
  subscribers: list(
    'State of each subscriber.',
    object('One subscriber.', {
      uid: string('UID of the Subscription.'),
      observedGeneration: integer('Generation that is served.', { format: 'int64' }),
      ready: string('True, False or Unknown.'),
      message: string('Why not.'),
      auth: anyObject('Identity that events are sent with.'),
    }),
  ),
}

export const channelSchema = {
  spec: openObject('What the channel should be. Immutable.', {
    channelTemplate: channelTemplateSchema,
    subscribers: subscribersSchema,
    delivery: deliverySpec('How events are delivered to Subscriptions that do not say it themselves.'),
  }),
  status: statusOf({ ...channelableStatus, channel: kReference('The backing channel.') }),
}
