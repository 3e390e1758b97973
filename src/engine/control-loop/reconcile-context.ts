// What one reconcile sees of the world and may do to it.
import type { ConditionSet } from '../../model/duck/conditions.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import type { KindId } from '../kind.ts'
import type { Caches, ReconcileContext, ResourceClient, Workers } from '../reconciler.ts'
import { kindIdOf } from '../children.ts'
import { isNotFound } from './api-failure.ts'
import { applyChild } from './apply.ts'
import type { OpenCaches } from './caches.ts'
import { resolveDestination } from './sink-resolver.ts'
import type { KindOf } from './sink-resolver.ts'

/** Notes what a reconcile looks at, before it looks. */
export interface ReadLog {
  object(kind: KindId, namespace: string, name: string): void
  list(kind: KindId, namespace: string | undefined): void
  /** All that the object of that uid controls. */
  children(kind: KindId, uid: string): void
}

export interface ContextDeps {
  /** Whose context it is. */
  object: Resource
  kindOf: KindOf
  caches: Caches & Pick<OpenCaches, 'controlledBy'>
  client: ResourceClient
  conditions: ConditionSet
  workers: Workers
  reads: ReadLog
  event: ReconcileContext['event']
  requeueAfter: ReconcileContext['requeueAfter']
  requeue: ReconcileContext['requeue']
}

export function createContext(deps: ContextDeps): ReconcileContext {
  const { object, kindOf, caches, client, conditions, workers, reads, event, requeueAfter, requeue } = deps
  const get = <Object extends Resource>(kind: KindId, namespace: string, name: string): Object | undefined => {
    reads.object(kind, namespace, name)
    return caches.get<Object>(kind, namespace, name)
  }
  return {
    conditions,
    workers,
    event,
    requeueAfter,
    requeue,
    get,
    list(kind, namespace) {
      reads.list(kind, namespace)
      return caches.list(kind, namespace)
    },
    children(kind, owner = object) {
      const { uid = '' } = owner.metadata
      reads.children(kind, uid)
      return caches.controlledBy(kind, uid)
    },
    resolve: (destination, namespace) => resolveDestination(destination, namespace, { kindOf, get }),
    apply(child) {
      reads.object(kindIdOf(child), child.metadata.namespace ?? '', child.metadata.name)
      return applyChild(child, client)
    },
    async remove(kind, namespace, name) {
      try {
        await client.delete(kind, namespace, name)
      } catch (thrown) {
        if (!isNotFound(thrown)) throw thrown
      }
    },
  }
}
