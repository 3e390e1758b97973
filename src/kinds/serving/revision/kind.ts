// Revision: one version of a program and how it runs. It is made once and never changed.
import { columns, defineKind } from '../../../engine/kind.ts'
import { ownPodAnnotations } from '../../../model/kubernetes/pod/pod.ts'
import { setRevisionDefaults } from './defaults.ts'
import { RevisionReconciler } from './reconcile.ts'
import { revisionSchema } from './schema.ts'
import type { Revision } from './schema.ts'
import { validateRevision } from './validate.ts'

export const revision = defineKind<Revision>({
  group: 'serving.knative.dev',
  kind: 'Revision',
  description: 'One version of a program and how it runs: made once, never changed.',
  plural: 'revisions',
  shortNames: ['rev'],
  categories: ['all', 'knative', 'serving'],
  versions: [
    {
      name: 'v1',
      schema: revisionSchema,
      columns: [
        { name: 'Config Name', jsonPath: ".metadata.labels['serving\\.knative\\.dev/configuration']" },
        { name: 'Generation', jsonPath: ".metadata.labels['serving\\.knative\\.dev/configurationGeneration']" },
        columns.ready,
        columns.reason,
        { name: 'Actual Replicas', type: 'integer', jsonPath: '.status.actualReplicas' },
        { name: 'Desired Replicas', type: 'integer', jsonPath: '.status.desiredReplicas' },
      ],
    },
  ],
  webhooks: { mutating: 'webhook.serving.knative.dev', validating: 'validation.webhook.serving.knative.dev' },
  setDefaults: setRevisionDefaults,
  validate: validateRevision,
  ownAnnotations: ownPodAnnotations,
  reconciler: (deps) => new RevisionReconciler(deps),
})
