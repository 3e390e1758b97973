// Broker: takes events over HTTP and keeps them until every Trigger is done with them.
import { doorAnnotations } from '../../../engine/delivery/annotations.ts'
import { columns, defineKind } from '../../../engine/kind.ts'
import { setBrokerDefaults } from './defaults.ts'
import { BrokerReconciler } from './reconcile.ts'
import { brokerSchema } from './schema.ts'
import type { Broker } from './schema.ts'
import { validateBroker } from './validate.ts'

export const broker = defineKind<Broker>({
  group: 'eventing.knative.dev',
  kind: 'Broker',
  plural: 'brokers',
  categories: ['all', 'knative', 'eventing'],
  versions: [
    {
      name: 'v1',
      schema: brokerSchema,
      columns: [
        columns.url,
        columns.age,
        columns.ready,
        columns.reason,
        {
          name: 'Class',
          jsonPath: String.raw`.metadata.annotations.eventing\.knative\.dev/broker\.class`,
          priority: 1,
        },
      ],
    },
  ],
  crd: { labels: { 'duck.knative.dev/addressable': 'true' } },
  webhooks: { mutating: 'webhook.eventing.knative.dev', validating: 'validation.webhook.eventing.knative.dev' },
  setDefaults: setBrokerDefaults,
  validate: validateBroker,
  ownAnnotations: doorAnnotations,
  reconciler: (deps) => new BrokerReconciler(deps),
})
