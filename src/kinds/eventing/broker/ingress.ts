// The door of every Broker: `POST /NAMESPACE/NAME`, on the gateway's address or as `broker-ingress`.
import { dedupWindowMs } from '../../../engine/delivery/annotations.ts'
import { closedEndpoint } from '../../../engine/reconciler.ts'
import type { Endpoint, EndpointOptions, EndpointProvider, KindDeps } from '../../../engine/reconciler.ts'
import { eventingSystemNamespace } from '../../../model/knative/feature-flags.ts'
import type { EventStream } from '../../../ports/event-transport/port.ts'
import { brokerClass, brokerClassAnnotation, brokerKind, brokerStream } from './schema.ts'
import type { Broker } from './schema.ts'

const ingressHosts = new Set([
  '',
  `broker-ingress.${eventingSystemNamespace}.svc.cluster.local`,
  `broker-ingress.${eventingSystemNamespace}.svc`,
])

/** Finds Brokers in the cache: only what is stored counts, not what a reconciler knows. */
export function brokerIngress({
  caches,
  delivery,
  transport,
}: Pick<KindDeps, 'caches' | 'delivery' | 'transport'>): EndpointProvider {
  /** By a Broker as it is stored: most requests are for the same few. */
  const doors = new WeakMap<Broker, Endpoint>()
  return {
    find(host, path): Endpoint | undefined {
      if (!ingressHosts.has(host)) return undefined
      const [, namespace = '', name = '', ...rest] = path.split('/')
      // One trailing slash is tolerated, as upstream does.
      if (name === '' || rest.length > 1 || (rest.length === 1 && rest[0] !== '')) return undefined
      const broker = caches.get<Broker>(brokerKind, namespace, name)
      const known = broker === undefined ? undefined : doors.get(broker)
      if (known !== undefined) return known
      if (broker?.metadata.annotations?.[brokerClassAnnotation] !== brokerClass) return undefined
      const stream = transport.stream(brokerStream(broker))
      if (broker.status?.address === undefined || stream === undefined) {
        return closedEndpoint(`Broker ${namespace}/${name} is not Ready yet`)
      }
      const endpoint = delivery.brokerEndpoint(doorOf(broker, stream))
      doors.set(broker, endpoint)
      return endpoint
    },
  }
}

/** What a Broker asks of its door. */
export function doorOf({ metadata }: Broker, stream: EventStream): EndpointOptions {
  const { namespace = '', name, annotations } = metadata
  const dedupMs = dedupWindowMs(annotations)
  return { namespace, name, stream, ...(dedupMs !== undefined && { dedupMs }) }
}
