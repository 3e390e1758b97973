// Sequence: functions in a row, each fed by the answer of the one before.
import { columns, defineKind } from '../../../engine/kind.ts'
import { setSequenceDefaults } from './defaults.ts'
import { SequenceReconciler } from './reconcile.ts'
import { sequenceSchema } from './schema.ts'
import type { Sequence } from './schema.ts'
import { validateSequence } from './validate.ts'

export const sequence = defineKind<Sequence>({
  group: 'flows.knative.dev',
  kind: 'Sequence',
  plural: 'sequences',
  categories: ['all', 'knative', 'flows'],
  versions: [
    { name: 'v1', schema: sequenceSchema, columns: [columns.url, columns.age, columns.ready, columns.reason] },
  ],
  crd: { labels: { 'duck.knative.dev/addressable': 'true' } },
  webhooks: { mutating: 'webhook.eventing.knative.dev', validating: 'validation.webhook.eventing.knative.dev' },
  setDefaults: setSequenceDefaults,
  validate: validateSequence,
  ownAnnotations: [],
  reconciler: () => new SequenceReconciler(),
})
