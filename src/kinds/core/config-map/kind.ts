// ConfigMap: texts that programs, and Knative itself, are configured by.
import { columns, defineKind } from '../../../engine/kind.ts'
import { configMapSchema } from './schema.ts'
import type { ConfigMap } from './schema.ts'
import { validateConfigMap } from './validate.ts'

export const configMap = defineKind<ConfigMap>({
  group: '',
  kind: 'ConfigMap',
  description: 'Holds configuration for workloads to use.',
  plural: 'configmaps',
  shortNames: ['cm'],
  builtIn: true,
  versions: [
    {
      name: 'v1',
      schema: configMapSchema,
      columns: [{ name: 'Data', jsonPath: '', type: 'integer', print: entriesOf }, columns.age],
    },
  ],
  validate: validateConfigMap,
})

function entriesOf({ data = {}, binaryData = {} }: ConfigMap): number {
  return Object.keys(data).length + Object.keys(binaryData).length
}
