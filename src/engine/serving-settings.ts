// Serving's ConfigMaps as reconcilers follow them, and what kinds of Serving read from them alike.
import { TerminalError } from '../base/errors.ts'
import { servingSystemNamespace } from '../model/knative/feature-flags.ts'
import type { Resource } from '../model/kubernetes/resource.ts'
import type { NetworkConfig } from '../model/serving/network-config.ts'
import { networkAnnotation, networkAnnotations } from '../model/serving/network-keys.ts'
import type { ConfigData } from '../model/serving/serving-config.ts'
import type { ReconcileContext } from './reconciler.ts'

/** The data of a ConfigMap in `knative-serving`; a change of it reconciles the object again. */
export const followServingConfig = (name: string, context: Pick<ReconcileContext, 'get'>): ConfigData =>
  context.get<Resource & { data?: ConfigData }>('ConfigMap', servingSystemNamespace, name)?.data ?? {}

/**
 * What plain HTTP is answered with, as an Ingress says it.
 * Source: knative/serving pkg/networking/util.go GetHTTPOption.
 * @throws {TerminalError} when the object's annotation is none of the options.
 */
export function httpOptionFor({ metadata }: Resource, network: NetworkConfig): 'Enabled' | 'Redirected' | undefined {
  const own = networkAnnotation(metadata.annotations, networkAnnotations.httpProtocol)?.toLowerCase()
  if (own !== undefined && own !== 'enabled' && own !== 'redirected') {
    throw new TerminalError(`incorrect http-protocol annotation: ${own}`)
  }
  const option = own ?? network.httpProtocol
  if (option === 'disabled') return undefined
  return option === 'redirected' ? 'Redirected' : 'Enabled'
}

/** Whether hosts outside the cluster are to have certificates, and this object does not say otherwise. */
export function wantsExternalTls({ metadata }: Resource, network: NetworkConfig): boolean {
  const isOff = /^(1|t|true)$/i.test(networkAnnotation(metadata.annotations, networkAnnotations.disableTls) ?? '')
  return network.externalDomainTls && !isOff
}
