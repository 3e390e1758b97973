// Defaults of a Service. Source: kubernetes/kubernetes pkg/apis/core/v1/defaults.go and registry/core/service/storage.
import type { AdmissionContext } from '../../../engine/kind.ts'
import { namespacedName } from '../../../model/kubernetes/resource.ts'
import { clusterIpFor } from './cluster-ip.ts'
import type { Service, ServiceSpec } from './schema.ts'

const clientAffinitySeconds = 10_800

export function setServiceDefaults(service: Service, { old }: Pick<AdmissionContext<Service>, 'old'>): void {
  const spec = (service.spec ??= {})
  spec.type ??= 'ClusterIP'
  spec.sessionAffinity ??= 'None'
  if (spec.sessionAffinity === 'ClientIP') {
    spec.sessionAffinityConfig ??= {}
    spec.sessionAffinityConfig.clientIP ??= {}
    spec.sessionAffinityConfig.clientIP.timeoutSeconds ??= clientAffinitySeconds
  } else delete spec.sessionAffinityConfig
  for (const port of spec.ports ?? []) {
    port.protocol ??= 'TCP'
    // Typed clients send 0 and '' for "not given".
    if ((port.targetPort ?? 0) === 0 || port.targetPort === '') {
      if (port.port === undefined) delete port.targetPort
      else port.targetPort = port.port
    }
    if (port.nodePort === 0) delete port.nodePort
  }
  setAddress(service, old?.spec)
  if (spec.type === 'ExternalName') return
  spec.internalTrafficPolicy ??= 'Cluster'
  if (spec.type !== 'ClusterIP') spec.externalTrafficPolicy ??= 'Cluster'
  if (spec.type === 'LoadBalancer') spec.allocateLoadBalancerNodePorts ??= true
  service.status ??= { loadBalancer: {} }
}

function setAddress({ metadata, spec }: Service, old: ServiceSpec | undefined): void {
  if (spec.type === 'ExternalName') {
    // A Service that turns into a mere name gives its address back.
    if (spec.clusterIP === old?.clusterIP || spec.clusterIP === '') delete spec.clusterIP
    for (const field of ['clusterIPs', 'ipFamilies', 'ipFamilyPolicy', 'internalTrafficPolicy'] as const) {
      if (spec.clusterIP === undefined) delete spec[field]
    }
    return
  }
  const given = spec.clusterIP === '' ? undefined : spec.clusterIP
  // Whoever replaces a Service need not know its address.
  spec.clusterIP = given ?? spec.clusterIPs?.[0] ?? old?.clusterIP ?? clusterIpFor(namespacedName(metadata))
  spec.clusterIPs ??= [spec.clusterIP]
  spec.ipFamilies ??= [spec.clusterIP.includes(':') ? 'IPv6' : 'IPv4']
  spec.ipFamilyPolicy ??= 'SingleStack'
}
