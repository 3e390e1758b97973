// Parallel: branches side by side, each with a filter function and a subscriber.
import { columns, defineKind } from '../../../engine/kind.ts'
import { setParallelDefaults } from './defaults.ts'
import { ParallelReconciler } from './reconcile.ts'
import { parallelSchema } from './schema.ts'
import type { Parallel } from './schema.ts'
import { validateParallel } from './validate.ts'

export const parallel = defineKind<Parallel>({
  group: 'flows.knative.dev',
  kind: 'Parallel',
  plural: 'parallels',
  categories: ['all', 'knative', 'flows'],
  versions: [
    { name: 'v1', schema: parallelSchema, columns: [columns.url, columns.age, columns.ready, columns.reason] },
  ],
  crd: { labels: { 'duck.knative.dev/addressable': 'true' } },
  webhooks: { mutating: 'webhook.eventing.knative.dev', validating: 'validation.webhook.eventing.knative.dev' },
  setDefaults: setParallelDefaults,
  validate: validateParallel,
  ownAnnotations: [],
  reconciler: () => new ParallelReconciler(),
})
