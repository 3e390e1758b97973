// The shapes that Knative's kinds share. Source: knative/pkg apis/duck/v1 and knative/eventing pkg/apis/duck/v1.

export interface KReference {
  apiVersion?: string
  kind: string
  name: string
  namespace?: string
  group?: string
  /** Name of one entry of the target's `status.addresses`. */
  address?: string
}

export interface Destination {
  ref?: KReference
  uri?: string
  CACerts?: string
  audience?: string
}

export interface Addressable {
  name?: string
  url?: string
  CACerts?: string
  audience?: string
}

export interface AddressStatus {
  address?: Addressable
  addresses?: Addressable[]
}

/** How to retry and where failures go. Durations are ISO 8601. */
export interface DeliverySpec {
  deadLetterSink?: Destination
  retry?: number
  backoffPolicy?: 'linear' | 'exponential'
  backoffDelay?: string
  timeout?: string
  retryAfterMax?: string
  format?: 'json' | 'binary'
}

export interface DeliveryStatus {
  deadLetterSinkUri?: string
  deadLetterSinkCACerts?: string
  deadLetterSinkAudience?: string
}

export type ConditionStatus = 'True' | 'False' | 'Unknown'

export interface Condition {
  type: string
  status: ConditionStatus
  severity?: 'Info' | 'Warning'
  lastTransitionTime?: string
  reason?: string
  message?: string
}

/** The status every Knative kind has. */
export interface KResourceStatus {
  observedGeneration?: number
  conditions?: Condition[]
  annotations?: Record<string, string>
}

export interface CloudEventAttributes {
  type?: string
  source?: string
}

export interface SourceStatus extends KResourceStatus {
  sinkUri?: string
  sinkCACerts?: string
  sinkAudience?: string
  ceAttributes?: CloudEventAttributes[]
  auth?: { serviceAccountName?: string }
}

export interface CloudEventOverrides {
  extensions?: Record<string, string>
}

/** One physical subscriber of a channel (`spec.subscribers[]`). */
export interface SubscriberSpec {
  uid: string
  name?: string
  generation?: number
  subscriberUri?: string
  subscriberCACerts?: string
  replyUri?: string
  replyCACerts?: string
  delivery?: DeliverySpec
}

export interface SubscriberStatus {
  uid: string
  observedGeneration?: number
  ready?: ConditionStatus
  message?: string
}
