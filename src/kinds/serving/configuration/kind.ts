// Configuration: the template of Revisions. Each change of it makes a new one.
import { columns, defineKind } from '../../../engine/kind.ts'
import { ownPodAnnotations, podKind } from '../../../model/kubernetes/pod/pod.ts'
import { serviceLabel } from '../../../model/serving/metadata-keys.ts'
import { samplePod } from '../../../model/serving/sample-pod.ts'
import { setConfigurationDefaults } from './defaults.ts'
import { ConfigurationReconciler } from './reconcile.ts'
import { configurationSchema } from './schema.ts'
import type { Configuration } from './schema.ts'
import { validateConfiguration } from './validate.ts'

export const configuration = defineKind<Configuration>({
  group: 'serving.knative.dev',
  kind: 'Configuration',
  description: 'The template of Revisions: each change of it makes a new one.',
  plural: 'configurations',
  shortNames: ['config', 'cfg'],
  categories: ['all', 'knative', 'serving'],
  versions: [
    {
      name: 'v1',
      schema: configurationSchema,
      columns: [
        { name: 'LatestCreated', jsonPath: '.status.latestCreatedRevisionName' },
        { name: 'LatestReady', jsonPath: '.status.latestReadyRevisionName' },
        columns.ready,
        columns.reason,
      ],
    },
  ],
  crd: { labels: { 'duck.knative.dev/podspecable': 'true' } },
  webhooks: { mutating: 'webhook.serving.knative.dev', validating: 'validation.webhook.serving.knative.dev' },
  setDefaults: setConfigurationDefaults,
  validate: validateConfiguration,
  // What a Service owns was tried out with it.
  dryRunSample: ({ metadata: { namespace = '', labels }, spec: { template = {} } }) =>
    (labels?.[serviceLabel] ?? '') === ''
      ? { kind: podKind, object: samplePod(template, namespace), path: 'spec.template' }
      : undefined,
  ownAnnotations: ownPodAnnotations,
  reconciler: (deps) => new ConfigurationReconciler(deps),
})
