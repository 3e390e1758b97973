// What a Pod can be told about itself. Source: kubernetes/kubernetes pkg/fieldpath and pkg/api/v1/resource.
import { KnodeError } from '../../base/errors.ts'
import type { Container } from '../../model/kubernetes/pod/container-schema.ts'
import type { Pod } from '../../model/kubernetes/pod/pod.ts'
import { parseQuantity } from '../../model/kubernetes/quantity.ts'
import { own } from '../../model/own.ts'

/** Where a Pod runs. Containers see the addresses of their own network. */
export const hostIp = '127.0.0.1'

/** A `fieldRef`. @throws {KnodeError} WORKLOAD_FAILED for a path that no Pod has */
export function podField(pod: Pod, path: string): string {
  const { metadata, spec } = pod
  const keyed = /^metadata\.(labels|annotations)(?:\['(.*)'\])?$/.exec(path)
  if (keyed !== null) {
    const entries = metadata[keyed[1] as 'labels' | 'annotations'] ?? {}
    if (keyed[2] !== undefined) return own(entries, keyed[2]) ?? ''
    return Object.entries(entries)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
      .join('\n')
  }
  switch (path) {
    case 'metadata.name':
      return metadata.name
    case 'metadata.namespace':
      return metadata.namespace ?? ''
    case 'metadata.uid':
      return metadata.uid ?? ''
    case 'spec.nodeName':
      return spec.nodeName ?? ''
    case 'spec.serviceAccountName':
      return spec.serviceAccountName ?? ''
    case 'spec.restartPolicy':
      return spec.restartPolicy ?? ''
    case 'status.hostIP':
    case 'status.hostIPs':
      return hostIp
    case 'status.podIP':
    case 'status.podIPs':
      return pod.status?.podIP ?? hostIp
    default:
      throw new KnodeError('WORKLOAD_FAILED', `unsupported fieldPath: ${path}`)
  }
}

export interface ResourceRef {
  containerName?: string
  resource?: string
  divisor?: string | number
}

/**
 * A `resourceFieldRef`; limits that are not set are those of the machine.
 * @throws {KnodeError} WORKLOAD_FAILED for a resource or container that does not exist
 */
export function resourceField(
  pod: Pod,
  own: Container,
  { containerName = '', resource = '', divisor = '0' }: ResourceRef,
  machine: { cpus: number; memoryBytes: number },
): string {
  const { containers = [], initContainers = [] } = pod.spec
  const container =
    containerName === '' ? own : [...containers, ...initContainers].find(({ name }) => name === containerName)
  if (container === undefined) throw new KnodeError('WORKLOAD_FAILED', `container ${containerName} not found`)
  const [kind = '', name = ''] = resource.split(/\.(.*)/s)
  const fallback: Readonly<Record<string, number>> = { cpu: machine.cpus, memory: machine.memoryBytes }
  if (!['limits', 'requests'].includes(kind) || !['cpu', 'memory', 'ephemeral-storage'].includes(name)) {
    throw new KnodeError('WORKLOAD_FAILED', `unsupported container resource : ${resource}`)
  }
  const given = container.resources?.[kind as 'limits' | 'requests']?.[name]
  const value = given === undefined ? (kind === 'limits' ? (fallback[name] ?? 0) : 0) : (parseQuantity(given) ?? 0)
  const unit = parseQuantity(divisor) ?? 0
  return String(Math.ceil(value / (unit === 0 ? 1 : unit)))
}
