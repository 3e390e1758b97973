// Route serving.knative.dev/v1. Source: knative/serving pkg/apis/serving/v1/route_types.go.
import type { AddressStatus, KResourceStatus } from '../../../model/duck/types.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { addressable, object, statusOf, string } from '../../../model/kubernetes/schema.ts'
import { trafficSchema } from '../../../model/serving/traffic.ts'
import type { TrafficTarget } from '../../../model/serving/traffic.ts'

export const routeKind = 'Route.serving.knative.dev'

export interface RouteSpec {
  traffic?: TrafficTarget[]
}

export interface RouteStatus extends KResourceStatus, Pick<AddressStatus, 'address'> {
  url?: string
  /** By Revision: no target names a Configuration. */
  traffic?: TrafficTarget[]
}

export interface Route extends Resource {
  spec: RouteSpec
  status?: RouteStatus
}

export const routeSchema = {
  spec: object('Where requests go.', { traffic: trafficSchema }),
  status: statusOf({
    url: string('Where clients reach the Route.'),
    address: addressable('Where the cluster reaches the Route.'),
    traffic: trafficSchema,
  }),
}
