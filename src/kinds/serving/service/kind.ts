// Service: a program behind an address, started when somebody asks and stopped when nobody does.
import { columns, defineKind } from '../../../engine/kind.ts'
import { ownPodAnnotations, podKind } from '../../../model/kubernetes/pod/pod.ts'
import { samplePod } from '../../../model/serving/sample-pod.ts'
import { setServiceDefaults } from './defaults.ts'
import { ServiceReconciler } from './reconcile.ts'
import { serviceSchema } from './schema.ts'
import type { Service } from './schema.ts'
import { validateService } from './validate.ts'

export const servingService = defineKind<Service>({
  group: 'serving.knative.dev',
  kind: 'Service',
  description: 'A program behind an address: started when somebody asks, stopped when nobody does.',
  plural: 'services',
  shortNames: ['kservice', 'ksvc'],
  categories: ['all', 'knative', 'serving'],
  versions: [
    {
      name: 'v1',
      schema: serviceSchema,
      columns: [
        { name: 'URL', jsonPath: '.status.url' },
        { name: 'LatestCreated', jsonPath: '.status.latestCreatedRevisionName' },
        { name: 'LatestReady', jsonPath: '.status.latestReadyRevisionName' },
        columns.ready,
        columns.reason,
      ],
    },
  ],
  crd: { labels: { 'duck.knative.dev/addressable': 'true', 'duck.knative.dev/podspecable': 'true' } },
  webhooks: { mutating: 'webhook.serving.knative.dev', validating: 'validation.webhook.serving.knative.dev' },
  setDefaults: setServiceDefaults,
  validate: validateService,
  dryRunSample: ({ metadata: { namespace = '' }, spec: { template = {} } }) => ({
    kind: podKind,
    object: samplePod(template, namespace),
    path: 'spec.template',
  }),
  // Elsewhere than on the template they have no effect, which `validate` says.
  ownAnnotations: ownPodAnnotations,
  reconciler: (deps) => new ServiceReconciler(deps),
})
