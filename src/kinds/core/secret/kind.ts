// Secret: like a ConfigMap, for what must not be seen.
import { columns, defineKind } from '../../../engine/kind.ts'
import { setSecretDefaults } from './defaults.ts'
import { secretSchema } from './schema.ts'
import type { Secret } from './schema.ts'
import { validateSecret } from './validate.ts'

export const secret = defineKind<Secret>({
  group: '',
  kind: 'Secret',
  description: 'Holds secret data. The values are bytes in base64.',
  plural: 'secrets',
  builtIn: true,
  selectableFields: { type: 'type' },
  versions: [
    {
      name: 'v1',
      schema: secretSchema,
      columns: [
        { name: 'Type', jsonPath: '.type' },
        {
          name: 'Data',
          jsonPath: '',
          type: 'integer',
          print: (object) => Object.keys((object as Secret).data ?? {}).length,
        },
        columns.age,
      ],
    },
  ],
  setDefaults: setSecretDefaults,
  validate: validateSecret,
})
