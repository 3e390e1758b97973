// Ingress (KIngress): tells the gateway which host leads to which Revision. Routes and DomainMappings make it.
import { columns, defineKind } from '../../../engine/kind.ts'
import { setIngressDefaults } from './defaults.ts'
import { IngressReconciler } from './reconcile.ts'
import { ingressSchema } from './schema.ts'
import type { Ingress } from './schema.ts'
import { validateIngress } from './validate.ts'

export const ingress = defineKind<Ingress>({
  group: 'networking.internal.knative.dev',
  kind: 'Ingress',
  description: 'Which host leads to which Revision. Routes and DomainMappings make it.',
  plural: 'ingresses',
  shortNames: ['kingress', 'king'],
  categories: ['knative-internal', 'networking'],
  versions: [{ name: 'v1alpha1', schema: ingressSchema, columns: [columns.ready, columns.reason] }],
  webhooks: { mutating: 'webhook.serving.knative.dev', validating: 'validation.webhook.serving.knative.dev' },
  setDefaults: setIngressDefaults,
  validate: validateIngress,
  ownAnnotations: [],
  reconciler: (deps) => new IngressReconciler(deps),
})
