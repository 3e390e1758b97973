// ServerlessService: the core Services in front of a Revision, and who stands behind them. A PodAutoscaler makes it.
import { columns, defineKind } from '../../../engine/kind.ts'
import { ownPodAnnotations } from '../../../model/kubernetes/pod/pod.ts'
import { ServerlessServiceReconciler } from './reconcile.ts'
import { serverlessServiceSchema } from './schema.ts'
import type { ServerlessService } from './schema.ts'
import { validateServerlessService } from './validate.ts'

export const serverlessService = defineKind<ServerlessService>({
  group: 'networking.internal.knative.dev',
  kind: 'ServerlessService',
  plural: 'serverlessservices',
  shortNames: ['sks'],
  categories: ['knative-internal', 'networking'],
  versions: [
    {
      name: 'v1alpha1',
      schema: serverlessServiceSchema,
      columns: [
        { name: 'Mode', jsonPath: '.spec.mode' },
        { name: 'Activators', jsonPath: '.spec.numActivators', type: 'integer' },
        { name: 'ServiceName', jsonPath: '.status.serviceName' },
        { name: 'PrivateServiceName', jsonPath: '.status.privateServiceName' },
        columns.ready,
        columns.reason,
      ],
    },
  ],
  webhooks: { mutating: 'webhook.serving.knative.dev', validating: 'validation.webhook.serving.knative.dev' },
  validate: validateServerlessService,
  ownAnnotations: ownPodAnnotations,
  reconciler: (deps) => new ServerlessServiceReconciler(deps),
})
