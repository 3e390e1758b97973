// Route: an address, and how its requests are divided among Revisions.
import { columns, defineKind } from '../../../engine/kind.ts'
import { ownPodAnnotations } from '../../../model/kubernetes/pod/pod.ts'
import { setRouteDefaults } from './defaults.ts'
import { RouteReconciler } from './reconcile.ts'
import { routeSchema } from './schema.ts'
import type { Route } from './schema.ts'
import { validateRoute } from './validate.ts'

export const route = defineKind<Route>({
  group: 'serving.knative.dev',
  kind: 'Route',
  description: 'An address, and how its requests are divided among Revisions.',
  plural: 'routes',
  shortNames: ['rt'],
  categories: ['all', 'knative', 'serving'],
  versions: [
    {
      name: 'v1',
      schema: routeSchema,
      columns: [{ name: 'URL', jsonPath: '.status.url' }, columns.ready, columns.reason],
    },
  ],
  crd: { labels: { 'duck.knative.dev/addressable': 'true' } },
  webhooks: { mutating: 'webhook.serving.knative.dev', validating: 'validation.webhook.serving.knative.dev' },
  setDefaults: setRouteDefaults,
  validate: validateRoute,
  ownAnnotations: ownPodAnnotations,
  reconciler: (deps) => new RouteReconciler(deps),
})
