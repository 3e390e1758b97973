// Every kind that Knode serves. To add one: its folder, and one line here.
import type { KindDefinition } from '../engine/kind.ts'
import { customResourceDefinition } from './apiextensions/custom-resource-definition/kind.ts'
import { configMap } from './core/config-map/kind.ts'
import { event } from './core/event/kind.ts'
import { namespace } from './core/namespace/kind.ts'
import { secret } from './core/secret/kind.ts'
import { serviceAccount } from './core/service-account/kind.ts'
import { service } from './core/service/kind.ts'
import { broker } from './eventing/broker/kind.ts'
import { trigger } from './eventing/trigger/kind.ts'
import { parallel } from './flows/parallel/kind.ts'
import { sequence } from './flows/sequence/kind.ts'
import { channel } from './messaging/channel/kind.ts'
import { inMemoryChannel } from './messaging/in-memory-channel/kind.ts'
import { subscription } from './messaging/subscription/kind.ts'
import { pingSource } from './sources/ping-source/kind.ts'
import { servingService } from './serving/service/kind.ts'

export const kinds: readonly KindDefinition[] = [
  namespace,
  configMap,
  secret,
  serviceAccount,
  event,
  service,
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
]
