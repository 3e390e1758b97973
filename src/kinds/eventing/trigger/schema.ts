// Trigger eventing.knative.dev/v1. Source: knative/eventing pkg/apis/eventing/v1/trigger_types.go.
import type {
  Addressable,
  DeliverySpec,
  DeliveryStatus,
  Destination,
  KReference,
  KResourceStatus,
} from '../../../model/duck/types.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import {
  anyObject,
  deliverySpec,
  destination,
  kReference,
  list,
  map,
  object,
  openObject,
  statusOf,
  string,
  subscriptionsFilter,
} from '../../../model/kubernetes/schema.ts'

export const triggerKind = 'Trigger.eventing.knative.dev'
export const brokerLabel = 'eventing.knative.dev/broker'

export interface Trigger extends Resource {
  spec: TriggerSpec
  status?: TriggerStatus
}

export interface TriggerSpec {
  broker?: string
  brokerRef?: KReference
  filter?: { attributes?: Record<string, string> }
  filters?: Record<string, unknown>[]
  subscriber?: Destination
  delivery?: DeliverySpec
}

export interface TriggerStatus extends KResourceStatus, DeliveryStatus {
  subscriberUri?: string
  subscriberCACerts?: Addressable['CACerts']
  subscriberAudience?: string
}

export const triggerSchema = {
  spec: openObject('Which events go where.', {
    broker: string('Name of the Broker. Immutable.'),
    brokerRef: kReference('A Broker in another namespace; needs the feature flag cross-namespace-event-links.'),
    filter: object('Filter by exact attributes; ignored when filters is not empty.', {
      attributes: map('Attribute name to value; an empty value asks only for presence.', string('Value.')),
    }),
    filters: list(
      'Filters that must all pass, each with one dialect: exact, prefix, suffix, all, any, not or cesql.',
      subscriptionsFilter('One filter, of one dialect.'),
    ),
    subscriber: destination('Who gets the events that pass.'),
    delivery: deliverySpec('Retries and dead letters; replaces the Broker’s.'),
  }),
  status: statusOf({
    subscriberUri: string('The resolved subscriber.'),
    subscriberCACerts: string('Its certificates.'),
    subscriberAudience: string('Its audience.'),
    deadLetterSinkUri: string('The resolved dead letter sink.'),
    deadLetterSinkCACerts: string('Its certificates.'),
    deadLetterSinkAudience: string('Its audience.'),
    auth: anyObject('Identity that events are sent with.'),
  }),
}
