// Service v1. Source: kubernetes/api core/v1/types.go.
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { boolean, integer, intOrString, list, map, object, string } from '../../../model/kubernetes/schema.ts'

export interface ServicePort {
  name?: string
  protocol?: 'TCP' | 'UDP' | 'SCTP'
  port?: number
  targetPort?: number | string
  nodePort?: number
  appProtocol?: string
}

type ServiceType = 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName'

export interface ServiceSpec {
  type?: ServiceType
  ports?: ServicePort[]
  selector?: Record<string, string>
  clusterIP?: string
  clusterIPs?: string[]
  externalIPs?: string[]
  externalName?: string
  sessionAffinity?: 'None' | 'ClientIP'
  sessionAffinityConfig?: { clientIP?: { timeoutSeconds?: number } }
  ipFamilies?: string[]
  ipFamilyPolicy?: string
  internalTrafficPolicy?: string
  externalTrafficPolicy?: string
  allocateLoadBalancerNodePorts?: boolean
  publishNotReadyAddresses?: boolean
}

export interface Service extends Resource {
  spec: ServiceSpec
  status?: { loadBalancer?: { ingress?: { ip?: string; hostname?: string }[] } }
}

const atomic = { 'x-kubernetes-list-type': 'atomic' } as const

export const serviceSchema = {
  spec: object('What the Service should be.', {
    type: string('ClusterIP, NodePort, LoadBalancer or ExternalName.', {
      enum: ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'],
    }),
    ports: list(
      'Ports that the Service offers.',
      object('One port.', {
        name: string('Name of the port; needed when there are several.'),
        protocol: string('TCP, UDP or SCTP.', { enum: ['SCTP', 'TCP', 'UDP'] }),
        port: integer('Number of the port.', { format: 'int32' }),
        targetPort: intOrString('Number or name of the port of the workload. The same as port when absent.'),
        nodePort: integer('Port of the machine. Knode keeps it and opens none.', { format: 'int32' }),
        appProtocol: string('Protocol that is spoken, e.g. http.'),
      }),
    ),
    selector: map('Labels of the Pods that requests go to.', string('Value.')),
    clusterIP: string('Address of the Service; None for a headless one. Chosen when empty. Cannot change.'),
    clusterIPs: list('The address again, as a list.', string('An address.'), atomic),
    externalIPs: list('More addresses that answer.', string('An address.'), atomic),
    externalName: string('Name that a Service of type ExternalName stands for.'),
    sessionAffinity: string('ClientIP keeps a client at one Pod; None does not.', { enum: ['ClientIP', 'None'] }),
    sessionAffinityConfig: object('Details of the affinity.', {
      clientIP: object('Details of ClientIP.', {
        timeoutSeconds: integer('How long it lasts.', { format: 'int32' }),
      }),
    }),
    ipFamilies: list('IPv4 or IPv6.', string('A family.'), atomic),
    ipFamilyPolicy: string('SingleStack, PreferDualStack or RequireDualStack.'),
    internalTrafficPolicy: string('Cluster or Local.'),
    externalTrafficPolicy: string('Cluster or Local.'),
    allocateLoadBalancerNodePorts: boolean('Whether a load balancer needs node ports.'),
    publishNotReadyAddresses: boolean('Whether Pods that are not ready are told, too.'),
    loadBalancerIP: string('Wanted address of the load balancer.'),
    loadBalancerClass: string('Which load balancer.'),
    loadBalancerSourceRanges: list('Who may use the load balancer.', string('A CIDR.'), atomic),
    healthCheckNodePort: integer('Port of the health check.', { format: 'int32' }),
    trafficDistribution: string('Which endpoints are preferred.'),
  }),
  status: object('What was seen last.', {
    loadBalancer: object('State of the load balancer.', {
      ingress: list(
        'Its addresses.',
        object('One address.', {
          ip: string('Its IP address.'),
          hostname: string('Its name.'),
          ipMode: string('VIP or Proxy.'),
        }),
        atomic,
      ),
    }),
    conditions: list(
      'The latest observations.',
      object('One observation.', {
        type: string('Name of the condition.'),
        status: string('True, False or Unknown.'),
        observedGeneration: integer('The generation that was seen.', { format: 'int64' }),
        lastTransitionTime: string('When it last changed.', { format: 'date-time' }),
        reason: string('One word that tells why.'),
        message: string('Details for people.'),
      }),
    ),
  }),
}
