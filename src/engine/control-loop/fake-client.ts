// A ResourceClient for tests: conflicts, generations and finalizers as the API has them, but neither defaults nor checks.
import type { Clock } from '../../base/clock.ts'
import { kubernetesTime } from '../../model/kubernetes/resource.ts'
import type { ObjectMeta, Resource } from '../../model/kubernetes/resource.ts'
import { semanticallyEqual } from '../../model/kubernetes/semantic.ts'
import { StatusError } from '../../model/kubernetes/status-error.ts'
import type { ResourceKey, ResourceStore } from '../../ports/resource-store/port.ts'
import { kindIdOf } from '../children.ts'
import { kindId, resourceName } from '../kind.ts'
import type { KindDefinition, KindId } from '../kind.ts'
import type { RemovalOptions, ResourceClient } from '../reconciler.ts'

export class FakeClient implements ResourceClient {
  #store: ResourceStore
  #clock: Clock
  #resources: Map<KindId, string>
  #uids = 0
  #unknown = new Set<KindId>()

  /** Kinds that are not given are stored under their id. */
  constructor(options: { store: ResourceStore; clock: Clock; kinds?: readonly KindDefinition[] }) {
    this.#store = options.store
    this.#clock = options.clock
    this.#resources = new Map(options.kinds?.map((kind) => [kindId(kind), resourceName(kind)]))
  }

  /** From now on no object of the kind can be made, as of one that the API does not serve. */
  withoutKind(kind: KindId): this {
    this.#unknown.add(kind)
    return this
  }

  async get<Object extends Resource>(kind: KindId, namespace: string, name: string): Promise<Object | undefined> {
    return (await this.#store.get(this.#key(kind, namespace, name))) as Object | undefined
  }

  async list<Object extends Resource>(kind: KindId, namespace?: string): Promise<Object[]> {
    const resource = this.#resource(kind)
    const { items } = await this.#store.list(namespace === undefined ? { resource } : { resource, namespace })
    return items as Object[]
  }

  async create<Object extends Resource>(object: Object): Promise<Object> {
    if (this.#unknown.has(kindIdOf(object))) throw new Error(`no matches for kind ${JSON.stringify(object.kind)}`)
    const key = this.#keyOf(object)
    if ((await this.#store.get(key)) !== undefined) {
      throw new StatusError(409, 'AlreadyExists', `${key.resource} "${key.name}" already exists`)
    }
    const metadata: ObjectMeta = {
      uid: `uid-${++this.#uids}`,
      creationTimestamp: kubernetesTime(this.#clock.now()),
      generation: 1,
      ...object.metadata,
    }
    return (await this.#store.put(key, structuredClone({ ...object, metadata }), { expected: null })) as Object
  }

  async update<Object extends Resource>(object: Object): Promise<Object> {
    const stored = await this.#stored(object)
    const { status: _, ...rest } = object
    const status = stored.status === undefined ? {} : { status: stored.status }
    const { uid, creationTimestamp, generation = 1, deletionTimestamp } = stored.metadata
    const kept = {
      uid,
      creationTimestamp,
      generation,
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    }
    const next = { ...rest, ...status, metadata: { ...object.metadata, ...kept } } as Resource
    if (semanticallyEqual(next, stored)) return stored as Object
    const { metadata: ___, ...was } = stored
    const { metadata: ____, ...is } = next
    if (!semanticallyEqual(was, is)) next.metadata.generation = generation + 1
    if (deletionTimestamp !== undefined && (next.metadata.finalizers ?? []).length === 0) {
      await this.#store.delete(this.#keyOf(object))
      return next as Object
    }
    return await this.#put(next)
  }

  async updateStatus<Object extends Resource>(object: Object): Promise<Object> {
    const stored = await this.#stored(object)
    const next = { ...stored, ...(object.status === undefined ? {} : { status: object.status }) }
    return semanticallyEqual(next, stored) ? (stored as Object) : await this.#put<Object>(next)
  }

  async patch<Object extends Resource>(kind: KindId, namespace: string, name: string, patch: object): Promise<Object> {
    const stored = await this.get(kind, namespace, name)
    if (stored === undefined) throw notFound(this.#key(kind, namespace, name))
    return await this.update(mergePatch(structuredClone(stored), patch) as Object)
  }

  async delete(kind: KindId, namespace: string, name: string, options: RemovalOptions = {}): Promise<void> {
    const key = this.#key(kind, namespace, name)
    const stored = await this.#store.get(key)
    if (stored === undefined) throw notFound(key)
    if (options.uid !== undefined && options.uid !== stored.metadata.uid) {
      throw new StatusError(409, 'Conflict', `the UID in the precondition (${options.uid}) does not match`)
    }
    const { propagationPolicy } = options
    const added =
      propagationPolicy === 'Foreground' ? ['foregroundDeletion'] : propagationPolicy === 'Orphan' ? ['orphan'] : []
    const finalizers = [...new Set([...(stored.metadata.finalizers ?? []), ...added])]
    const guards: { finalizers?: string[] } = stored.spec ?? {}
    if (finalizers.length === 0 && (guards.finalizers ?? []).length === 0) {
      await this.#store.delete(key)
      return
    }
    const deletionTimestamp = stored.metadata.deletionTimestamp ?? kubernetesTime(this.#clock.now())
    const generation = (stored.metadata.generation ?? 1) + (stored.metadata.deletionTimestamp === undefined ? 1 : 0)
    const next = { ...stored, metadata: { ...stored.metadata, finalizers, deletionTimestamp, generation } }
    if (!semanticallyEqual(next, stored)) await this.#put(next)
  }

  async finalize<Object extends Resource>(object: Object): Promise<Object> {
    const { finalizers = [] } = (object.spec ?? {}) as { finalizers?: string[] }
    if (object.metadata.deletionTimestamp === undefined || finalizers.length > 0) return await this.#put<Object>(object)
    await this.#store.delete(this.#keyOf(object))
    return object
  }

  async #stored(object: Resource): Promise<Resource> {
    const key = this.#keyOf(object)
    const stored = await this.#store.get(key)
    if (stored === undefined) throw notFound(key)
    const { resourceVersion } = object.metadata
    if (resourceVersion !== undefined && resourceVersion !== stored.metadata.resourceVersion) {
      const message = 'the object has been modified; please apply your changes to the latest version and try again'
      throw new StatusError(409, 'Conflict', message)
    }
    return stored
  }

  async #put<Object extends Resource>(object: Resource): Promise<Object> {
    const expected = object.metadata.resourceVersion
    const options = expected === undefined ? {} : { expected }
    return (await this.#store.put(this.#keyOf(object), structuredClone(object), options)) as Object
  }

  #resource(kind: KindId): string {
    return this.#resources.get(kind) ?? kind
  }

  #key(kind: KindId, namespace: string, name: string): ResourceKey {
    return { resource: this.#resource(kind), namespace, name }
  }

  #keyOf(object: Resource): ResourceKey {
    return this.#key(kindIdOf(object), object.metadata.namespace ?? '', object.metadata.name)
  }
}

const notFound = ({ resource, name }: ResourceKey): StatusError =>
  new StatusError(404, 'NotFound', `${resource} "${name}" not found`)

/** RFC 7386. */
function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const result: Record<string, unknown> =
    typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = mergePatch(result[key], value)
  }
  return result
}
