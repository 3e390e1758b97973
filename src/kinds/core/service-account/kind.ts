// ServiceAccount: who a workload is.
import { columns, defineKind } from '../../../engine/kind.ts'
import { serviceAccountSchema } from './schema.ts'
import type { ServiceAccount } from './schema.ts'

export const serviceAccount = defineKind<ServiceAccount>({
  group: '',
  kind: 'ServiceAccount',
  description: 'An identity for workloads of the namespace.',
  plural: 'serviceaccounts',
  shortNames: ['sa'],
  builtIn: true,
  versions: [
    {
      name: 'v1',
      schema: serviceAccountSchema,
      columns: [
        {
          name: 'Secrets',
          jsonPath: '',
          type: 'integer',
          print: (object) => ((object as ServiceAccount).secrets ?? []).length,
        },
        columns.age,
      ],
    },
  ],
})
