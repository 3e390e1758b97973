// Makes addresses in a container's environment work from inside it.

/** Where a container finds Knode's gateway. */
export interface GatewayView {
  /** The gateway's port, as on this machine. */
  port: number
  /** Address of this machine as the container sees it; for `/etc/hosts`, so an IP or `host-gateway`. */
  hostAddress: string
  /** The same in URLs. */
  hostName: string
}

/** Names that Knode resolves itself, and names that mean loopback for everybody. Sources: Kubernetes DNS, sslip.io. */
const clusterName = /^[a-z0-9.-]+\.svc(?:\.cluster\.local)?$/
const loopbackName = /^[a-z0-9.-]+\.127[.-]0[.-]0[.-]1\.(?:sslip\.io|nip\.io)$/
const loopbackHosts = new Set(['127.0.0.1', 'localhost', '[::1]'])

export interface RewrittenEnv {
  env: Record<string, string>
  /** Names that must lead to {@link GatewayView.hostAddress}. */
  hostnames: string[]
}

/**
 * Changes http and https URLs, alone or within a value:
 * - the gateway's loopback address becomes the name of this machine, by http: no certificate is for an address;
 * - a name of the cluster stays, gets the gateway's port unless it has one, and must be resolved;
 * - so must a name that means loopback, if it has the gateway's port.
 */
export function rewriteEnv(env: Readonly<Record<string, string>>, { port, hostName }: GatewayView): RewrittenEnv {
  const hostnames = new Set<string>()
  const rewrite = (url: string, scheme: string, host: string, givenPort: string | undefined): string => {
    const isGateway = givenPort === `:${port}`
    if (loopbackHosts.has(host)) return isGateway && scheme === 'http://' ? `${scheme}${hostName}${givenPort}` : url
    if (clusterName.test(host)) {
      hostnames.add(host)
      const ownPort = scheme === 'http://' ? ':80' : ':443'
      return givenPort === undefined || givenPort === ownPort ? `${scheme}${host}:${port}` : url
    }
    if (isGateway && loopbackName.test(host)) hostnames.add(host)
    return url
  }
  const rewritten = Object.entries(env).map(([name, value]) => [
    name,
    value.replace(/(https?:\/\/)(\[[0-9a-f:]+\]|[A-Za-z0-9.-]+)(:\d+)?(?![\w.@:-])/g, rewrite),
  ])
  return { env: Object.fromEntries(rewritten) as Record<string, string>, hostnames: [...hostnames] }
}
