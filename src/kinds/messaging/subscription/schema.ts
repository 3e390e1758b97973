// Subscription messaging.knative.dev/v1. Source: knative/eventing pkg/apis/messaging/v1/subscription_types.go.
import type { DeliverySpec, Destination, KReference, KResourceStatus } from '../../../model/duck/types.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import {
  anyObject,
  deliverySpec,
  destination,
  kReference,
  object,
  openObject,
  statusOf,
  string,
} from '../../../model/kubernetes/schema.ts'

export const subscriptionKind = 'Subscription.messaging.knative.dev'

export interface Subscription extends Resource {
  spec: { channel?: KReference; subscriber?: Destination; reply?: Destination; delivery?: DeliverySpec }
  status?: SubscriptionStatus
}

export interface SubscriptionStatus extends KResourceStatus {
  physicalSubscription?: PhysicalSubscription
}

export interface PhysicalSubscription {
  subscriberUri?: string
  subscriberCACerts?: string
  replyUri?: string
  replyCACerts?: string
  deadLetterSinkUri?: string
  deadLetterSinkCACerts?: string
}

export const subscriptionSchema = {
  spec: openObject('Who gets the events of a channel.', {
    channel: kReference('The channel. Immutable.'),
    subscriber: destination('Who gets the events.'),
    reply: destination('Who gets the subscriber’s answers.'),
    delivery: deliverySpec('Retries and dead letters; replaces the channel’s.'),
  }),
  status: statusOf({
    physicalSubscription: object('The resolved addresses.', {
      subscriberUri: string('Where events go.'),
      subscriberCACerts: string('Its certificates.'),
      subscriberAudience: string('Its audience.'),
      replyUri: string('Where answers go.'),
      replyCACerts: string('Its certificates.'),
      replyAudience: string('Its audience.'),
      deadLetterSinkUri: string('Where events go that could not be delivered.'),
      deadLetterSinkCACerts: string('Its certificates.'),
      deadLetterSinkAudience: string('Its audience.'),
    }),
    auth: anyObject('Identity that events are sent with.'),
  }),
}
