// What an object goes through before it is stored: defaults, schema, the kind's own rules; all complaints at once.
import { isDeepStrictEqual } from 'node:util'
import { unknownOwnAnnotations } from '../../model/knative/own-annotations.ts'
import { fieldErrorText } from '../../model/kubernetes/field-error.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { StatusError } from '../../model/kubernetes/status-error.ts'
import { hasStatus, storageVersion } from '../kind.ts'
import type { AdmissionContext, KindDefinition } from '../kind.ts'
import { causesOf, denied, invalid, refusal } from './api-errors.ts'
import { jsonCopy } from './json-value.ts'
import type { KindRegistry } from './kind-registry.ts'
import { metadataChangeErrors, metadataErrors } from './metadata-check.ts'
import { schemasOf } from './metadata-schema.ts'
import { schemaErrors, withDefaults } from './schema-check.ts'

export interface Admitted {
  object: Resource
  warnings: string[]
}

/**
 * Admits `draft`, an object of the right types in the storage version that nobody else holds.
 * @throws {StatusError} 422 when the schema or Kubernetes' own rules are broken; 400 in the webhook's name when the
 * kind's are.
 */
export function admit(kind: KindDefinition, draft: Resource, context: AdmissionContext): Admitted {
  const { whole, body } = schemasOf(kind, storageVersion(kind))
  const old = context.old === undefined ? undefined : defaulted(kind, context.old, context)
  const admission: AdmissionContext = old === undefined ? context : { ...context, old }
  const object = withDefaults(draft, whole) as Resource
  kind.setDefaults?.(object, admission)
  annotateUser(kind, object, admission)
  const { status, ...content } = object
  const causes = [
    ...metadataErrors(kind, object.metadata),
    ...(context.old === undefined ? [] : metadataChangeErrors(context.old.metadata, object.metadata)),
    // The status of a kind with a status subresource was checked when it was written there.
    ...schemaErrors(hasStatus(kind) || status === undefined ? content : object, body),
  ]
  if (kind.webhooks !== undefined && causes.length > 0) throw invalid(kind, object.metadata.name, causes)
  const { ownAnnotations: known } = kind
  const before = old?.metadata.annotations
  const complaints = [
    ...(known === undefined ? [] : unknownOwnAnnotations(object.metadata.annotations, known, before)),
    ...(kind.validate?.(object, admission) ?? []),
  ]
  const errors = complaints.filter(({ level }) => level !== 'warning')
  if (causes.length > 0) throw invalid(kind, object.metadata.name, [...causes, ...errors.flatMap(causesOf)])
  if (errors.length > 0) throw refusal(kind, object.metadata.name, errors)
  const warnings = complaints.filter(({ level }) => level === 'warning')
  // Defaults written as `undefined` would make an object differ from its stored self.
  return { object: jsonCopy(object), warnings: warnings.map((warning) => oneLine(fieldErrorText([warning]))) }
}

/**
 * Admits what would be made from `object`, which was admitted.
 * @throws {StatusError} 400 in the name of the object's webhook; Kubernetes' own kinds, which have none, are refused as
 * the sample is.
 */
export function tryOut(
  kind: KindDefinition,
  object: Resource,
  registry: KindRegistry,
  context: AdmissionContext,
): void {
  const sample = kind.dryRunSample?.(object)
  const sampleKind = sample === undefined ? undefined : registry.get(sample.kind)
  if (sample === undefined || sampleKind === undefined) return
  const { config, user } = context
  try {
    admit(sampleKind, sample.object, { operation: 'create', config, user })
  } catch (thrown) {
    if (!(thrown instanceof StatusError) || kind.webhooks === undefined) throw thrown
    const why = `dry run failed with ${thrown.message}: ${sample.path}`
    throw denied(kind.webhooks.validating, `validation callback failed: ${why}`)
  }
}

/** The stored object as today's defaults would have it: what they add is no change of the user's. */
function defaulted(kind: KindDefinition, stored: Resource, { config, user }: AdmissionContext): Resource {
  const draft = structuredClone(stored)
  kind.setDefaults?.(draft, { operation: 'update', config, user })
  return draft
}

/**
 * Who made the object, and who changed its spec last. Source: knative/pkg webhook/resourcesemantics/defaulting/user_info.go.
 * Serving's children carry their owner's annotations instead.
 */
function annotateUser(kind: KindDefinition, object: Resource, { old, user }: AdmissionContext): void {
  const { group, webhooks } = kind
  if (webhooks === undefined || !group.endsWith('.knative.dev') || group.endsWith('.internal.knative.dev')) return
  if (group === 'serving.knative.dev' && (object.metadata.ownerReferences ?? []).length > 0) return
  if (old !== undefined && isDeepStrictEqual(old.spec, object.spec)) return
  object.metadata.annotations = {
    ...object.metadata.annotations,
    ...(old === undefined ? { [`${group}/creator`]: user.username } : {}),
    [`${group}/lastModifier`]: user.username,
  }
}

/** Headers have one line. */
const oneLine = (text: string): string => text.replace(/\s*\n\s*/g, ' ')
