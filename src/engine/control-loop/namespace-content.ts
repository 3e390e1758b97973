// Empties a deleted namespace and lets it go. Semantics of Kubernetes' pkg/controller/namespace.
import type { Resource } from '../../model/kubernetes/resource.ts'
import { isNamespaced, kindId } from '../kind.ts'
import type { KindDefinition } from '../kind.ts'
import type { ResourceClient } from '../reconciler.ts'
import { isConflict, isNotFound } from './api-failure.ts'

interface Namespace extends Resource {
  spec?: { finalizers?: string[] }
  status?: { phase?: string }
}

const finalizer = 'kubernetes'

/** True when it is empty and was told to go; false while objects with finalizers keep it. */
export async function emptyNamespace(
  namespace: Namespace,
  { kinds, client }: { kinds: readonly KindDefinition[]; client: ResourceClient },
): Promise<boolean> {
  const { name } = namespace.metadata
  if (namespace.spec?.finalizers?.includes(finalizer) !== true) return true
  const terminating =
    namespace.status?.phase === 'Terminating'
      ? namespace
      : await client.updateStatus({ ...namespace, status: { ...namespace.status, phase: 'Terminating' } })
  let lingering = 0
  for (const kind of kinds.filter(isNamespaced)) lingering += await deleteAll(kind, name, client)
  if (lingering > 0) return false
  const finalizers = terminating.spec?.finalizers?.filter((other) => other !== finalizer) ?? []
  await client.finalize({ ...terminating, spec: { ...terminating.spec, finalizers } })
  return true
}

/** Returns how many objects of the kind are still there. */
async function deleteAll(kind: KindDefinition, namespace: string, client: ResourceClient): Promise<number> {
  const id = kindId(kind)
  for (const { metadata } of await client.list(id, namespace)) {
    if (metadata.deletionTimestamp !== undefined) continue
    try {
      await client.delete(id, namespace, metadata.name, metadata.uid === undefined ? {} : { uid: metadata.uid })
    } catch (thrown) {
      if (!isNotFound(thrown) && !isConflict(thrown)) throw thrown
    }
  }
  return (await client.list(id, namespace)).length
}
