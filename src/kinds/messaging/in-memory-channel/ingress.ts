// The door of every InMemoryChannel: `POST /channels/NAMESPACE/NAME`, or any path at `NAME-kn-channel.NAMESPACE.svc`.
import { closedEndpoint } from '../../../engine/reconciler.ts'
import type { Endpoint, EndpointProvider, KindDeps } from '../../../engine/reconciler.ts'
import { inMemoryChannelKind, inMemoryChannelStream } from './schema.ts'
import type { InMemoryChannel } from './schema.ts'

const hostPattern = /^(.+)-kn-channel\.([^.]+)\.svc(?:\.cluster\.local)?$/
const pathPattern = /^\/channels\/([^/]+)\/([^/]+)\/?$/

export function channelIngress({
  caches,
  delivery,
  transport,
}: Pick<KindDeps, 'caches' | 'delivery' | 'transport'>): EndpointProvider {
  return {
    find(host, path): Endpoint | undefined {
      const match = host === '' ? pathPattern.exec(path) : hostPattern.exec(host)
      if (match === null) return undefined
      const [name, namespace] = host === '' ? [match[2]!, match[1]!] : [match[1]!, match[2]!]
      const channel = caches.get<InMemoryChannel>(inMemoryChannelKind, namespace, name)
      if (channel === undefined) return undefined
      const stream = transport.stream(inMemoryChannelStream(channel))
      if (channel.status?.address === undefined || stream === undefined) {
        return closedEndpoint(`InMemoryChannel ${namespace}/${name} is not Ready yet`)
      }
      return delivery.channelEndpoint({ namespace, name, stream })
    },
  }
}
