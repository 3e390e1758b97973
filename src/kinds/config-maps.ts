// Knative's ConfigMaps with their shipped defaults, made at first start and never overwritten afterwards.
// Source: knative/eventing config/core/configmaps, knative/serving config/core/configmaps.
import { eventingSystemNamespace, servingSystemNamespace } from '../model/knative/feature-flags.ts'
import type { Resource } from '../model/kubernetes/resource.ts'

export interface ConfigMapDefaults extends Resource {
  data: Record<string, string>
}

/** Namespaces that are there from the start. */
export const systemNamespaces = ['default', 'kube-system', eventingSystemNamespace, servingSystemNamespace]

const eventing: Record<string, Record<string, string>> = {
  'config-br-defaults': {
    'default-br-config': `clusterDefault:
  brokerClass: MTChannelBasedBroker
  apiVersion: v1
  kind: ConfigMap
  name: config-br-default-channel
  namespace: ${eventingSystemNamespace}
  delivery:
    retry: 10
    backoffPolicy: exponential
    backoffDelay: PT0.2S
`,
  },
  'config-br-default-channel': {
    'channel-template-spec': 'apiVersion: messaging.knative.dev/v1\nkind: InMemoryChannel\n',
  },
  'default-ch-webhook': {
    'default-ch-config': 'clusterDefault:\n  apiVersion: messaging.knative.dev/v1\n  kind: InMemoryChannel\n',
  },
  'config-features': {
    'kreference-group': 'disabled',
    'kreference-mapping': 'disabled',
    'delivery-timeout': 'enabled',
    'delivery-retryafter': 'disabled',
    'eventtype-auto-create': 'disabled',
    'transport-encryption': 'disabled',
    'authentication-oidc': 'disabled',
    'default-authorization-mode': 'allow-same-namespace',
    'cross-namespace-event-links': 'disabled',
    'new-apiserversource-filters': 'disabled',
    'oidc-discovery-base-url': 'https://kubernetes.default.svc',
    'requestreply-default-timeout': 'PT30S',
  },
  'config-ping-defaults': { 'data-max-size': '-1' },
  'config-sugar': { 'namespace-selector': '', 'trigger-selector': '' },
  'config-kreference-mapping': {},
  'config-observability': {
    'metrics-protocol': 'none',
    'tracing-protocol': 'none',
    'tracing-sampling-rate': '0',
    'runtime-profiling': 'disabled',
    'runtime-export-interval': '15s',
    'sink-event-error-reporting.enable': 'false',
  },
  'config-imc-event-dispatcher': { MaxIdleConnections: '1000', MaxIdleConnectionsPerHost: '100' },
  'config-logging': { 'zap-logger-config': '{"level": "info"}' },
  'config-leader-election': { 'lease-duration': '60s', 'renew-deadline': '40s', 'retry-period': '10s' },
  'config-tracing': {},
}

const serving: Record<string, Record<string, string>> = {
  'config-autoscaler': {
    'container-concurrency-target-percentage': '70',
    'container-concurrency-target-default': '100',
    'requests-per-second-target-default': '200',
    'target-burst-capacity': '211',
    'stable-window': '60s',
    'panic-window-percentage': '10.0',
    'panic-threshold-percentage': '200.0',
    'max-scale-up-rate': '1000.0',
    'max-scale-down-rate': '2.0',
    'enable-scale-to-zero': 'true',
    'scale-to-zero-grace-period': '30s',
    'scale-to-zero-pod-retention-period': '0s',
    'pod-autoscaler-class': 'kpa.autoscaling.knative.dev',
    'activator-capacity': '100.0',
    'initial-scale': '1',
    'allow-zero-initial-scale': 'false',
    'min-scale': '0',
    'max-scale': '0',
    'max-scale-limit': '0',
    'scale-down-delay': '0s',
  },
  'config-defaults': {
    'revision-timeout-seconds': '300',
    'max-revision-timeout-seconds': '600',
    'revision-idle-timeout-seconds': '0',
    'container-name-template': 'user-container',
    'init-container-name-template': 'init-container',
    'container-concurrency': '0',
    'container-concurrency-max-limit': '1000',
    'allow-container-concurrency-zero': 'true',
    'enable-service-links': 'false',
  },
  'config-deployment': {
    'registries-skipping-tag-resolving': 'kind.local,ko.local,dev.local',
    'digest-resolution-timeout': '10s',
    'progress-deadline': '600s',
    'queue-sidecar-cpu-request': '25m',
    'default-affinity-type': 'prefer-spread-revision-over-nodes',
    'pod-is-always-schedulable': 'false',
  },
  'config-domain': {},
  'config-features': {
    'multi-container': 'enabled',
    'kubernetes.podspec-volumes-emptydir': 'enabled',
    'autodetect-http2': 'disabled',
    'multi-container-probing': 'disabled',
    'queueproxy.mount-podinfo': 'disabled',
    'queueproxy.resource-defaults': 'disabled',
    'secure-pod-defaults': 'disabled',
    'tag-header-based-routing': 'disabled',
    'kubernetes.containerspec-addcapabilities': 'disabled',
    'kubernetes.podspec-affinity': 'disabled',
    'kubernetes.podspec-dnsconfig': 'disabled',
    'kubernetes.podspec-dnspolicy': 'disabled',
    'kubernetes.podspec-fieldref': 'disabled',
    'kubernetes.podspec-hostaliases': 'disabled',
    'kubernetes.podspec-hostipc': 'disabled',
    'kubernetes.podspec-hostnetwork': 'disabled',
    'kubernetes.podspec-hostpid': 'disabled',
    'kubernetes.podspec-init-containers': 'disabled',
    'kubernetes.podspec-nodeselector': 'disabled',
    'kubernetes.podspec-persistent-volume-claim': 'disabled',
    'kubernetes.podspec-persistent-volume-write': 'disabled',
    'kubernetes.podspec-priorityclassname': 'disabled',
    'kubernetes.podspec-runtimeclassname': 'disabled',
    'kubernetes.podspec-schedulername': 'disabled',
    'kubernetes.podspec-securitycontext': 'disabled',
    'kubernetes.podspec-shareprocessnamespace': 'disabled',
    'kubernetes.podspec-tolerations': 'disabled',
    'kubernetes.podspec-topologyspreadconstraints': 'disabled',
    'kubernetes.podspec-volumes-csi': 'disabled',
    'kubernetes.podspec-volumes-ephemeral': 'disabled',
    'kubernetes.podspec-volumes-hostpath': 'disabled',
    'kubernetes.podspec-volumes-image': 'disabled',
    'kubernetes.podspec-volumes-mount-propagation': 'disabled',
  },
  'config-gc': {
    'retain-since-create-time': '48h',
    'retain-since-last-active-time': '15h',
    'min-non-active-revisions': '20',
    'max-non-active-revisions': '1000',
  },
  'config-network': {
    'ingress-class': 'knode.ingress.networking.knative.dev',
    'certificate-class': 'cert-manager.certificate.networking.knative.dev',
    'domain-template': '{{.Name}}.{{.Namespace}}.{{.Domain}}',
    'tag-template': '{{.Tag}}-{{.Name}}',
    'external-domain-tls': 'Disabled',
    'cluster-local-domain-tls': 'Disabled',
    'system-internal-tls': 'Disabled',
    'namespace-wildcard-cert-selector': '',
    'http-protocol': 'Enabled',
    'rollout-duration': '0',
    'autocreate-cluster-domain-claims': 'false',
    'enable-mesh-pod-addressability': 'false',
    'mesh-compatibility-mode': 'auto',
    'default-external-scheme': 'http',
  },
  'config-observability': {
    'logging.enable-var-log-collection': 'false',
    'logging.revision-url-template': '',
    'logging.enable-request-log': 'false',
    'logging.enable-probe-request-log': 'false',
    'metrics-protocol': 'none',
    'request-metrics-protocol': 'none',
    'runtime-profiling': 'disabled',
    'runtime-export-interval': '15s',
    'tracing-protocol': 'none',
    'tracing-sampling-rate': '0',
  },
  'config-logging': { 'zap-logger-config': '{"level": "info"}' },
  'config-leader-election': { 'lease-duration': '60s', 'renew-deadline': '40s', 'retry-period': '10s', buckets: '1' },
  'config-certmanager': {},
  'config-tracing': {},
}

/** Every ConfigMap to create when it is not there. */
export const configMapDefaults: ConfigMapDefaults[] = [
  ...inNamespace(eventingSystemNamespace, 'knative-eventing', eventing),
  ...inNamespace(servingSystemNamespace, 'knative-serving', serving),
]

function inNamespace(
  namespace: string,
  product: string,
  configMaps: Record<string, Record<string, string>>,
): ConfigMapDefaults[] {
  return Object.entries(configMaps).map(([name, data]) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace, labels: { 'app.kubernetes.io/name': product } },
    data,
  }))
}
