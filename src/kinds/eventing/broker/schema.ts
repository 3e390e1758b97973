// Broker eventing.knative.dev/v1. Source: knative/eventing pkg/apis/eventing/v1/broker_types.go.
import type {
  AddressStatus,
  DeliverySpec,
  DeliveryStatus,
  KReference,
  KResourceStatus,
} from '../../../model/duck/types.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import {
  addressable,
  deliverySpec,
  kReference,
  list,
  object,
  openObject,
  statusOf,
  string,
} from '../../../model/kubernetes/schema.ts'

export const brokerKind = 'Broker.eventing.knative.dev'
export const brokerClassAnnotation = 'eventing.knative.dev/broker.class'
/** The class this process serves. */
export const brokerClass = 'MTChannelBasedBroker'

export interface Broker extends Resource {
  spec: { config?: KReference; delivery?: DeliverySpec }
  status?: BrokerStatus
}

export interface BrokerStatus extends KResourceStatus, AddressStatus, DeliveryStatus {}

export const brokerSchema = {
  spec: openObject('What the Broker should be.', {
    config: kReference('Where the class finds its configuration. Immutable.'),
    delivery: deliverySpec('How events are delivered to Triggers that do not say it themselves.'),
  }),
  status: statusOf({
    address: addressable('Where to send events.'),
    addresses: list('All addresses.', addressable('One address.')),
    deadLetterSinkUri: string('The resolved dead letter sink.'),
    deadLetterSinkCACerts: string('Its certificates.'),
    deadLetterSinkAudience: string('Its audience.'),
    policies: list(
      'EventPolicies in force.',
      object('One policy.', { apiVersion: string('Version.'), name: string('Name.') }),
    ),
  }),
}

/** The stream that holds a Broker's events; the uid keeps a namesake from inheriting them. */
export function brokerStream(broker: Broker): string {
  return `broker/${broker.metadata.namespace}/${broker.metadata.name}/${broker.metadata.uid}`
}
