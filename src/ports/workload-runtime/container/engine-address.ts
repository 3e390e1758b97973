// Where a container engine may listen. Sources: Docker's DOCKER_HOST, the sockets of Docker and of Podman.
import { existsSync } from 'node:fs'
import { join } from 'node:path'

export type EngineAddress = { kind: 'unix'; path: string } | { kind: 'tcp'; host: string; port: number }

/** Addresses to try, the best first. `DOCKER_HOST` rules out all others; an address Knode cannot speak to is left out. */
export function engineAddresses(env: Readonly<Record<string, string | undefined>>): EngineAddress[] {
  const { DOCKER_HOST: dockerHost = '', HOME: home = '', XDG_RUNTIME_DIR: runtimeDir = '' } = env
  if (dockerHost !== '') return parseAddress(dockerHost)
  return [
    '/var/run/docker.sock',
    ...(home === '' ? [] : [join(home, '.docker', 'run', 'docker.sock')]),
    ...(runtimeDir === '' ? [] : [join(runtimeDir, 'podman', 'podman.sock')]),
    '/run/podman/podman.sock',
  ].map((path) => ({ kind: 'unix', path }))
}

/** A socket that is there, or an address nobody can know about without asking. */
export const mayAnswer = (address: EngineAddress): boolean => address.kind === 'tcp' || existsSync(address.path)

export const addressText = (address: EngineAddress): string =>
  address.kind === 'unix' ? `unix://${address.path}` : `tcp://${address.host}:${address.port}`

/** Docker's form: `unix:///path` or `tcp://host:port`. TLS and ssh are not spoken. */
function parseAddress(text: string): EngineAddress[] {
  const unix = /^unix:\/\/(\/.+)$/.exec(text)?.[1]
  if (unix !== undefined) return [{ kind: 'unix', path: unix }]
  const tcp = /^(?:tcp|http):\/\/(?:\[([^\]]+)\]|([^:/]+)):(\d+)\/?$/.exec(text)
  return tcp === null ? [] : [{ kind: 'tcp', host: tcp[1] ?? tcp[2]!, port: Number(tcp[3]) }]
}
