// DomainMapping: a host of the user's choice for something that has a host in the cluster.
import { columns, defineKind } from '../../../engine/kind.ts'
import { setDomainMappingDefaults } from './defaults.ts'
import { DomainMappingReconciler } from './reconcile.ts'
import { domainMappingSchema } from './schema.ts'
import type { DomainMapping } from './schema.ts'
import { validateDomainMapping } from './validate.ts'

export const domainMapping = defineKind<DomainMapping>({
  group: 'serving.knative.dev',
  kind: 'DomainMapping',
  description: 'A host of your own for something that has a host in the cluster. The host is its name.',
  plural: 'domainmappings',
  shortNames: ['dm'],
  categories: ['all', 'knative', 'serving'],
  versions: [
    {
      name: 'v1beta1',
      schema: domainMappingSchema,
      columns: [{ name: 'URL', jsonPath: '.status.url' }, columns.ready, columns.reason],
    },
  ],
  webhooks: { mutating: 'webhook.serving.knative.dev', validating: 'validation.webhook.serving.knative.dev' },
  setDefaults: setDomainMappingDefaults,
  validate: validateDomainMapping,
  ownAnnotations: [],
  reconciler: (deps) => new DomainMappingReconciler(deps),
})
