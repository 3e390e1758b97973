// What every Namespace gets by itself: the ServiceAccount `default` and the ConfigMap with the cluster's certificate.
// Source: kubernetes/kubernetes pkg/controller/serviceaccount and pkg/controller/certificates/rootcacertpublisher.
import type { ReconcileContext, Reconciler } from '../../../engine/reconciler.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import type { Namespace } from './schema.ts'

/** The account of workloads that name none. */
const defaultAccount = 'default'
/** Programs look here for the certificate of the API. Empty: workloads here are given no token for it yet. */
const rootCertificates = 'kube-root-ca.crt'

export class NamespaceReconciler implements Reconciler<Namespace> {
  async reconcile({ metadata: { name, deletionTimestamp } }: Namespace, context: ReconcileContext): Promise<void> {
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
  }
}
