// Makes an Ingress real: its hosts lead to its backends. Source: knative-extensions/net-kourier
// pkg/reconciler/ingress/ingress.go, with a table of this process where Kourier has Envoy.
import type { CertificateTable, KindDeps, ReconcileContext, Reconciler } from '../../../engine/reconciler.ts'
import { HostRules } from '../../../engine/request-path/host-rules.ts'
import { knodeIngressClass } from '../../../model/serving/network-config.ts'
import { gatewayHost, networkAnnotation, networkAnnotations } from '../../../model/serving/network-keys.ts'
import { hostRulesOf } from './host-rules.ts'
import type { Ingress } from './schema.ts'
import { readTlsSecrets } from './tls-secrets.ts'

/** Knode's gateway stands in for each of Knative's: manifests and settings that name one of them work here, too. */
const ourClasses: ReadonlySet<string | undefined> = new Set([
  undefined,
  knodeIngressClass,
  ...['istio', 'kourier', 'contour', 'gateway-api'].map((name) => `${name}.ingress.networking.knative.dev`),
])

export class IngressReconciler implements Reconciler<Ingress> {
  readonly conditions = { dependents: ['NetworkConfigured', 'LoadBalancerReady'] }
  #rules: HostRules
  #certificates: CertificateTable

  constructor(deps: KindDeps) {
    this.#rules = new HostRules(deps)
    deps.endpoints.add(this.#rules)
    this.#certificates = deps.certificates
  }

  isOurs({ metadata }: Ingress): boolean {
    return ourClasses.has(networkAnnotation(metadata.annotations, networkAnnotations.ingressClass))
  }

  async reconcile(ingress: Ingress, context: ReconcileContext): Promise<void> {
    const { conditions, workers } = context
    const { uid: id = '', generation } = ingress.metadata
    const isSettled =
      conditions.status('LoadBalancerReady') === 'True' && ingress.status?.observedGeneration === generation
    // Rules change in place, without a moment in between; only their end is the worker's.
    await workers.ensure('rules', id, () =>
      Promise.resolve({ [Symbol.asyncDispose]: () => Promise.resolve(this.#withdraw(id)) }),
    )
    const { certificates, problem } = readTlsSecrets(ingress.spec.tls ?? [], context)
    const owner = { id, isSettled, onChange: () => context.requeue() }
    const taken = this.#rules.program(owner, hostRulesOf(ingress.spec))
    if (taken !== undefined) {
      if (!this.#rules.has(id)) this.#certificates.withdraw(id)
      const message = 'Ingress rejected: ingress has a conflicting domain with another ingress'
      return conditions.markFalse('LoadBalancerReady', 'DomainConflict', message)
    }
    this.#certificates.program(id, certificates)
    const loadBalancer = { ingress: [{ domainInternal: gatewayHost }] }
    ingress.status = { ...ingress.status, publicLoadBalancer: loadBalancer, privateLoadBalancer: loadBalancer }
    conditions.markTrue('LoadBalancerReady')
    // The rest of the Ingress is at work all the same, and so is a certificate that was good before.
    if (problem !== undefined) return conditions.markFalse('NetworkConfigured', problem.reason, problem.message)
    conditions.markTrue('NetworkConfigured')
  }

  #withdraw(id: string): void {
    this.#rules.withdraw(id)
    this.#certificates.withdraw(id)
  }
}
