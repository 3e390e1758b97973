// Deletes what nobody owns any more, and the content of deleted namespaces. Semantics of Kubernetes'
// pkg/controller/garbagecollector and pkg/controller/namespace.
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/log.ts'
import { parseApiVersion } from '../../model/kubernetes/resource.ts'
import type { OwnerReference, Resource } from '../../model/kubernetes/resource.ts'
import { isNamespaced, kindId } from '../kind.ts'
import type { KindDefinition, KindId } from '../kind.ts'
import type { RemovalOptions, ResourceClient } from '../reconciler.ts'
import { isConflict, isNotFound } from './api-failure.ts'
import type { CacheChange, OpenCaches } from './caches.ts'
import { emptyNamespace } from './namespace-content.ts'
import { OwnerGraph } from './owner-graph.ts'
import type { GraphNode } from './owner-graph.ts'
import { WorkQueue } from './work-queue.ts'

export interface GarbageCollectorOptions {
  kinds: readonly KindDefinition[]
  caches: OpenCaches
  client: ResourceClient
  clock: Clock
  log: Logger
}

const foreground = 'foregroundDeletion'
const orphan = 'orphan'

export class GarbageCollector implements AsyncDisposable {
  #options: GarbageCollectorOptions
  #kinds: ReadonlyMap<KindId, KindDefinition>
  #graph = new OwnerGraph()
  #queue: WorkQueue
  #following: Disposable | undefined

  constructor(options: GarbageCollectorOptions) {
    this.#options = options
    this.#kinds = new Map(options.kinds.map((kind) => [kindId(kind), kind]))
    this.#queue = new WorkQueue({ clock: options.clock, process: (key) => this.#process(key) })
  }

  /** Learns what is there, collects what lost its owner while nobody looked, and follows the caches from then on. */
  start(): void {
    const { kinds, caches } = this.#options
    const everything = kinds.flatMap((kind) =>
      caches.list(kindId(kind)).map((object) => ({ kind: kindId(kind), object })),
    )
    for (const { kind, object } of everything) this.#graph.set(nodeOf(kind, object), object.metadata.ownerReferences)
    for (const { kind, object } of everything) this.#consider(kind, object)
    this.#following = caches.onChange((change) => this.#onChange(change))
  }

  get isIdle(): boolean {
    return this.#queue.isIdle
  }

  whenIdle(): Promise<void> {
    return this.#queue.whenIdle()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#following?.[Symbol.dispose]()
    await this.#queue[Symbol.asyncDispose]()
  }

  #onChange({ type, kind, resource, previous }: CacheChange): void {
    const { uid = '', namespace, ownerReferences = [] } = resource.metadata
    if (type === 'deleted') {
      this.#graph.delete(uid)
      for (const dependent of this.#graph.dependentsOf(uid)) this.#enqueue(dependent)
      this.#wakeOwners(ownerReferences)
      if (namespace !== undefined) this.#wakeNamespace(namespace)
      return
    }
    this.#graph.set(nodeOf(kind, resource), ownerReferences)
    this.#consider(kind, resource)
    const before = previous?.metadata.ownerReferences ?? []
    this.#wakeOwners(before.filter((owner) => !ownerReferences.some((other) => other.uid === owner.uid)))
  }

  /** Owners in foreground deletion wait until no dependent is left. */
  #wakeOwners(owners: readonly OwnerReference[]): void {
    for (const { uid } of owners) {
      const owner = this.#graph.get(uid)
      if (owner !== undefined) this.#enqueue(owner)
    }
  }

  /** A deleted namespace waits until it is empty. */
  #wakeNamespace(name: string): void {
    const namespace = this.#options.caches.get('Namespace', '', name)
    if (namespace?.metadata.deletionTimestamp !== undefined) this.#enqueue({ kind: 'Namespace', namespace: '', name })
  }

  #consider(kind: KindId, { metadata }: Resource): void {
    const { ownerReferences = [], finalizers = [], deletionTimestamp, namespace = '', name } = metadata
    const isDeleting = deletionTimestamp !== undefined
    const concernsUs = isDeleting
      ? kind === 'Namespace' || finalizers.includes(foreground) || finalizers.includes(orphan)
      : ownerReferences.some(({ uid }) => !isWithin(this.#graph.get(uid), namespace))
    if (concernsUs) this.#enqueue({ kind, namespace, name })
  }

  #enqueue({ kind, namespace, name }: Omit<GraphNode, 'uid'>): void {
    this.#queue.add(`${kind} ${namespace}/${name}`)
  }

  async #process(key: string): Promise<void> {
    const [kind = '', path = ''] = key.split(' ')
    const [namespace = '', name = ''] = path.split('/')
    try {
      // The cache may lag behind; what is deleted must be judged by what is stored.
      const object = await this.#options.client.get(kind, namespace, name)
      if (object === undefined || (await this.#handle(kind, object))) this.#queue.forget(key)
      else this.#queue.retry(key)
    } catch (thrown) {
      if (isNotFound(thrown)) return this.#queue.forget(key)
      if (!isConflict(thrown))
        this.#options.log.warn('garbage collection failed', { kind, namespace, name, err: thrown })
      this.#queue.retry(key)
    }
  }

  /** False when it has to be looked at again though nothing may change. */
  async #handle(kind: KindId, object: Resource): Promise<boolean> {
    const { finalizers = [], deletionTimestamp } = object.metadata
    if (deletionTimestamp === undefined) await this.#collect(kind, object)
    else if (finalizers.includes(orphan)) await this.#orphanDependents(kind, object)
    else if (finalizers.includes(foreground)) await this.#deleteDependents(kind, object)
    else if (kind === 'Namespace') return await emptyNamespace(object, this.#options)
    return true
  }

  /** Deletes an object without living owners; drops its references to dead ones when another owner lives. */
  async #collect(kind: KindId, object: Resource): Promise<void> {
    const { client, log } = this.#options
    const { ownerReferences = [], finalizers = [], namespace = '', name, uid } = object.metadata
    const judged = await Promise.all(
      ownerReferences.map(async (owner) => ({ owner, is: await this.#judge(owner, object) })),
    )
    const living = judged.filter(({ is }) => is === 'alive').map(({ owner }) => owner)
    if (living.length === ownerReferences.length) return
    if (living.length > 0) return await this.#setOwners(kind, object, living)
    const waited = judged.some(({ is }) => is === 'waiting') && this.#graph.dependentsOf(uid).length > 0
    const propagationPolicy: RemovalOptions['propagationPolicy'] =
      waited || finalizers.includes(foreground) ? 'Foreground' : finalizers.includes(orphan) ? 'Orphan' : 'Background'
    log.debug('deleting what lost its owner', { kind, namespace, name })
    await client.delete(kind, namespace, name, { ...(uid === undefined ? {} : { uid }), propagationPolicy })
  }

  /** `waiting`: it is being deleted and waits for its dependents to go first. */
  async #judge(owner: OwnerReference, { metadata }: Resource): Promise<'alive' | 'gone' | 'waiting'> {
    const { group } = parseApiVersion(owner.apiVersion)
    const kind = this.#kinds.get(kindId({ group, kind: owner.kind }))
    // Who cannot be looked up cannot be said to be gone.
    if (kind === undefined || (isNamespaced(kind) && metadata.namespace === undefined)) return 'alive'
    const namespace = isNamespaced(kind) ? (metadata.namespace ?? '') : ''
    const found = await this.#options.client.get(kindId(kind), namespace, owner.name)
    if (found === undefined || found.metadata.uid !== owner.uid) return 'gone'
    const isWaiting = found.metadata.deletionTimestamp !== undefined && found.metadata.finalizers?.includes(foreground)
    return isWaiting === true ? 'waiting' : 'alive'
  }

  async #deleteDependents(kind: KindId, owner: Resource): Promise<void> {
    const { uid } = owner.metadata
    const blocking = this.#graph
      .dependentsOf(uid)
      .filter((dependent) =>
        this.#ownersOf(dependent).some((reference) => reference.uid === uid && reference.blockOwnerDeletion === true),
      )
    if (blocking.length === 0) return await this.#removeFinalizer(kind, owner, foreground)
    for (const dependent of blocking) this.#enqueue(dependent)
  }

  async #orphanDependents(kind: KindId, owner: Resource): Promise<void> {
    const { client } = this.#options
    const { uid } = owner.metadata
    for (const { kind: childKind, namespace, name } of this.#graph.dependentsOf(uid)) {
      const child = await client.get(childKind, namespace, name)
      const owners = child?.metadata.ownerReferences ?? []
      if (child === undefined || !owners.some((reference) => reference.uid === uid)) continue
      const others = owners.filter((reference) => reference.uid !== uid)
      await this.#setOwners(childKind, child, others)
    }
    await this.#removeFinalizer(kind, owner, orphan)
  }

  #ownersOf({ kind, namespace, name }: GraphNode): OwnerReference[] {
    return this.#options.caches.get(kind, namespace, name)?.metadata.ownerReferences ?? []
  }

  async #setOwners(kind: KindId, { metadata }: Resource, ownerReferences: OwnerReference[]): Promise<void> {
    const { namespace = '', name, resourceVersion } = metadata
    await this.#options.client.patch(kind, namespace, name, { metadata: { ownerReferences, resourceVersion } })
  }

  async #removeFinalizer(kind: KindId, { metadata }: Resource, finalizer: string): Promise<void> {
    const { namespace = '', name, resourceVersion } = metadata
    const finalizers = metadata.finalizers?.filter((other) => other !== finalizer) ?? []
    await this.#options.client.patch(kind, namespace, name, { metadata: { finalizers, resourceVersion } })
  }
}

/** Whether the owner lives, where it may own objects of that namespace. */
const isWithin = (owner: GraphNode | undefined, namespace: string): boolean =>
  owner !== undefined && (owner.namespace === '' || owner.namespace === namespace)

const nodeOf = (kind: KindId, { metadata: { uid = '', namespace = '', name } }: Resource): GraphNode => ({
  uid,
  kind,
  namespace,
  name,
})
