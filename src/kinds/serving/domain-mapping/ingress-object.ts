// The Ingress that a DomainMapping makes. Source: knative/serving pkg/reconciler/domainmapping/resources/ingress.go.
import { sameNamespace } from '../../../engine/children.ts'
import { childName } from '../../../model/kubernetes/child-name.ts'
import { controllerRef } from '../../../model/kubernetes/resource.ts'
import { domainMappingNamespaceLabel, domainMappingUidLabel } from '../../../model/serving/metadata-keys.ts'
import { ingressClassAnnotation, passedAnnotations } from '../../../model/serving/network-keys.ts'
import { ingressApiVersion } from '../../networking/ingress/schema.ts'
import type { HttpOption, Ingress, IngressTls } from '../../networking/ingress/schema.ts'
import type { DomainMapping } from './schema.ts'

export interface MappingPlan {
  /** `NAME.NAMESPACE.svc.cluster.local` */
  targetHost: string
  targetService: string
  ingressClass: string
  httpOption: HttpOption | undefined
  tls: readonly IngressTls[]
}

export function ingressFor(mapping: DomainMapping, plan: MappingPlan): Ingress {
  const { targetHost, targetService, ingressClass, httpOption, tls } = plan
  const { name, namespace = '', uid = '', labels, annotations } = mapping.metadata
  const split = {
    serviceNamespace: namespace,
    serviceName: targetService,
    servicePort: 80,
    percent: 100,
    appendHeaders: { 'K-Original-Host': name },
  }
  return {
    apiVersion: ingressApiVersion,
    kind: 'Ingress',
    metadata: {
      name: childName(name, ''),
      ...sameNamespace(mapping),
      labels: { ...labels, [domainMappingUidLabel]: uid, [domainMappingNamespaceLabel]: namespace },
      annotations: { ...passedAnnotations(annotations), [ingressClassAnnotation]: ingressClass },
      ownerReferences: [controllerRef(mapping)],
    },
    spec: {
      rules: [
        {
          hosts: [name],
          visibility: 'ExternalIP',
          http: { paths: [{ rewriteHost: targetHost, splits: [split] }] },
        },
      ],
      ...(tls.length > 0 && { tls: [...tls] }),
      ...(httpOption !== undefined && { httpOption }),
    },
  }
}
