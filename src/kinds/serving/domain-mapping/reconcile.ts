// Makes a DomainMapping real: it claims its domain, and an Ingress leads there. Source: knative/serving
// pkg/reconciler/domainmapping/reconciler.go.
import { messageOf, TerminalError } from '../../../base/errors.ts'
import { applyTold, removeOthers } from '../../../engine/children.ts'
import { mirrorCondition } from '../../../engine/mirror-condition.ts'
import type { KindDeps, ReconcileContext, Reconciler } from '../../../engine/reconciler.ts'
import { followServingConfig, httpOptionFor } from '../../../engine/serving-settings.ts'
import { conditionOf } from '../../../model/duck/conditions.ts'
import { networkConfig, networkConfigMap } from '../../../model/serving/network-config.ts'
import type { NetworkConfig } from '../../../model/serving/network-config.ts'
import { clusterServiceDomain, networkAnnotation, networkAnnotations } from '../../../model/serving/network-keys.ts'
import { servingConfigMap } from '../../../model/serving/serving-config.ts'
import { certificateKind } from '../../networking/certificate/schema.ts'
import { ingressApiVersion } from '../../networking/ingress/schema.ts'
import { clusterDomainClaimKind } from '../../networking/cluster-domain-claim/schema.ts'
import type { ClusterDomainClaim } from '../../networking/cluster-domain-claim/schema.ts'
import { keepCertificate } from './certificate.ts'
import { ingressFor } from './ingress-object.ts'
import type { DomainMapping } from './schema.ts'

export class DomainMappingReconciler implements Reconciler<DomainMapping> {
  readonly conditions = {
    dependents: ['DomainClaimed', 'ReferenceResolved', 'IngressReady', 'CertificateProvisioned'],
  }
  #deps: Pick<KindDeps, 'client' | 'config' | 'addresses'>

  constructor(deps: KindDeps) {
    this.#deps = deps
  }

  async reconcile(mapping: DomainMapping, context: ReconcileContext): Promise<void> {
    const { conditions } = context
    const { metadata } = mapping
    const unready = { reason: 'IngressNotConfigured', message: 'Ingress has not yet been reconciled.' }
    if (metadata.generation !== mapping.status?.observedGeneration) {
      conditions.markUnknown('IngressReady', unready.reason, unready.message)
    }
    const network = networkConfig(followServingConfig(networkConfigMap, context))
    const authority = metadata.name + this.#port(metadata.name)
    const show = (scheme: string): void => {
      const url = `${scheme}://${authority}`
      mapping.status = { ...mapping.status, url, address: { url } }
    }
    show(network.defaultExternalScheme)
    await this.#claim(mapping, network, context)
    const { tls, scheme, certificate } = await keepCertificate(mapping, network, context)
    if (scheme !== undefined) show(scheme)
    const target = resolveTarget(mapping, context)
    const wanted = ingressFor(mapping, {
      ...target,
      ingressClass: networkAnnotation(metadata.annotations, networkAnnotations.ingressClass) ?? network.ingressClass,
      httpOption: httpOptionFor(mapping, network),
      tls,
    })
    const ingress = await applyTold(context, wanted, {
      created: `Created Ingress "${wanted.metadata.name}"`,
      failed: 'Failed to create Ingress',
    })
    await removeOthers(context, certificateKind, new Set(certificate === undefined ? [] : [certificate]))
    if (ingress.metadata.generation !== ingress.status?.observedGeneration) {
      conditions.markUnknown('IngressReady', unready.reason, unready.message)
    } else mirrorCondition(conditions, 'IngressReady', conditionOf(ingress, 'Ready'), unready)
  }

  /** Gives the domain back, if it was this process that claimed it. */
  async finalize({ metadata }: DomainMapping, context: ReconcileContext): Promise<void> {
    const { client, config } = this.#deps
    if (!networkConfig(servingConfigMap(config, networkConfigMap)).autocreateClusterDomainClaims) return
    const claim = await client.get<ClusterDomainClaim>(clusterDomainClaimKind, '', metadata.name)
    if (claim?.spec.namespace === metadata.namespace) await context.remove(clusterDomainClaimKind, '', metadata.name)
  }

  /** @throws {TerminalError} when the domain is not ours, until a change of its claim. */
  async #claim({ metadata }: DomainMapping, network: NetworkConfig, context: ReconcileContext): Promise<void> {
    const { conditions } = context
    const { name, namespace = '' } = metadata
    const claim = context.get<ClusterDomainClaim>(clusterDomainClaimKind, '', name)
    if (claim === undefined && network.autocreateClusterDomainClaims) {
      await this.#createClaim(name, namespace, context)
    } else if (claim?.spec.namespace !== namespace) {
      const message = 'The domain name is already in use by another DomainMapping'
      conditions.markFalse('DomainClaimed', 'DomainAlreadyClaimed', message)
      throw new TerminalError(
        claim === undefined
          ? `no ClusterDomainClaim found for domain "${name}" (and autocreate-cluster-domain-claims property is not true)`
          : `namespace "${namespace}" does not own ClusterDomainClaim for "${name}"`,
      )
    }
    conditions.markTrue('DomainClaimed')
  }

  async #createClaim(name: string, namespace: string, { conditions }: ReconcileContext): Promise<void> {
    const claim: ClusterDomainClaim = {
      apiVersion: ingressApiVersion,
      kind: 'ClusterDomainClaim',
      metadata: { name },
      spec: { namespace },
    }
    try {
      await this.#deps.client.create(claim)
    } catch (thrown) {
      const message = `failed to create ClusterDomainClaim: ${messageOf(thrown)}`
      conditions.markFalse('DomainClaimed', 'DomainClaimFailed', message)
      throw thrown
    }
  }

  /** The gateway's port, where the domain is one that leads to the gateway by itself. */
  #port(name: string): string {
    const [domain = '', port] = this.#deps.addresses.serviceDomain.split(':')
    return port !== undefined && name.endsWith(`.${domain}`) ? `:${port}` : ''
  }
}

/** @throws {TerminalError} when the reference is no host of the cluster, until a change of what it names. */
function resolveTarget(
  { metadata, spec }: DomainMapping,
  context: ReconcileContext,
): { targetHost: string; targetService: string } {
  const { conditions } = context
  const fail = (message: string, told = message): never => {
    conditions.markFalse('ReferenceResolved', 'ResolveFailed', message)
    throw new TerminalError(told)
  }
  let url: string
  try {
    url = context.resolve({ ref: spec.ref }, metadata.namespace ?? '').url
  } catch (thrown) {
    return fail(messageOf(thrown), `resolving reference: ${messageOf(thrown)}`)
  }
  const { hostname, pathname } = new URL(url)
  if (pathname.replace(/\/$/, '') !== '') fail(`resolved URI "${url}" contains a path`)
  const suffix = `.${clusterServiceDomain}`
  const [name = '', namespace, ...more] = hostname.slice(0, -suffix.length).split('.')
  if (!hostname.endsWith(suffix) || namespace === undefined || more.length > 0) {
    fail(`resolved URI "${url}" must be of the form {name}.{namespace}${suffix}`)
  }
  if (namespace !== metadata.namespace) fail(`resolved URI "${url}" must be in same namespace as DomainMapping`)
  conditions.markTrue('ReferenceResolved')
  return { targetHost: hostname, targetService: name }
}
