// A workload as the body of "Create a container". Source: Docker Engine API.
import { isIPv4 } from 'node:net'
import { join, resolve } from 'node:path'
import type { WorkloadSpec } from '../port.ts'
import { rewriteEnv } from './gateway-addresses.ts'
import type { GatewayView } from './gateway-addresses.ts'
import type { EngineNetwork } from './engine-network.ts'

/** Labels by which a later Knode finds what a killed one left behind. */
export const labels = { dataDir: 'knode.dev/data-dir', name: 'knode.dev/name', namespace: 'knode.dev/namespace' }

export interface CreateOptions {
  spec: WorkloadSpec
  /** The image's name for the engine. */
  image: string
  /** The data directory of this Knode. */
  owner: string
  network: EngineNetwork
  gateway: GatewayView | undefined
  /** Name servers of this machine. */
  servers: readonly string[]
  /** Container whose network it joins. */
  sharesNetworkOf: string | undefined
  /** By port of the container: the one on the loopback interface that leads to it. */
  published: ReadonlyMap<number, number>
}

/** The ports that the container is reached at, if it has a network of its own. */
export const portsOf = ({ containerPort, otherPorts = [] }: WorkloadSpec): number[] =>
  [...new Set([containerPort, ...otherPorts])].filter((port) => port !== undefined)

export function createBody(options: CreateOptions): object {
  const { spec, image, owner, network, gateway, servers, sharesNetworkOf, published } = options
  const { env, hostnames } = gateway === undefined ? { env: spec.env, hostnames: [] } : rewriteEnv(spec.env, gateway)
  const ports = sharesNetworkOf === undefined ? portsOf(spec) : []
  return {
    Image: image,
    Env: Object.entries({ ...(spec.containerPort && { PORT: String(spec.containerPort) }), ...env }).map(
      ([name, value]) => `${name}=${value}`,
    ),
    // With an entry point of its own and no arguments, the image's arguments do not count, as in Kubernetes.
    ...(spec.command && { Entrypoint: spec.command, Cmd: spec.args ?? [] }),
    ...(!spec.command && spec.args && { Cmd: spec.args }),
    ...(spec.workdir !== undefined && { WorkingDir: spec.workdir }),
    ...userOf(spec),
    AttachStdout: true,
    AttachStderr: true,
    Labels: { [labels.dataDir]: owner, [labels.name]: spec.name, [labels.namespace]: spec.namespace },
    ExposedPorts: Object.fromEntries(ports.map((port) => [`${port}/tcp`, {}])),
    HostConfig: {
      ...hostConfig(spec),
      // Knode is attached and keeps the newest lines; on disk, what a program prints would only grow.
      LogConfig: { Type: 'none' },
      NetworkMode: sharesNetworkOf === undefined ? network.mode : `container:${sharesNetworkOf}`,
      ...(published.size > 0 && { PortBindings: bindings(published) }),
      // A shared network has the names of the container it belongs to.
      ...(sharesNetworkOf === undefined && {
        ExtraHosts: extraHosts(spec, hostnames, gateway),
        ...(gateway !== undefined && network.needsRelay && { Dns: nameServers(gateway, servers) }),
      }),
    },
  }
}

function hostConfig({ resources, readOnlyRootFilesystem, capabilities, mounts = [] }: WorkloadSpec): object {
  const { cpuMillis, memoryBytes } = resources ?? {}
  return {
    // Equal limits for memory with and without swap mean no swap.
    ...(memoryBytes !== undefined && { Memory: memoryBytes, MemorySwap: memoryBytes }),
    ...(cpuMillis !== undefined && { NanoCpus: cpuMillis * 1_000_000 }),
    ...(readOnlyRootFilesystem === true && { ReadonlyRootfs: true }),
    ...(capabilities?.add && { CapAdd: capabilities.add }),
    ...(capabilities?.drop && { CapDrop: capabilities.drop }),
    Mounts: mounts.map(({ hostPath, mountPath, readOnly = false, subPath = '' }) => ({
      Type: 'bind',
      Source: resolve(join(hostPath, subPath)),
      Target: mountPath,
      ReadOnly: readOnly,
    })),
    // Where SELinux confines containers, files that only Knode made are out of their reach otherwise.
    ...(mounts.length > 0 && { SecurityOpt: ['label=disable'] }),
  }
}

function userOf({ user }: WorkloadSpec): object {
  // A group alone cannot be asked for: the image's user stays, with its own group.
  if (user?.uid === undefined) return {}
  return { User: user.gid === undefined ? String(user.uid) : `${user.uid}:${user.gid}` }
}

const bindings = (published: ReadonlyMap<number, number>): object =>
  Object.fromEntries(
    [...published].map(([port, hostPort]) => [`${port}/tcp`, [{ HostIp: '127.0.0.1', HostPort: String(hostPort) }]]),
  )

/** Knode's own first. The machine's stand behind it, but for those on its loopback interface, which nobody else reaches. */
const nameServers = ({ hostAddress }: GatewayView, servers: readonly string[]): string[] => [
  hostAddress,
  ...servers.filter((server) => isIPv4(server) && !server.startsWith('127.')),
]

function extraHosts(
  { hostAliases = [] }: WorkloadSpec,
  hostnames: readonly string[],
  gateway: GatewayView | undefined,
): string[] {
  const aliases = hostAliases.flatMap(({ ip, hostnames }) => hostnames.map((name) => `${name}:${ip}`))
  if (gateway === undefined) return aliases
  const names = gateway.hostName === gateway.hostAddress ? hostnames : [gateway.hostName, ...hostnames]
  return [...names.map((name) => `${name}:${gateway.hostAddress}`), ...aliases]
}
