// A kind for tests with every feature the API shows to clients: versions, columns, conditions, categories, rules.
import { columns, defineKind } from '../../src/engine/kind.ts'
import type { KindVersion } from '../../src/engine/kind.ts'
import { invalidValue, missingField } from '../../src/model/kubernetes/field-error.ts'
import type { Resource } from '../../src/model/kubernetes/resource.ts'
import { integer, list, object, statusOf, string } from '../../src/model/kubernetes/schema.ts'

export interface Drink extends Resource {
  spec: { cups?: number; flavours?: string[] }
}

const version = (name: string): KindVersion => ({
  name,
  schema: {
    spec: object('What is wanted.', {
      cups: integer('How many cups.'),
      flavours: list('What it tastes of.', string('A flavour.')),
    }),
    status: statusOf({ drunk: integer('Cups that are empty.') }),
  },
  columns: [
    { name: 'Cups', jsonPath: '.spec.cups', type: 'integer' },
    columns.age,
    columns.ready,
    columns.reason,
    { name: 'Flavour', jsonPath: '.spec.flavours[0]', priority: 1 },
  ],
})

export const drink = defineKind<Drink>({
  group: 'demo.knode.dev',
  kind: 'Drink',
  description: 'Something against thirst.',
  plural: 'drinks',
  shortNames: ['dr'],
  categories: ['all', 'knative'],
  versions: [
    version('v1'),
    { ...version('v1beta1'), deprecationWarning: 'demo.knode.dev/v1beta1 Drink is deprecated; use v1' },
  ],
  crd: { labels: { 'duck.knative.dev/source': 'true' } },
  validate: ({ spec }) => [
    ...(spec.cups === undefined ? [missingField('spec.cups')] : []),
    ...(spec.cups !== undefined && spec.cups > 100 ? [invalidValue(spec.cups, 'spec.cups', 'too many')] : []),
  ],
})
