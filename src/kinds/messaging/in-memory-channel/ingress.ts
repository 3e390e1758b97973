// The door of every InMemoryChannel: `POST /channels/NAMESPACE/NAME`, or any path at `NAME-kn-channel.NAMESPACE.svc`.
import { closedEndpoint } from '../../../engine/reconciler.ts'
import type { Endpoint, EndpointProvider, KindDeps } from '../../../engine/reconciler.ts'
import { controllerOf } from '../../../model/kubernetes/resource.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { inMemoryChannelKind, inMemoryChannelStream } from './schema.ts'
import type { InMemoryChannel } from './schema.ts'

const hostPattern = /^(.+)-kn-channel\.([^.]+)\.svc(?:\.cluster\.local)?$/
const pathPattern = /^\/channels\/([^/]+)\/([^/]+)\/?$/

export function channelIngress({
  caches,
  delivery,
  transport,
}: Pick<KindDeps, 'caches' | 'delivery' | 'transport'>): EndpointProvider {
  /** The channel whose Service has this name: of a long channel's name only the beginning and a hash are in it. */
  const channelBehind = (namespace: string, serviceName: string): InMemoryChannel | undefined => {
    const service = caches.get<Resource>('Service', namespace, serviceName)
    const owner = service === undefined ? undefined : controllerOf(service)
    if (owner?.kind !== 'InMemoryChannel') return undefined
    const channel = caches.get<InMemoryChannel>(inMemoryChannelKind, namespace, owner.name)
    return channel?.metadata.uid === owner.uid ? channel : undefined
  }
  return {
    find(host, path): Endpoint | undefined {
      const match = host === '' ? pathPattern.exec(path) : hostPattern.exec(host)
      if (match === null) return undefined
      const [named, namespace] = host === '' ? [match[2]!, match[1]!] : [match[1]!, match[2]!]
      const channel =
        caches.get<InMemoryChannel>(inMemoryChannelKind, namespace, named) ??
        (host === '' ? undefined : channelBehind(namespace, `${named}-kn-channel`))
      if (channel === undefined) return undefined
      const { name } = channel.metadata
      const stream = transport.stream(inMemoryChannelStream(channel))
      if (channel.status?.address === undefined || stream === undefined) {
        return closedEndpoint(`InMemoryChannel ${namespace}/${name} is not Ready yet`)
      }
      return delivery.channelEndpoint({ namespace, name, stream })
    },
  }
}
