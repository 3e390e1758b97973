// What a Route gets that it did not ask for. Source: knative/serving pkg/apis/serving/v1/route_defaults.go.
import { defaultTraffic } from '../../../model/serving/traffic.ts'
import type { Route } from './schema.ts'

export function setRouteDefaults(draft: Route): void {
  draft.spec ??= {}
  const traffic = defaultTraffic(draft.spec.traffic, false)
  if (traffic !== undefined) draft.spec.traffic = traffic
}
