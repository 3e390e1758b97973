// Ingress networking.internal.knative.dev/v1alpha1. Source: knative/networking
// pkg/apis/networking/v1alpha1/ingress_types.go.
import type { KResourceStatus } from '../../../model/duck/types.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { boolean, integer, intOrString, list, map, object, statusOf, string } from '../../../model/kubernetes/schema.ts'

export const ingressKind = 'Ingress.networking.internal.knative.dev'
export const ingressApiVersion = 'networking.internal.knative.dev/v1alpha1'

export type IngressVisibility = 'ExternalIP' | 'ClusterLocal'
export type HttpOption = 'Enabled' | 'Redirected'

export interface IngressBackendSplit {
  serviceNamespace: string
  serviceName: string
  servicePort: number | string
  /** @default 100 when it is the only one */
  percent?: number
  /** Set, not added, in spite of the name. */
  appendHeaders?: Record<string, string>
}

export interface HttpIngressPath {
  /** A prefix. @default '/' */
  path?: string
  rewriteHost?: string
  /** All of them must match. */
  headers?: Record<string, { exact: string }>
  splits: IngressBackendSplit[]
  appendHeaders?: Record<string, string>
}

export interface IngressRule {
  /** Without ports. None means any host. */
  hosts?: string[]
  /** @default 'ExternalIP' */
  visibility?: IngressVisibility
  http?: { paths: HttpIngressPath[] }
}

export interface IngressTls {
  hosts?: string[]
  secretName?: string
  secretNamespace?: string
}

export interface IngressSpec {
  rules?: IngressRule[]
  tls?: IngressTls[]
  httpOption?: HttpOption
}

export interface LoadBalancer {
  ingress?: { ip?: string; domain?: string; domainInternal?: string; meshOnly?: boolean }[]
}

export interface Ingress extends Resource {
  spec: IngressSpec
  status?: KResourceStatus & { publicLoadBalancer?: LoadBalancer; privateLoadBalancer?: LoadBalancer }
}

const split = object(
  'One of the backends.',
  {
    serviceNamespace: string('Namespace of the Service: that of the Ingress.'),
    serviceName: string('Name of the Service; that of a Revision leads to its instances.'),
    servicePort: intOrString('Port of the Service.'),
    percent: integer('Share of the requests, in percent. 100 when it is the only one.'),
    appendHeaders: map('Headers that requests get here, whatever their client sent.', string('Value.')),
  },
  { required: ['serviceName', 'serviceNamespace', 'servicePort'] },
)

const path = object(
  'Where requests with a certain path and certain headers go.',
  {
    path: string('Prefix of the path; absent, it is any.'),
    rewriteHost: string('Takes the place of the Host header; the request goes to whoever answers at that host.'),
    headers: map(
      'Headers that a request must have.',
      object('How the value must be.', { exact: string('The value.') }, { required: ['exact'] }),
    ),
    splits: list('Backends that share the requests.', split),
    appendHeaders: map('Headers that requests get, whatever their client sent.', string('Value.')),
  },
  { required: ['splits'] },
)

const loadBalancer = (description: string) =>
  object(description, {
    ingress: list(
      'Its addresses.',
      object('One address.', {
        ip: string('IP address.'),
        domain: string('Name.'),
        domainInternal: string('Name inside the cluster.'),
        meshOnly: boolean('Whether only a service mesh leads there.'),
      }),
    ),
  })

export const ingressSchema = {
  spec: object('Which requests go where.', {
    rules: list(
      'Rules by host.',
      object('What happens to requests for some hosts.', {
        hosts: list('The hosts, without ports.', string('A host.')),
        visibility: string('ExternalIP for everybody, ClusterLocal for programs that run here.'),
        http: object('The paths of the hosts.', { paths: list('The paths.', path) }, { required: ['paths'] }),
      }),
    ),
    tls: list(
      'Certificates for hosts.',
      object('One certificate.', {
        hosts: list('The hosts it is for.', string('A host.')),
        secretName: string('Name of the Secret that holds it.'),
        secretNamespace: string('Namespace of the Secret.'),
      }),
    ),
    httpOption: string('Enabled serves plain HTTP; Redirected sends its clients to HTTPS.'),
  }),
  status: statusOf({
    publicLoadBalancer: loadBalancer('Where requests from outside come in.'),
    privateLoadBalancer: loadBalancer('Where requests from inside come in.'),
  }),
}
