// Certificate: asks for a TLS certificate. Routes and DomainMappings make it; a controller of its class provides it.
import { columns, defineKind } from '../../../engine/kind.ts'
import { CertificateReconciler } from './reconcile.ts'
import { certificateSchema } from './schema.ts'
import type { Certificate } from './schema.ts'
import { validateCertificate } from './validate.ts'

export const certificate = defineKind<Certificate>({
  group: 'networking.internal.knative.dev',
  kind: 'Certificate',
  description: 'Asks for a TLS certificate for some hosts. A controller of its class provides it.',
  plural: 'certificates',
  shortNames: ['kcert'],
  categories: ['knative-internal', 'networking'],
  versions: [{ name: 'v1alpha1', schema: certificateSchema, columns: [columns.ready, columns.reason] }],
  webhooks: { mutating: 'webhook.serving.knative.dev', validating: 'validation.webhook.serving.knative.dev' },
  validate: validateCertificate,
  ownAnnotations: [],
  reconciler: (deps) => new CertificateReconciler(deps),
})
