// How `kubectl get services` shows a Service. Source: kubernetes/kubernetes pkg/printers/internalversion printService.
import { columns } from '../../../engine/kind.ts'
import type { PrinterColumn } from '../../../engine/kind.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import type { Service } from './schema.ts'

const none = '<none>'

export const serviceColumns: PrinterColumn[] = [
  { name: 'Type', jsonPath: '.spec.type' },
  { name: 'Cluster-IP', jsonPath: '', print: (object) => (object as Service).spec.clusterIP ?? none },
  { name: 'External-IP', jsonPath: '', print: printExternal },
  { name: 'Port(s)', jsonPath: '', print: printPorts },
  columns.age,
  { name: 'Selector', jsonPath: '', print: printSelector, priority: 1 },
]

function printExternal(object: Resource): string {
  const { spec, status } = object as Service
  if (spec.type === 'ExternalName') return spec.externalName ?? none
  const ingress = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname = '' }) => ip ?? hostname)
  const addresses = [...(spec.type === 'LoadBalancer' ? ingress : []), ...(spec.externalIPs ?? [])]
  if (addresses.length > 0) return addresses.join(',')
  return spec.type === 'LoadBalancer' ? '<pending>' : none
}

function printPorts(object: Resource): string {
  const { ports = [] } = (object as Service).spec
  const texts = ports.map(({ port, nodePort, protocol }) =>
    nodePort === undefined ? `${port}/${protocol}` : `${port}:${nodePort}/${protocol}`,
  )
  return texts.length === 0 ? none : texts.join(',')
}

function printSelector(object: Resource): string {
  const pairs = Object.entries((object as Service).spec.selector ?? {}).map(([key, value]) => `${key}=${value}`)
  return pairs.length === 0 ? none : pairs.sort().join(',')
}
