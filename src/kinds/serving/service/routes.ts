// The addresses of Services at the gateway, and which Revision a request goes to.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Random } from '../../../base/random.ts'
import type { Addresses, EndpointProvider, HttpEndpoint } from '../../../engine/reconciler.ts'

/** One share of a Service's requests. */
export interface Share {
  revision: string
  backend: HttpEndpoint
  percent: number
  tag?: string
}

/** Keeps what is routed where: each Service has shares, and a host of its own for each tag. */
export class ServiceRoutes implements EndpointProvider {
  #addresses: Pick<Addresses, 'serviceDomain'>
  #random: Random
  /** By `NAMESPACE/NAME`. */
  #services = new Map<string, { isLocal: boolean; endpoint: HttpEndpoint; byTag: Map<string, HttpEndpoint> }>()

  constructor(deps: { addresses: Pick<Addresses, 'serviceDomain'>; random: Random }) {
    this.#addresses = deps.addresses
    this.#random = deps.random
  }

  /** `isLocal` keeps a Service off its public host. */
  set(namespace: string, name: string, shares: readonly Share[], { isLocal }: { isLocal: boolean }): void {
    const byTag = new Map(shares.flatMap(({ tag, backend }) => (tag === undefined ? [] : [[tag, backend]])))
    this.#services.set(`${namespace}/${name}`, { isLocal, endpoint: this.#split(shares), byTag })
  }

  delete(namespace: string, name: string): void {
    this.#services.delete(`${namespace}/${name}`)
  }

  find(host: string): HttpEndpoint | undefined {
    const address = this.#parse(host)
    if (address === undefined) return undefined
    const { name, namespace, isPublic } = address
    const service = this.#services.get(`${namespace}/${name}`)
    if (service !== undefined) return service.isLocal && isPublic ? undefined : service.endpoint
    // TAG-NAME: either part may contain dashes.
    for (let dash = name.indexOf('-'); dash > 0; dash = name.indexOf('-', dash + 1)) {
      const tagged = this.#services.get(`${namespace}/${name.slice(dash + 1)}`)
      const endpoint = tagged?.isLocal === true && isPublic ? undefined : tagged?.byTag.get(name.slice(0, dash))
      if (endpoint !== undefined) return endpoint
    }
    return undefined
  }

  #parse(host: string): { name: string; namespace: string; isPublic: boolean } | undefined {
    const domain = `.${this.#addresses.serviceDomain.replace(/:\d+$/, '')}`
    const isPublic = host.endsWith(domain)
    const suffix = isPublic ? domain : ['.svc.cluster.local', '.svc', ''].find((each) => host.endsWith(each))!
    const [name = '', namespace = '', ...more] = host.slice(0, host.length - suffix.length).split('.')
    return name === '' || namespace === '' || more.length > 0 ? undefined : { name, namespace, isPublic }
  }

  #split(shares: readonly Share[]): HttpEndpoint {
    const taking = shares.filter(({ percent }) => percent > 0)
    if (taking.length === 1) return taking[0]!.backend
    const pick = (): HttpEndpoint | undefined => {
      let left = this.#random.next() * taking.reduce((sum, { percent }) => sum + percent, 0)
      return taking.find(({ percent }) => (left -= percent) < 0)?.backend
    }
    return {
      kind: 'http',
      handle(request: IncomingMessage, response: ServerResponse) {
        const backend = pick()
        if (backend !== undefined) return backend.handle(request, response)
        request.resume()
        response.writeHead(503, { 'content-type': 'text/plain; charset=utf-8' }).end('no Revision takes requests\n')
      },
      upgrade(request: IncomingMessage, socket: Duplex, head: Buffer) {
        const backend = pick()
        if (backend?.upgrade === undefined) socket.destroy()
        else backend.upgrade(request, socket, head)
      },
    }
  }
}
