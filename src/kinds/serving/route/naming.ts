// The hosts and URLs of a Route and its tags. Source: knative/serving pkg/reconciler/route/domains/domains.go.
import { messageOf } from '../../../base/errors.ts'
import { domainNameObjection } from '../../../model/kubernetes/domain-name.ts'
import { executeTemplate } from '../../../model/kubernetes/go-template.ts'
import { domainFor } from '../../../model/serving/domain-config.ts'
import { clusterLocalVisibility, visibilityLabel } from '../../../model/serving/metadata-keys.ts'
import { defaultDomainTemplate } from '../../../model/serving/network-config.ts'
import type { NetworkConfig } from '../../../model/serving/network-config.ts'
import { clusterServiceDomain } from '../../../model/serving/network-keys.ts'
import type { ConfigData } from '../../../model/serving/serving-config.ts'
import type { Route } from './schema.ts'

export interface NamingConfig {
  network: NetworkConfig
  /** ConfigMap `config-domain`. */
  domains: ConfigData
  /** Where Services are that no domain selects, with the gateway's port: `127.0.0.1.sslip.io:7481`. */
  serviceDomain: string
}

/** A template gives no host. */
export class DomainNameError extends Error {}

/** The tag of the Route itself is `''`. */
export class RouteNaming {
  #route: Route
  #config: NamingConfig
  /** The domain of the public hosts, without port. */
  readonly domain: string
  /** Of the gateway, where the domain is its own: `:7481`. */
  #port: string

  constructor(route: Route, config: NamingConfig) {
    this.#route = route
    this.#config = config
    const { domains, serviceDomain } = config
    const domain = domainFor(route.metadata.labels ?? {}, domains, serviceDomain)
    this.#port = domain === serviceDomain ? (/:\d+$/.exec(domain)?.[0] ?? '') : ''
    this.domain = domain.slice(0, domain.length - this.#port.length)
  }

  /** Whether the whole Route is for the cluster alone. */
  get isLocal(): boolean {
    return this.domain === clusterServiceDomain
  }

  /** The first part of a host, and the name of the placeholder Service. @throws {DomainNameError} */
  hostname(tag: string): string {
    const { name } = this.#route.metadata
    if (tag === '') return name
    try {
      return executeTemplate('tag-template', this.#config.network.tagTemplate, { Name: name, Tag: tag })
    } catch (thrown) {
      throw failed(`error executing the TagTemplate: ${messageOf(thrown)}`)
    }
  }

  /** Without port. @throws {DomainNameError} */
  host(tag: string, isLocal: boolean): string {
    const { namespace = '', annotations = {} } = this.#route.metadata
    const { network } = this.#config
    const template = isLocal ? defaultDomainTemplate : network.domainTemplate
    const data = {
      Name: this.hostname(tag),
      Namespace: namespace,
      Domain: isLocal ? clusterServiceDomain : this.domain,
      Annotations: annotations,
      Labels: this.#labels(isLocal),
    }
    let host: string
    try {
      host = executeTemplate('domain-template', template, data)
    } catch (thrown) {
      throw failed(`error executing the DomainTemplate: ${messageOf(thrown)}`)
    }
    const objection = domainNameObjection('url', host)
    if (objection !== undefined) throw failed(`invalid domain name ${JSON.stringify(host)}: ${objection}`)
    return host
  }

  /** All names of the host in the cluster; the bare name is none of them. @throws {DomainNameError} */
  localHosts(tag: string): string[] {
    const host = this.host(tag, true)
    return [host.slice(0, -clusterServiceDomain.length - 1), host.replace(/\.cluster\.local$/, ''), host].filter(
      // A number at the end makes an IP address of a name.
      (name) => !/(^|\.)\d+$/.test(name),
    )
  }

  /** As the status shows it: with the gateway's port where the domain is the gateway's own. @throws {DomainNameError} */
  url(tag: string, isLocal: boolean): string {
    const host = this.host(tag, isLocal)
    return isLocal ? `http://${host}` : `${this.#config.network.defaultExternalScheme}://${host}${this.#port}`
  }

  #labels(isLocal: boolean): Record<string, string> {
    const { [visibilityLabel]: _, ...labels } = this.#route.metadata.labels ?? {}
    return isLocal ? { ...labels, [visibilityLabel]: clusterLocalVisibility } : labels
  }
}

const failed = (message: string): DomainNameError => new DomainNameError(`domain name error: ${message}`)
