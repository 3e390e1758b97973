// ConfigMap `config-br-defaults`: which class, config and delivery a Broker gets. Source: knative/eventing pkg/apis/config.
import { messageOf } from '../../base/errors.ts'
import { own } from '../own.ts'
import type { DeliverySpec, KReference } from '../duck/types.ts'
import { parseConfigText } from './config-text.ts'

interface ClassConfig extends Partial<KReference> {
  delivery?: DeliverySpec
}

interface ScopeDefaults extends ClassConfig {
  brokerClass?: string
  brokerClasses?: Record<string, ClassConfig>
  disallowDifferentNamespaceConfig?: boolean
}

interface BrokerDefaults {
  clusterDefault?: ScopeDefaults
  namespaceDefaults?: Record<string, ScopeDefaults>
}

/** Whether a Broker in `namespace` may refer to objects of its own namespace only. */
export function staysInNamespace(data: Readonly<Record<string, string>>, namespace: string): boolean {
  const { clusterDefault, namespaceDefaults } = read(data)
  const scopes = [own(namespaceDefaults, namespace), clusterDefault]
  return scopes.some((scope) => scope?.disallowDifferentNamespaceConfig === true)
}

/** The class of Brokers that name none in `namespace`, or `undefined`. */
export function defaultBrokerClass(data: Readonly<Record<string, string>>, namespace: string): string | undefined {
  const { clusterDefault, namespaceDefaults } = read(data)
  return own(namespaceDefaults, namespace)?.brokerClass ?? clusterDefault?.brokerClass
}

/**
 * Config and delivery defaults for a Broker of `brokerClass` in `namespace`: the namespace's entry for the class, the
 * namespace's own when it is of that class, the cluster's entry for the class, the cluster default.
 */
export function defaultBrokerConfig(
  data: Readonly<Record<string, string>>,
  namespace: string,
  brokerClass: string | undefined,
): { config?: KReference; delivery?: DeliverySpec } {
  const { clusterDefault, namespaceDefaults } = read(data)
  const scope = own(namespaceDefaults, namespace)
  const found =
    own(scope?.brokerClasses, brokerClass) ??
    (scope?.kind !== undefined && (brokerClass === undefined || scope.brokerClass === brokerClass)
      ? scope
      : undefined) ??
    own(clusterDefault?.brokerClasses, brokerClass) ??
    clusterDefault
  if (found === undefined) return {}
  const { kind, name, apiVersion, namespace: at, delivery } = found
  return {
    ...(kind === undefined || name === undefined ? {} : { config: reference({ kind, name, apiVersion, at }) }),
    ...(delivery === undefined ? {} : { delivery }),
  }
}

function reference(found: {
  kind: string
  name: string
  apiVersion: string | undefined
  at: string | undefined
}): KReference {
  const { kind, name, apiVersion, at } = found
  return {
    kind,
    name,
    ...(apiVersion === undefined ? {} : { apiVersion }),
    ...(at === undefined ? {} : { namespace: at }),
  }
}

/** Why a text of defaults, for Brokers or for channels, cannot be read; `undefined` when it can. */
export function defaultsObjection(text: string): string | undefined {
  try {
    parseConfigText(text)
    return undefined
  } catch (error) {
    return messageOf(error).split('\n', 1)[0]!
  }
}

function read(data: Readonly<Record<string, string>>): BrokerDefaults {
  return parseConfigText(data['default-br-config'] ?? '') ?? {}
}
