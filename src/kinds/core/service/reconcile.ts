// Opens the hosts of a Service, and moves one whose address another had first: admission chooses addresses without seeing
// other Services. Source of the idea: kubernetes/kubernetes pkg/registry/core/service/ipallocator/controller/repair.go.
import type { Caches, KindDeps, ReconcileContext, Reconciler, ResourceClient } from '../../../engine/reconciler.ts'
import { namespacedName } from '../../../model/kubernetes/resource.ts'
import { clusterIpFor } from './cluster-ip.ts'
import { endpointSpec, ServiceEndpoints } from './endpoints.ts'
import type { Service } from './schema.ts'
import { headless } from './validate.ts'

export class ServiceReconciler implements Reconciler<Service> {
  #caches: Caches
  #client: ResourceClient
  #endpoints: ServiceEndpoints

  constructor(deps: KindDeps) {
    this.#caches = deps.caches
    this.#client = deps.client
    this.#endpoints = new ServiceEndpoints(deps)
    deps.endpoints.add(this.#endpoints)
  }

  async reconcile(service: Service, context: ReconcileContext): Promise<void> {
    const endpoint = endpointSpec(service)
    if (endpoint === undefined) await context.workers.stop('endpoint')
    else await context.workers.ensure('endpoint', endpoint, (spec) => Promise.resolve(this.#endpoints.open(spec)))
    await this.#moveIfTaken(service, context)
  }

  async #moveIfTaken(service: Service, context: ReconcileContext): Promise<void> {
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
