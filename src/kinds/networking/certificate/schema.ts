// Certificate networking.internal.knative.dev/v1alpha1. Source: knative/networking
// pkg/apis/networking/v1alpha1/certificate_types.go.
import type { KResourceStatus } from '../../../model/duck/types.ts'
import { controllerRef } from '../../../model/kubernetes/resource.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { intOrString, list, object, statusOf, string } from '../../../model/kubernetes/schema.ts'
import { ingressApiVersion } from '../ingress/schema.ts'

export const certificateKind = 'Certificate.networking.internal.knative.dev'

/** A question that an authority asks over HTTP before it signs. */
export interface Http01Challenge {
  url?: string
  serviceName?: string
  serviceNamespace?: string
  servicePort?: number | string
}

export interface Certificate extends Resource {
  spec: { dnsNames?: string[]; domain?: string; secretName?: string }
  status?: KResourceStatus & { notAfter?: string; http01Challenges?: Http01Challenge[] }
}

/** What differs between the Certificates that are asked for. */
interface CertificateWish {
  /** Of the Certificate, and of the Secret that it is put into. */
  name: string
  labels: Record<string, string>
  annotations: Record<string, string>
  spec: { dnsNames: string[]; domain?: string }
}

/** The Certificate by which an object asks for one: the object's own, in its namespace, or in it if it is one. */
export function certificateFor(owner: Resource, { name, labels, annotations, spec }: CertificateWish): Certificate {
  return {
    apiVersion: ingressApiVersion,
    kind: 'Certificate',
    metadata: {
      name,
      namespace: owner.kind === 'Namespace' ? owner.metadata.name : (owner.metadata.namespace ?? ''),
      labels,
      annotations,
      ownerReferences: [controllerRef(owner)],
    },
    spec: { ...spec, secretName: name },
  }
}

export const certificateSchema = {
  spec: object(
    'Which certificate is wanted.',
    {
      dnsNames: list('Names that it is for; `*.` at the beginning means any one part.', string('A name.')),
      domain: string('Domain that the names are below.'),
      secretName: string('Secret that it is put into.'),
    },
    { required: ['dnsNames', 'secretName'] },
  ),
  status: statusOf({
    notAfter: string('When it expires.', { format: 'date-time' }),
    http01Challenges: list(
      'Questions that have to be answered at these URLs first.',
      object('One question.', {
        url: string('Where it is asked.'),
        serviceName: string('Service that answers.'),
        serviceNamespace: string('Namespace of the Service.'),
        servicePort: intOrString('Port of the Service.'),
      }),
    ),
  }),
}
