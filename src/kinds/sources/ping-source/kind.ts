// PingSource: sends a fixed event on a cron schedule.
import { columns, defineKind } from '../../../engine/kind.ts'
import type { KindVersion } from '../../../engine/kind.ts'
import { PingSourceReconciler } from './reconcile.ts'
import { pingEventType, pingSourceSchema } from './schema.ts'
import type { PingSource } from './schema.ts'
import { setPingSourceDefaults, validatePingSource } from './validate.ts'

const version: Omit<KindVersion, 'name'> = {
  schema: pingSourceSchema,
  columns: [columns.sink, { name: 'Schedule', jsonPath: '.spec.schedule' }, columns.age, columns.ready, columns.reason],
}

export const pingSource = defineKind<PingSource>({
  group: 'sources.knative.dev',
  kind: 'PingSource',
  plural: 'pingsources',
  categories: ['all', 'knative', 'sources'],
  versions: [
    { name: 'v1', ...version },
    {
      name: 'v1beta2',
      ...version,
      deprecationWarning:
        'sources.knative.dev/v1beta2 PingSource is deprecated; see https://knative.dev/docs/eventing/sources/ping-source/ for instructions to migrate to sources.knative.dev/v1 PingSource',
    },
  ],
  crd: {
    labels: { 'duck.knative.dev/source': 'true' },
    annotations: { 'registry.knative.dev/eventTypes': JSON.stringify([{ type: pingEventType }]) },
  },
  webhooks: { mutating: 'webhook.eventing.knative.dev', validating: 'validation.webhook.eventing.knative.dev' },
  setDefaults: setPingSourceDefaults,
  validate: validatePingSource,
  ownAnnotations: [],
  reconciler: (deps) => new PingSourceReconciler(deps),
})
