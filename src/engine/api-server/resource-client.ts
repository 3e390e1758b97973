// Reconcilers' way to the objects: the same operations as over HTTP, without HTTP.
import { ConflictError, KnodeError } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import { parseApiVersion } from '../../model/kubernetes/resource.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { StatusError } from '../../model/kubernetes/status-error.ts'
import { storageVersion } from '../kind.ts'
import type { KindId, UserInfo } from '../kind.ts'
import type { ResourceClient } from '../reconciler.ts'
import type { KindRegistry } from './kind-registry.ts'
import type { KindTarget, Operations, WriteResult } from './operations.ts'

/** The service account of Knative's own controllers. */
export const controllerUser: UserInfo = {
  username: 'system:serviceaccount:knative-eventing:eventing-controller',
  groups: ['system:serviceaccounts', 'system:serviceaccounts:knative-eventing', 'system:authenticated'],
}

/** How often an update without a resourceVersion is repeated when others write at the same time. */
const updateAttemptsMax = 5

export interface ResourceClientOptions {
  operations: Operations
  registry: KindRegistry
  /** @default controllerUser */
  user?: UserInfo
  /** Whose fields the written ones become. @default 'controller' */
  fieldManager?: string
  /** Told what the API warns of, e.g. a field that no schema knows. @default nobody */
  log?: Logger
}

/**
 * A client that acts as `user`. Objects come back in their storage version; they are shared: copy before changing one.
 * Throws `ConflictError` for writes that lost a race and `StatusError` for all other refusals.
 */
export function createResourceClient(clientOptions: ResourceClientOptions): ResourceClient {
  const { operations, registry, user = controllerUser, fieldManager = 'controller', log } = clientOptions
  const options = { user, fieldManager, fieldValidation: 'Warn' } as const
  const byId = (id: KindId): KindTarget => {
    const kind = registry.get(id)
    if (kind === undefined) throw noSuchKind(id.split('.', 1)[0]!, `group "${id.split('.').slice(1).join('.')}"`)
    return { kind, version: storageVersion(kind) }
  }
  const ofObject = ({ apiVersion, kind: kindName }: Resource): KindTarget => {
    const { group, version } = parseApiVersion(apiVersion)
    const kind = registry.byKind(group, kindName)
    const isServed = kind?.versions.some(({ name }) => name === version) === true
    if (kind === undefined || !isServed) throw noSuchKind(kindName, `version "${apiVersion}"`)
    return { kind, version }
  }
  const stored = async <Object extends Resource>(write: Promise<WriteResult>): Promise<Object> => {
    const { object, warnings } = await write.catch(rethrow)
    const { kind, metadata } = object
    if (warnings.length > 0) {
      log?.warn('the API warned of a write', { kind, namespace: metadata.namespace, name: metadata.name, warnings })
    }
    return object as Object
  }
  const client: ResourceClient = {
    async get<Object extends Resource>(id: KindId, namespace: string, name: string) {
      const found = await operations.get(byId(id), namespace, name).catch(undefinedWhenGone)
      return found as Object | undefined
    },
    async list<Object extends Resource>(id: KindId, namespace?: string) {
      const { items } = await operations.list(byId(id), namespace)
      return items as Object[]
    },
    create<Object extends Resource>(object: Object) {
      return stored<Object>(operations.create(ofObject(object), object.metadata.namespace ?? '', object, options))
    },
    async update<Object extends Resource>(object: Object) {
      const target = ofObject(object)
      const { namespace = '', name, resourceVersion } = object.metadata
      const write = (body: Object) => stored<Object>(operations.update(target, namespace, name, body, options))
      if (resourceVersion !== undefined) return write(object)
      for (let attempt = 1; ; attempt++) {
        const { metadata } = await operations.get(target, namespace, name)
        const revision = metadata.resourceVersion === undefined ? {} : { resourceVersion: metadata.resourceVersion }
        try {
          return await write({ ...object, metadata: { ...object.metadata, ...revision } })
        } catch (thrown) {
          if (!(thrown instanceof ConflictError) || attempt === updateAttemptsMax) throw thrown
        }
      }
    },
    updateStatus<Object extends Resource>(object: Object) {
      const { namespace = '', name } = object.metadata
      const statusOptions = { ...options, subresource: 'status' } as const
      return stored<Object>(operations.update(ofObject(object), namespace, name, object, statusOptions))
    },
    patch<Object extends Resource>(id: KindId, namespace: string, name: string, body: object) {
      return stored<Object>(operations.patch(byId(id), namespace, name, { type: 'merge', body }, options))
    },
    async delete(id, namespace, name, { uid, propagationPolicy } = {}) {
      const removal = {
        user,
        ...(uid === undefined ? {} : { preconditions: { uid } }),
        ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
      }
      await operations.delete(byId(id), namespace, name, removal).catch(undefinedWhenGone)
    },
    finalize<Object extends Resource>(object: Object) {
      const finalizeOptions = { ...options, subresource: 'finalize' } as const
      return stored<Object>(operations.update(ofObject(object), '', object.metadata.name, object, finalizeOptions))
    },
  }
  return client
}

/** In the words of Kubernetes' REST mapper, which users of channel templates and references know. */
const noSuchKind = (kind: string, where: string): KnodeError =>
  new KnodeError('NOT_FOUND', `no matches for kind "${kind}" in ${where}`, { hint: 'knode get crd lists the kinds' })

function rethrow(thrown: unknown): never {
  if (thrown instanceof StatusError && thrown.reason === 'Conflict') {
    throw new ConflictError(thrown.message, { cause: thrown })
  }
  throw thrown
}

function undefinedWhenGone(thrown: unknown): undefined {
  if (thrown instanceof StatusError && thrown.reason === 'NotFound') return undefined
  throw thrown
}
