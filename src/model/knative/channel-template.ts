// Which channel kind stands behind a Channel, a Sequence, a Parallel or a Broker.
import { own } from '../own.ts'
import { parseConfigText } from './config-text.ts'

/** `spec.channelTemplate`: the kind of channel to create, with its spec. */
export interface ChannelTemplate {
  apiVersion: string
  kind: string
  spec?: Record<string, unknown>
}

/**
 * The default template of ConfigMap `default-ch-webhook`; without `namespace` only the cluster's counts, as for
 * Sequence and Parallel. Source: knative/eventing pkg/apis/messaging/config.
 */
export function defaultChannelTemplate(
  data: Readonly<Record<string, string>>,
  namespace?: string,
): ChannelTemplate | undefined {
  const parsed = (parseConfigText(data['default-ch-config'] ?? '') ?? {}) as {
    clusterDefault?: ChannelTemplate
    namespaceDefaults?: Record<string, ChannelTemplate>
  }
  return own(parsed.namespaceDefaults, namespace) ?? parsed.clusterDefault
}

/** The template in a Broker's ConfigMap (`channel-template-spec`, formerly `channelTemplateSpec`), or `undefined`. */
export function brokerChannelTemplate(data: Readonly<Record<string, string>>): ChannelTemplate | undefined {
  const text = data['channel-template-spec'] ?? data['channelTemplateSpec']
  if (text === undefined) return undefined
  const template = parseConfigText(text) as Partial<ChannelTemplate> | undefined
  if (typeof template?.kind !== 'string' || typeof template.apiVersion !== 'string') return undefined
  return template as ChannelTemplate
}
