// The rules of an Ingress as the gateway's routing table takes them.
import type { HostRule } from '../../../engine/request-path/host-rules.ts'
import type { HostPath, HostTarget } from '../../../engine/request-path/path-endpoint.ts'
import type { HttpIngressPath, IngressBackendSplit, IngressSpec } from './schema.ts'

/**
 * Both visibilities are programmed: the one gateway on loopback serves the cluster and this machine, and a Route for the
 * cluster alone has no public host in the first place.
 */
export function hostRulesOf({ rules = [], httpOption }: IngressSpec): HostRule[] {
  return rules.map(({ hosts = [], visibility, http }) => {
    // Programs that run here are not sent to a port that they cannot reach.
    const isRedirected = httpOption === 'Redirected' && visibility !== 'ClusterLocal'
    return {
      hosts: hosts.length === 0 ? ['*'] : hosts.map((host) => host.toLowerCase().replace(/:\d*$/, '')),
      paths: (http?.paths ?? []).map((path) => hostPath(path, isRedirected)),
    }
  })
}

function hostPath(path: HttpIngressPath, isRedirected: boolean): HostPath {
  const { path: prefix = '', headers = {}, rewriteHost = '', splits, appendHeaders } = path
  return {
    prefix: prefix === '' ? '/' : prefix,
    headers: lowerCased(Object.entries(headers).map(([name, { exact }]) => [name, exact])),
    targets: splits.map((split) => hostTarget(split, appendHeaders)),
    ...(rewriteHost === '' ? {} : { rewriteHost }),
    isRedirected,
  }
}

function hostTarget(split: IngressBackendSplit, inherited: Record<string, string> = {}): HostTarget {
  const { serviceNamespace, serviceName, percent = 100, appendHeaders = {} } = split
  return {
    namespace: serviceNamespace,
    name: serviceName,
    percent,
    setHeaders: lowerCased([...Object.entries(inherited), ...Object.entries(appendHeaders)]),
  }
}

const lowerCased = (entries: [string, string][]): Record<string, string> =>
  Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), value]))
