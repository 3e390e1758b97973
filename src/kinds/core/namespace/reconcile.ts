// What every Namespace gets by itself: the ServiceAccount `default`, the ConfigMap with the cluster's certificate, and
// certificates for its hosts where they are wanted.
// Source: kubernetes/kubernetes pkg/controller/serviceaccount and pkg/controller/certificates/rootcacertpublisher.
import type { KindDeps, ReconcileContext, Reconciler } from '../../../engine/reconciler.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import type { Namespace } from './schema.ts'
import { keepWildcardCertificates } from './wildcard-certificates.ts'

/** The account of workloads that name none. */
const defaultAccount = 'default'
/** Programs look here for the certificate of the API. Empty: workloads here are given no token for it yet. */
const rootCertificates = 'kube-root-ca.crt'

export class NamespaceReconciler implements Reconciler<Namespace> {
  #deps: Pick<KindDeps, 'addresses'>

  constructor(deps: Pick<KindDeps, 'addresses'>) {
    this.#deps = deps
  }

  async reconcile(namespace: Namespace, context: ReconcileContext): Promise<void> {
    const { name, deletionTimestamp } = namespace.metadata
    if (deletionTimestamp !== undefined) return
    const metadata = (of: string): Resource['metadata'] => ({ name: of, namespace: name })
    if (context.get('ServiceAccount', name, defaultAccount) === undefined) {
      await context.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: metadata(defaultAccount) })
    }
    if (context.get('ConfigMap', name, rootCertificates) === undefined) {
      const configMap = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: metadata(rootCertificates),
        data: { 'ca.crt': '' },
      }
      await context.apply(configMap)
    }
    await keepWildcardCertificates(namespace, this.#deps.addresses.serviceDomain, context)
  }
}
