// Namespace: a room for names, with a ServiceAccount of its own.
import { columns, defineKind } from '../../../engine/kind.ts'
import { NamespaceReconciler } from './reconcile.ts'
import { namespaceSchema } from './schema.ts'
import type { Namespace } from './schema.ts'

export const namespace = defineKind<Namespace>({
  group: '',
  kind: 'Namespace',
  description: 'A room for names: objects of one kind have different names within it.',
  plural: 'namespaces',
  shortNames: ['ns'],
  scope: 'Cluster',
  builtIn: true,
  statusSubresource: true,
  nameFormat: 'dns-label',
  // Nobody deletes all Namespaces at once, by mistake least of all: Kubernetes has no such verb for them.
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  selectableFields: { 'status.phase': 'status.phase' },
  versions: [
    { name: 'v1', schema: namespaceSchema, columns: [{ name: 'Status', jsonPath: '.status.phase' }, columns.age] },
  ],
  reconciler: (deps) => new NamespaceReconciler(deps),
})
