// Service serving.knative.dev/v1. Source: knative/serving pkg/apis/serving/v1/service_types.go.
import type { AddressStatus, KResourceStatus } from '../../../model/duck/types.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { addressable, object, statusOf, string } from '../../../model/kubernetes/schema.ts'
import { revisionTemplateSchema } from '../../../model/serving/revision-template.ts'
import type { RevisionTemplate } from '../../../model/serving/revision-template.ts'
import { trafficSchema } from '../../../model/serving/traffic.ts'
import type { TrafficTarget } from '../../../model/serving/traffic.ts'

export const servingServiceKind = 'Service.serving.knative.dev'

export interface ServiceSpec {
  template?: RevisionTemplate
  traffic?: TrafficTarget[]
}

export interface ServiceStatus extends KResourceStatus, AddressStatus {
  url?: string
  latestCreatedRevisionName?: string
  latestReadyRevisionName?: string
  traffic?: TrafficTarget[]
}

export interface Service extends Resource {
  spec: ServiceSpec
  status?: ServiceStatus
}

export const serviceSchema = {
  spec: object('What the Service should be.', { template: revisionTemplateSchema, traffic: trafficSchema }),
  status: statusOf({
    url: string('Where clients reach the Service.'),
    address: addressable('Where the cluster reaches the Service.'),
    latestCreatedRevisionName: string('The Revision made of the template as it is.'),
    latestReadyRevisionName: string('The newest Revision that became ready.'),
    traffic: trafficSchema,
  }),
}
