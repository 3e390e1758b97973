// How containers of an engine are reached, and how they reach this machine. See docs/decisions/, "containers' network".
import type { EngineAddress } from './engine-address.ts'
import type { EngineClient } from './engine-client.ts'

export interface EngineNetwork {
  /** Docker's `NetworkMode`. */
  mode: string
  /** `direct`: by the container's own address. `published`: by ports of this machine's loopback interface. */
  reach: 'direct' | 'published'
  /** Address of this machine for a container's `/etc/hosts`, and its name in URLs. */
  hostAddress: string
  hostName: string
  /** Whether `hostAddress` leads here only with a relay, because it is not the loopback interface. */
  needsRelay: boolean
  /** Whether its containers are processes of this machine, not of a virtual one. */
  isLocal: boolean
}

interface EngineInfo {
  OperatingSystem?: string
  SecurityOptions?: string[] | null
  /** Podman's own: Docker tells it among the security options. */
  Rootless?: boolean
}

interface NetworkInfo {
  IPAM?: { Config?: { Gateway?: string }[] | null }
}

/** This machine as seen through slirp4netns. Source: slirp4netns(1). */
const slirpHost = '10.0.2.2'
/** The name by which engines in a virtual machine forward to the loopback interface of the machine around it. */
const desktopHost = 'host.docker.internal'

/** @throws the signal's reason when it aborts first */
export async function engineNetwork(engine: EngineClient, signal: AbortSignal): Promise<EngineNetwork> {
  const info = await engine.call<EngineInfo>('GET', '/info', { signal })
  const isRootless = info.Rootless ?? info.SecurityOptions?.some((option) => option.includes('rootless')) ?? false
  const isLocal = isOnThisKernel(engine.address) && info.OperatingSystem !== 'Docker Desktop'
  if (isLocal && !isRootless) {
    const { IPAM } = await engine.call<NetworkInfo>('GET', '/networks/bridge', { signal })
    const gateway = IPAM?.Config?.find(({ Gateway = '' }) => /^[\d.]+$/.test(Gateway))?.Gateway
    // Podman takes its bridge away with the last container: what is sent to an address of it then leaves the machine.
    const reach = info.Rootless === undefined ? 'direct' : 'published'
    if (gateway !== undefined) {
      return { mode: 'bridge', reach, hostAddress: gateway, hostName: gateway, needsRelay: true, isLocal }
    }
  }
  if (isLocal && isRootless && (await hasSlirp(engine, signal))) {
    const mode = 'slirp4netns:allow_host_loopback=true'
    return { mode, reach: 'published', hostAddress: slirpHost, hostName: slirpHost, needsRelay: false, isLocal }
  }
  const host = { hostAddress: 'host-gateway', hostName: desktopHost }
  return { mode: 'bridge', reach: 'published', ...host, needsRelay: false, isLocal }
}

/** Elsewhere engines run in a virtual machine. */
const isOnThisKernel = ({ kind }: EngineAddress): boolean => process.platform === 'linux' && kind === 'unix'

/** Whether a Podman has it; other engines know nothing of the question. */
async function hasSlirp(engine: EngineClient, signal: AbortSignal): Promise<boolean> {
  type Info = { host?: { slirp4netns?: { executable?: string } } }
  const info = await engine.call<Info>('GET', '/v4.0.0/libpod/info', { signal }).catch(() => undefined)
  return (info?.host?.slirp4netns?.executable ?? '') !== ''
}
