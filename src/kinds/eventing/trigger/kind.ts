// Trigger: hands the events of a Broker that pass its filters to a subscriber.
import { deliveryAnnotations } from '../../../engine/delivery/annotations.ts'
import { dataFilterAnnotation } from '../../../engine/delivery/filters/spec.ts'
import { columns, defineKind } from '../../../engine/kind.ts'
import { setTriggerDefaults } from './defaults.ts'
import { TriggerReconciler } from './reconcile.ts'
import { triggerSchema } from './schema.ts'
import type { Trigger } from './schema.ts'
import { validateTrigger } from './validate.ts'

export const trigger = defineKind<Trigger>({
  group: 'eventing.knative.dev',
  kind: 'Trigger',
  plural: 'triggers',
  categories: ['all', 'knative', 'eventing'],
  versions: [
    {
      name: 'v1',
      schema: triggerSchema,
      columns: [
        { name: 'Broker', jsonPath: '.spec.broker' },
        { name: 'Subscriber_URI', jsonPath: '.status.subscriberUri' },
        columns.age,
        columns.ready,
        columns.reason,
      ],
    },
  ],
  webhooks: { mutating: 'webhook.eventing.knative.dev', validating: 'validation.webhook.eventing.knative.dev' },
  setDefaults: setTriggerDefaults,
  validate: validateTrigger,
  ownAnnotations: [...deliveryAnnotations, dataFilterAnnotation],
  reconciler: (deps) => new TriggerReconciler(deps),
})
