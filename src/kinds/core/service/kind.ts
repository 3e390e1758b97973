// Service: a stable name and address in front of workloads. Not Knative's, which lives in serving/.
import { defineKind } from '../../../engine/kind.ts'
import { serviceColumns } from './columns.ts'
import { setServiceDefaults } from './defaults.ts'
import { ServiceReconciler } from './reconcile.ts'
import { serviceSchema } from './schema.ts'
import type { Service } from './schema.ts'
import { validateService } from './validate.ts'

export const service = defineKind<Service>({
  group: '',
  kind: 'Service',
  description: 'A name, an address and ports that stand for workloads, wherever they run.',
  plural: 'services',
  shortNames: ['svc'],
  categories: ['all'],
  builtIn: true,
  statusSubresource: true,
  nameFormat: 'dns-1035',
  selectableFields: { 'spec.clusterIP': 'spec.clusterIP', 'spec.type': 'spec.type' },
  versions: [{ name: 'v1', schema: serviceSchema, columns: serviceColumns }],
  setDefaults: setServiceDefaults,
  validate: validateService,
  reconciler: (deps) => new ServiceReconciler(deps),
})
