// CustomResourceDefinition: tells clients which kinds there are. Ours follow from the code, so clients only read them.
import { defineKind } from '../../../engine/kind.ts'
import { customResourceDefinitionSchema } from './schema.ts'
import type { CustomResourceDefinition } from './schema.ts'

export const customResourceDefinition = defineKind<CustomResourceDefinition>({
  group: 'apiextensions.k8s.io',
  kind: 'CustomResourceDefinition',
  description: 'Describes a kind that Kubernetes itself does not have. Read-only here.',
  plural: 'customresourcedefinitions',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  scope: 'Cluster',
  builtIn: true,
  statusSubresource: true,
  verbs: ['get', 'list', 'watch'],
  versions: [
    {
      name: 'v1',
      schema: customResourceDefinitionSchema,
      columns: [
        {
          name: 'Created At',
          jsonPath: '',
          type: 'date',
          print: ({ metadata }) => metadata.creationTimestamp ?? undefined,
        },
      ],
    },
  ],
})
