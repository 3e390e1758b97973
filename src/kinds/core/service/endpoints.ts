// Where Services answer: hosts of the cluster that lead to ready Pods, by the Service's selector and ports.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Endpoint, EndpointProvider, ForwardOptions, HttpEndpoint, KindDeps } from '../../../engine/reconciler.ts'
import { createPodProxy } from '../../../engine/request-path/pod-proxy.ts'
import type { AppProtocol, PodEndpoint } from '../../../engine/serving.ts'
import type { Service, ServicePort } from './schema.ts'

/** What an endpoint is made of. Plain data: compared as JSON. */
export type EndpointSpec =
  | { kind: 'pods'; namespace: string; name: string; selector: Record<string, string>; ports: ServicePort[] }
  | { kind: 'alias'; namespace: string; name: string; externalName: string }

/** Of Services that the autoscaler makes: the Revision behind them is reached by its Route, never by them. */
const revisionServiceLabel = 'networking.internal.knative.dev/serverlessservice'
/** Port that a container without any is told to listen on. Source: Knative runtime contract. */
const undeclaredPort = 8_080
const defaultPort = 80
/** How many names may stand for one another: more are a circle. */
const aliasesMax = 8

/** `undefined` when the Service answers nowhere. */
export function endpointSpec({ metadata, spec }: Service): EndpointSpec | undefined {
  const { name, namespace = '', labels = {} } = metadata
  if (labels[revisionServiceLabel] !== undefined) return undefined
  const { type, externalName = '', selector = {}, ports = [] } = spec
  if (type === 'ExternalName') {
    return externalName === '' ? undefined : { kind: 'alias', namespace, name, externalName }
  }
  return Object.keys(selector).length === 0 ? undefined : { kind: 'pods', namespace, name, selector, ports }
}

type Deps = Pick<KindDeps, 'pods' | 'endpoints' | 'clock' | 'random'>
type Find = (path: string) => Endpoint | undefined

export class ServiceEndpoints implements EndpointProvider {
  #deps: Deps
  /** By every host name of a Service. */
  #hosts = new Map<string, Find>()
  #aliases = 0

  constructor(deps: Deps) {
    this.#deps = deps
  }

  find(host: string, path: string): Endpoint | undefined {
    return this.#hosts.get(host)?.(path)
  }

  /** Answers at the Service's hosts until it is disposed. */
  open(spec: EndpointSpec): AsyncDisposable {
    const opened = new DisposableStack()
    const find = spec.kind === 'alias' ? this.#aliasFor(spec.externalName) : this.#podsOf(spec, opened)
    const short = `${spec.name}.${spec.namespace}`
    const hosts = [short, `${short}.svc`, `${short}.svc.cluster.local`]
    for (const host of hosts) this.#hosts.set(host, find)
    return {
      [Symbol.asyncDispose]: () => {
        for (const host of hosts) if (this.#hosts.get(host) === find) this.#hosts.delete(host)
        opened.dispose()
        return Promise.resolve()
      },
    }
  }

  /** Whoever answers at the other name, if that is somebody of this process. */
  #aliasFor(externalName: string): Find {
    const host = externalName.toLowerCase().replace(/\.$/, '')
    return (path) => {
      if (this.#aliases >= aliasesMax) return undefined
      this.#aliases++
      try {
        return this.#deps.endpoints.find(host, path)
      } finally {
        this.#aliases--
      }
    }
  }

  #podsOf(spec: Extract<EndpointSpec, { kind: 'pods' }>, opened: DisposableStack): Find {
    const { pods, clock, random } = this.#deps
    const { namespace, selector } = spec
    const ports = spec.ports.length > 0 ? spec.ports : [{ port: defaultPort, targetPort: undeclaredPort }]
    const proxies = ports.map((port) => {
      const portOf = (pod: PodEndpoint): number | undefined => targetPort(pod, port)
      const protocol = protocolOf(port)
      const proxy = opened.use(createPodProxy({ pods, namespace, selector, portOf, protocol, clock, random }))
      return { port: port.port ?? defaultPort, proxy }
    })
    const endpoint = proxies.length === 1 ? proxies[0]!.proxy : new PortChoice(proxies)
    return () => endpoint
  }
}

/** The port on the Pod's host that leads to what the Service's port means. */
function targetPort(
  pod: PodEndpoint,
  { port = defaultPort, targetPort: target = port }: ServicePort,
): number | undefined {
  const containerPort = typeof target === 'string' && !/^\d+$/.test(target) ? pod.namedPort(target) : Number(target)
  return containerPort === undefined ? undefined : pod.portOf(containerPort)
}

const protocolOf = ({ name = '', appProtocol = '' }: ServicePort): AppProtocol =>
  appProtocol === 'kubernetes.io/h2c' || ['h2c', 'grpc'].includes(name) || appProtocol === 'grpc' ? 'h2c' : 'http1'

/** Several ports behind one host: the one that the request's Host names, else 80, else the first. */
class PortChoice implements HttpEndpoint {
  readonly kind = 'http'
  #proxies: readonly { port: number; proxy: HttpEndpoint }[]

  constructor(proxies: readonly { port: number; proxy: HttpEndpoint }[]) {
    this.#proxies = proxies
  }

  handle(request: IncomingMessage, response: ServerResponse, options?: ForwardOptions): void {
    this.#choose(request).handle(request, response, options)
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, options?: ForwardOptions): void {
    this.#choose(request).upgrade?.(request, socket, head, options)
  }

  #choose({ headers }: IncomingMessage): HttpEndpoint {
    const authority = headers[':authority'] ?? headers.host ?? ''
    const asked = Number(/:(\d+)$/.exec(String(authority))?.[1] ?? defaultPort)
    const byPort = (wanted: number): HttpEndpoint | undefined =>
      this.#proxies.find(({ port }) => port === wanted)?.proxy
    return byPort(asked) ?? byPort(defaultPort) ?? this.#proxies[0]!.proxy
  }
}
