// Deployment: a number of equal Pods, replaced step by step when their template changes.
import { defineKind } from '../../../engine/kind.ts'
import { selectorText } from '../../../model/kubernetes/label-selector.ts'
import { deploymentColumns } from './columns.ts'
import { setDefaults } from './defaults.ts'
import { DeploymentReconciler } from './reconcile.ts'
import { deploymentSchema } from './schema.ts'
import type { Deployment } from './schema.ts'
import { validateDeployment } from './validate.ts'

export const deployment = defineKind<Deployment>({
  group: 'apps',
  kind: 'Deployment',
  description: 'A number of equal Pods, replaced step by step when their template changes.',
  plural: 'deployments',
  shortNames: ['deploy'],
  categories: ['all'],
  builtIn: true,
  statusSubresource: true,
  countsGenerations: true,
  scale: {
    replicas: ({ status }) => status?.replicas ?? 0,
    selector: ({ spec }) => selectorText(spec.selector ?? {}),
  },
  versions: [{ name: 'v1', schema: deploymentSchema, columns: deploymentColumns }],
  setDefaults,
  validate: validateDeployment,
  reconciler: (deps) => new DeploymentReconciler(deps),
})
