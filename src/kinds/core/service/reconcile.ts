// Moves a Service whose address another one had first: admission chooses addresses without seeing other Services.
// Source of the idea: kubernetes/kubernetes pkg/registry/core/service/ipallocator/controller/repair.go.
import type { Caches, ReconcileContext, Reconciler, ResourceClient } from '../../../engine/reconciler.ts'
import { namespacedName } from '../../../model/kubernetes/resource.ts'
import { clusterIpFor } from './cluster-ip.ts'
import type { Service } from './schema.ts'
import { headless } from './validate.ts'

export class ServiceReconciler implements Reconciler<Service> {
  #caches: Caches
  #client: ResourceClient

  constructor({ caches, client }: { caches: Caches; client: ResourceClient }) {
    this.#caches = caches
    this.#client = client
  }

  async reconcile(service: Service, context: ReconcileContext): Promise<void> {
    const { clusterIP } = service.spec
    if (clusterIP === undefined || clusterIP === headless) return
    // Read untracked: only the younger of two needs to notice, and it comes into the cache after the older.
    const others = this.#caches.list<Service>('Service').filter(({ metadata }) => metadata.uid !== service.metadata.uid)
    if (!others.some((other) => other.spec.clusterIP === clusterIP && isOlder(other, service))) return
    const taken = new Set(others.map(({ spec }) => spec.clusterIP ?? ''))
    const free = clusterIpFor(namespacedName(service.metadata), taken)
    const { namespace = '', name } = service.metadata
    await this.#client.patch('Service', namespace, name, { spec: { clusterIP: free, clusterIPs: [free] } })
    context.event('Warning', 'ClusterIPReallocated', `ClusterIP ${clusterIP} was taken, moved to ${free}`)
  }
}

const isOlder = (a: Service, b: Service): boolean => orderOf(a) < orderOf(b)
const orderOf = ({ metadata }: Service): string => `${metadata.creationTimestamp ?? ''} ${metadata.uid ?? ''}`
