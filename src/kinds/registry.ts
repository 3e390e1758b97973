// Every kind that Knode serves. To add one: its folder, and one line here.
import type { KindDefinition } from '../engine/kind.ts'
import { customResourceDefinition } from './apiextensions/custom-resource-definition/kind.ts'
import { configMap } from './core/config-map/kind.ts'
import { event } from './core/event/kind.ts'
import { namespace } from './core/namespace/kind.ts'
import { pod } from './core/pod/kind.ts'
import { secret } from './core/secret/kind.ts'
import { serviceAccount } from './core/service-account/kind.ts'
import { service } from './core/service/kind.ts'
import { metric } from './autoscaling/metric/kind.ts'
import { podAutoscaler } from './autoscaling/pod-autoscaler/kind.ts'
import { deployment } from './apps/deployment/kind.ts'
import { broker } from './eventing/broker/kind.ts'
import { trigger } from './eventing/trigger/kind.ts'
import { parallel } from './flows/parallel/kind.ts'
import { sequence } from './flows/sequence/kind.ts'
import { channel } from './messaging/channel/kind.ts'
import { inMemoryChannel } from './messaging/in-memory-channel/kind.ts'
import { subscription } from './messaging/subscription/kind.ts'
import { certificate } from './networking/certificate/kind.ts'
import { clusterDomainClaim } from './networking/cluster-domain-claim/kind.ts'
import { ingress } from './networking/ingress/kind.ts'
import { serverlessService } from './networking/serverless-service/kind.ts'
import { pingSource } from './sources/ping-source/kind.ts'
import { configuration } from './serving/configuration/kind.ts'
import { domainMapping } from './serving/domain-mapping/kind.ts'
import { revision } from './serving/revision/kind.ts'
import { route } from './serving/route/kind.ts'
import { servingService } from './serving/service/kind.ts'

export const kinds: readonly KindDefinition[] = [
  namespace,
  configMap,
  secret,
  serviceAccount,
  event,
  service,
  pod,
  deployment,
  customResourceDefinition,
  broker,
  trigger,
  channel,
  inMemoryChannel,
  subscription,
  sequence,
  parallel,
  pingSource,
  servingService,
  configuration,
  revision,
  route,
  domainMapping,
  podAutoscaler,
  metric,
  ingress,
  serverlessService,
  certificate,
  clusterDomainClaim,
]
