// Whether the name that a template gives its Revision is free. Source: knative/serving
// pkg/reconciler/configuration/configuration.go, CheckNameAvailability.
import { controllerOf } from '../kubernetes/resource.ts'
import type { Resource } from '../kubernetes/resource.ts'
import { semanticallyEqual } from '../kubernetes/semantic.ts'
import { configurationGenerationLabel } from './metadata-keys.ts'
import type { RevisionSpec, RevisionTemplate } from './revision-template.ts'
import type { ServingConfig } from './serving-config.ts'
import { setRevisionDefaults } from './template-defaults.ts'

/**
 * Whether `revision`, which has the name that `configuration` wants, cannot be the one it wants: somebody else's, or
 * made of another spec. One of the same spec is used again, which is how a rollback to a given name works.
 */
export function conflictsWith(
  revision: Resource & { spec: RevisionSpec },
  configuration: Resource & { spec: { template?: RevisionTemplate } },
  config: ServingConfig,
): boolean {
  const { uid, generation = 1 } = configuration.metadata
  if (controllerOf(revision)?.uid !== uid) return true
  if (revision.metadata.labels?.[configurationGenerationLabel] === String(generation)) return false
  // Revisions get their defaults anew when they are made.
  const wanted = structuredClone(configuration.spec.template?.spec ?? {})
  setRevisionDefaults(wanted, { config, operation: 'create', parent: configuration.metadata })
  return !semanticallyEqual(wanted, revision.spec)
}
