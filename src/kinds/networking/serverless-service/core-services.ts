// The two core Services of a ServerlessService. Source: knative/serving
// pkg/reconciler/serverlessservice/resources/services.go, pkg/networking/constants.go.
import { sameNamespace } from '../../../engine/children.ts'
import { childName } from '../../../model/kubernetes/child-name.ts'
import { controllerRef } from '../../../model/kubernetes/resource.ts'
import type { Service, ServicePort } from '../../core/service/schema.ts'
import { serverlessServiceLabel, serviceTypeLabel } from './schema.ts'
import type { ServerlessService } from './schema.ts'

/** Ports of upstream's queue-proxy, which nothing listens on here: whoever reads these Services expects them. */
const backendPorts = { http1: 8012, h2c: 8013, https: 8112, scaling: 9090, user: 9091 } as const
const httpsPort = 443

const privateServiceName = (name: string): string => childName(name, '-private')

/** In front of whoever serves: the activator, or the instances. */
export function makePublicService(owner: ServerlessService): Service {
  return withMetadata(owner, owner.metadata.name, 'Public', {
    ports: [{ ...httpPort(owner), port: isH2c(owner) ? 81 : 80 }, tlsPort],
  })
}

/** In front of the instances alone. */
export function makePrivateService(owner: ServerlessService, selector: Record<string, string>): Service {
  const http = httpPort(owner)
  const target = http.targetPort
  return withMetadata(owner, privateServiceName(owner.metadata.name), 'Private', {
    ports: [
      { ...http, port: 80 },
      tlsPort,
      { name: 'http-autometric', protocol: 'TCP', port: backendPorts.scaling, targetPort: 'http-autometric' },
      { name: 'http-usermetric', protocol: 'TCP', port: backendPorts.user, targetPort: 'http-usermetric' },
      { name: `${http.name}-istio`, protocol: 'TCP', port: target, targetPort: target },
    ],
    selector,
  })
}

const isH2c = ({ spec }: ServerlessService): boolean => spec.protocolType === 'h2c'

const tlsPort: ServicePort = { name: 'https', protocol: 'TCP', port: httpsPort, targetPort: backendPorts.https }

function httpPort(owner: ServerlessService): ServicePort & { name: string; targetPort: number } {
  return isH2c(owner)
    ? { name: 'http2', protocol: 'TCP', appProtocol: 'kubernetes.io/h2c', targetPort: backendPorts.h2c }
    : { name: 'http', protocol: 'TCP', targetPort: backendPorts.http1 }
}

function withMetadata(
  owner: ServerlessService,
  name: string,
  type: 'Public' | 'Private',
  spec: Service['spec'],
): Service {
  const { labels, annotations } = owner.metadata
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name,
      ...sameNamespace(owner),
      labels: { ...labels, [serverlessServiceLabel]: owner.metadata.name, [serviceTypeLabel]: type },
      annotations: { ...annotations },
      ownerReferences: [controllerRef(owner)],
    },
    spec,
  }
}
