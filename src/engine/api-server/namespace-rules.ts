// What is special about Namespaces, and about creating things in them.
// Source: kubernetes/kubernetes pkg/registry/core/namespace and apiserver admission/plugin/namespace/lifecycle.
import { isNamespaced, kindId } from '../kind.ts'
import type { KindDefinition } from '../kind.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import type { ResourceStore } from '../../ports/resource-store/port.ts'
import { forbidden, notFound } from './api-errors.ts'

/** A Namespace as stored. */
interface Namespace extends Resource {
  spec?: { finalizers?: string[] }
  status?: { phase?: 'Active' | 'Terminating' }
}

const nameLabel = 'kubernetes.io/metadata.name'
const contentFinalizer = 'kubernetes'
const immortalNamespaces = ['default', 'kube-system', 'kube-public']

export const isNamespaceKind = (kind: KindDefinition): boolean => kindId(kind) === 'Namespace'

/** A new Namespace is active and does not go before its content went. */
export function newNamespace(draft: Resource): Resource {
  const spec = { ...draft.spec, finalizers: [contentFinalizer] }
  return withNameLabel({ ...draft, spec, status: { phase: 'Active' } })
}

/** Only deletion and the finalize subresource change what decides over a Namespace's life. */
export function changedNamespace(stored: Resource, draft: Resource): Resource {
  const { status = { phase: 'Active' } } = stored
  return withNameLabel({ ...draft, spec: { ...draft.spec, finalizers: specFinalizers(stored) }, status })
}

/** The `finalize` subresource changes `spec.finalizers` and nothing else. */
export const finalizedNamespace = (stored: Namespace, draft: Namespace): Namespace => ({
  ...stored,
  spec: { ...stored.spec, finalizers: specFinalizers(draft) },
})

export const terminatingNamespace = (stored: Namespace): Namespace => ({
  ...stored,
  status: { ...stored.status, phase: 'Terminating' },
})

/** What still keeps a Namespace, beside `metadata.finalizers`. */
export const specFinalizers = ({ spec }: Namespace): string[] => spec?.finalizers ?? []

/** @throws {StatusError} 403 for the namespaces a cluster cannot be without. */
export function refuseImmortal(kind: KindDefinition, name: string): void {
  if (isNamespaceKind(kind) && immortalNamespaces.includes(name)) {
    throw forbidden(kind, name, 'this namespace may not be deleted')
  }
}

/** @throws {StatusError} 404 when the namespace of a new object is missing, 403 when it is being deleted. */
export async function checkNamespace(store: ResourceStore, kind: KindDefinition, object: Resource): Promise<void> {
  const { namespace, name } = object.metadata
  if (!isNamespaced(kind) || namespace === undefined || namespace === '') return
  const found = await store.get({ resource: 'namespaces', namespace: '', name: namespace })
  if (found === undefined) throw notFound({ group: '', kind: 'Namespace', plural: 'namespaces' }, namespace)
  if (found.metadata.deletionTimestamp === undefined) return
  const message = `unable to create new content in namespace ${namespace} because it is being terminated`
  const cause = {
    reason: 'NamespaceTerminating',
    message: `namespace ${namespace} is being terminated`,
    field: 'metadata.namespace',
  }
  throw forbidden(kind, name, message, [cause])
}

const withNameLabel = (namespace: Resource): Resource => {
  const { metadata } = namespace
  return { ...namespace, metadata: { ...metadata, labels: { ...metadata.labels, [nameLabel]: metadata.name } } }
}
