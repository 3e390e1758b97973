// Subscription: hands the events of a channel to a subscriber, and its answers to a reply sink.
import { columns, defineKind } from '../../../engine/kind.ts'
import { setSubscriptionDefaults } from './defaults.ts'
import { SubscriptionReconciler } from './reconcile.ts'
import { subscriptionSchema } from './schema.ts'
import type { Subscription } from './schema.ts'
import { validateSubscription } from './validate.ts'

export const subscription = defineKind<Subscription>({
  group: 'messaging.knative.dev',
  kind: 'Subscription',
  plural: 'subscriptions',
  shortNames: ['sub'],
  categories: ['all', 'knative', 'messaging'],
  versions: [{ name: 'v1', schema: subscriptionSchema, columns: [columns.age, columns.ready, columns.reason] }],
  webhooks: { mutating: 'webhook.eventing.knative.dev', validating: 'validation.webhook.eventing.knative.dev' },
  setDefaults: setSubscriptionDefaults,
  validate: validateSubscription,
  ownAnnotations: [],
  reconciler: (deps) => new SubscriptionReconciler(deps),
})
