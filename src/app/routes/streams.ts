// `GET /knode/v1/streams`: streams and their consumers, with the objects they belong to, and how far behind these are.
import type { ExtraRoute } from '../../engine/api-server/http/api-front.ts'
import type { Caches } from '../../engine/reconciler.ts'
import { brokerKind, brokerStream } from '../../kinds/eventing/broker/schema.ts'
import type { Broker } from '../../kinds/eventing/broker/schema.ts'
import { triggerKind } from '../../kinds/eventing/trigger/schema.ts'
import { inMemoryChannelKind, inMemoryChannelStream } from '../../kinds/messaging/in-memory-channel/schema.ts'
import type { InMemoryChannel } from '../../kinds/messaging/in-memory-channel/schema.ts'
import { subscriptionKind } from '../../kinds/messaging/subscription/schema.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import type { ConsumerInfo, StreamInfo } from '../../ports/event-transport/port.ts'
import { defineRoute } from './route.ts'
import type { RouteDeps } from './route.ts'

/** `kind` with its group: `Trigger.eventing.knative.dev`. */
export interface ObjectName {
  kind: string
  namespace: string
  name: string
}

/** A stream as `knode streams -o json` shows it. */
export interface StreamLine extends Omit<StreamInfo, 'consumers'> {
  /** The Broker or channel whose events it holds; absent when that is gone. */
  resource?: ObjectName
  consumers: ConsumerLine[]
}

export interface ConsumerLine extends ConsumerInfo {
  /** The Trigger or Subscription that consumes; absent when that is gone. */
  owner?: ObjectName
}

export const streamsRoute = ({ caches, transport }: Pick<RouteDeps, 'caches' | 'transport'>): ExtraRoute =>
  defineRoute('GET', '/knode/v1/streams', (_, response) => {
    const resources = resourcesByStream(caches)
    const owners = ownersByUid(caches)
    const streams = transport.streams().map((stream): StreamLine => {
      const resource = resources.get(stream.name)
      const consumers = stream.consumers.map((consumer): ConsumerLine => {
        const owner = owners.get(consumer.name)
        return owner === undefined ? consumer : { ...consumer, owner }
      })
      return { ...stream, ...(resource !== undefined && { resource }), consumers }
    })
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ streams }))
  })

function resourcesByStream(caches: Caches): Map<string, ObjectName> {
  const brokers = caches.list<Broker>(brokerKind)
  const channels = caches.list<InMemoryChannel>(inMemoryChannelKind)
  return new Map([
    ...brokers.map((broker) => [brokerStream(broker), nameOf(brokerKind, broker)] as const),
    ...channels.map((channel) => [inMemoryChannelStream(channel), nameOf(inMemoryChannelKind, channel)] as const),
  ])
}

/** Consumers are named by the uid of their owner. */
const ownersByUid = (caches: Caches): Map<string, ObjectName> =>
  new Map(
    [triggerKind, subscriptionKind].flatMap((kind) =>
      caches.list(kind).map((owner) => [owner.metadata.uid ?? '', nameOf(kind, owner)] as const),
    ),
  )

const nameOf = (kind: string, { metadata }: Resource): ObjectName => ({
  kind,
  namespace: metadata.namespace ?? '',
  name: metadata.name,
})
