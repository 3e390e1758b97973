// Keys of Eventing's ConfigMaps. Source: knative/eventing config/core/configmaps, pkg/apis/feature.
import { deprecatedTracingKeys, leaderElectionKeys, loggingKeys } from './shared.ts'
import { metricsKeys, runtimeKeys, tracingKeys } from './shared.ts'
import type { ConfigMapKeys } from './keys.ts'

const noAuthentication = 'Knode does not ask who sends an event: its gateway is for this machine'

/** By the ConfigMap's name. */
export const eventingConfigKeys: Readonly<Record<string, ConfigMapKeys>> = {
  'config-br-default-channel': { honoured: ['channel-template-spec', 'channelTemplateSpec'], idle: [] },
  'config-br-defaults': { honoured: ['default-br-config'], idle: [] },
  'config-features': {
    honoured: ['cross-namespace-event-links', 'delivery-retryafter', 'delivery-timeout', 'kreference-group'],
    idle: [
      {
        keys: ['apiserversources-nodeselector-*'],
        cluster: 'chooses nodes for adapters of ApiServerSources',
        here: 'Knode has no ApiServerSource',
      },
      {
        keys: ['authentication-oidc'],
        harmless: ['disabled'],
        cluster: 'makes senders of events prove who they are',
        here: noAuthentication,
      },
      {
        keys: ['default-authorization-mode'],
        harmless: ['allow-same-namespace'],
        cluster: 'says who may send events where no EventPolicy does',
        here: noAuthentication,
      },
      {
        keys: ['eventtype-auto-create'],
        harmless: ['disabled'],
        cluster: 'makes an EventType of each type of event that comes',
        here: 'Knode has no EventTypes: knode tail shows what comes',
      },
      {
        keys: ['kreference-mapping'],
        harmless: ['disabled'],
        cluster: 'finds addresses of references by config-kreference-mapping',
        here: 'Knode finds those of Addressables and of core Services: name others by uri',
      },
      {
        keys: ['new-apiserversource-filters'],
        harmless: ['disabled'],
        cluster: 'allows filters on ApiServerSources',
        here: 'Knode has no ApiServerSource',
      },
      {
        keys: ['oidc-discovery-base-url'],
        harmless: ['https://kubernetes.default.svc'],
        cluster: 'says where tokens of senders are looked up',
        here: noAuthentication,
      },
      {
        keys: ['requestreply-default-timeout'],
        harmless: ['pt30s'],
        cluster: 'says how long a RequestReply waits',
        here: 'Knode has no RequestReply',
      },
      {
        keys: ['transport-encryption'],
        harmless: ['disabled'],
        cluster: 'gives Brokers and channels addresses with TLS',
        here: 'Knode delivers inside one process and takes events by plain HTTP',
      },
    ],
  },
  'config-imc-event-dispatcher': {
    honoured: [],
    idle: [
      {
        keys: ['MaxIdleConnections', 'MaxIdleConnectionsPerHost'],
        harmless: ['1000', '100'],
        cluster: 'says how many idle connections to subscribers stay open',
        here: 'Knode keeps those it has used a moment ago',
      },
    ],
  },
  'config-kreference-mapping': {
    honoured: [],
    idle: [
      {
        keys: ['*'],
        cluster: 'gives references to objects of this kind an address',
        here: 'Knode finds those of Addressables and of core Services: name others by uri',
      },
    ],
  },
  'config-leader-election': leaderElectionKeys,
  'config-logging': loggingKeys,
  'config-observability': {
    honoured: [...metricsKeys(''), ...tracingKeys],
    idle: [
      runtimeKeys,
      {
        keys: ['sink-event-error-reporting.enable'],
        harmless: ['false'],
        cluster: 'writes Kubernetes Events about events that a sink refuses',
        here: 'Knode always tells: knode tail and /metrics of its API show what became of each',
      },
    ],
  },
  'config-ping-defaults': { honoured: ['data-max-size', 'dataMaxSize'], idle: [] },
  'config-sugar': {
    honoured: [],
    idle: [
      {
        keys: ['namespace-selector', 'trigger-selector'],
        cluster: 'makes Brokers that namespaces and Triggers want',
        here: 'Knode makes none: apply the Broker',
      },
    ],
  },
  'config-tracing': deprecatedTracingKeys,
  'default-ch-webhook': { honoured: ['default-ch-config'], idle: [] },
}
