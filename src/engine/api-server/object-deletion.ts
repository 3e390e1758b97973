// What a DELETE does to an object: it goes, or it is marked and lingers until its finalizers are gone.
// Source: kubernetes/apiserver pkg/registry/generic/registry/store.go and pkg/registry/rest/delete.go.
import { kubernetesTime } from '../../model/kubernetes/resource.ts'
import type { ObjectMeta, Resource } from '../../model/kubernetes/resource.ts'
import type { KindDefinition } from '../kind.ts'
import { preconditionFailed } from './api-errors.ts'
import { isNamespaceKind, specFinalizers, terminatingNamespace } from './namespace-rules.ts'
import type { DeleteOptions } from './operations.ts'

/** Finalizers through which a delete tells the garbage collector what should become of dependents. */
const policyFinalizers = { Foreground: 'foregroundDeletion', Orphan: 'orphan' } as const

export type Deletion = { kind: 'remove' } | { kind: 'linger'; next: Resource }

/** Decides what becomes of `stored`. @throws {StatusError} 409 when a precondition does not hold. */
export function decideDeletion(
  kind: KindDefinition,
  stored: Resource,
  { preconditions, propagationPolicy, gracePeriodSeconds }: DeleteOptions,
  nowMs: number,
): Deletion {
  checkPreconditions(kind, stored, preconditions)
  const finalizers = finalizersFor(propagationPolicy, stored.metadata.finalizers ?? [])
  const metadata: ObjectMeta = { ...stored.metadata, finalizers }
  if (finalizers.length === 0) delete metadata.finalizers
  if (!isKept(kind, { ...stored, metadata })) return { kind: 'remove' }
  const isFirst = metadata.deletionTimestamp === undefined
  const graceSeconds = Math.max(0, gracePeriodSeconds ?? kind.deletionGraceSeconds?.(stored) ?? 0)
  // Whoever deletes it again may only shorten its time.
  if (isFirst || graceSeconds < (metadata.deletionGracePeriodSeconds ?? 0)) {
    const grants = kind.deletionGraceSeconds === undefined ? 0 : graceSeconds
    metadata.deletionTimestamp = kubernetesTime(nowMs + grants * 1_000)
    metadata.deletionGracePeriodSeconds = grants
  }
  if (isFirst && metadata.generation !== undefined) metadata.generation += 1
  const next = { ...stored, metadata }
  return { kind: 'linger', next: isNamespaceKind(kind) ? terminatingNamespace(next) : next }
}

/** Whether anything keeps a deleted object in the store. */
export const isKept = (kind: KindDefinition, object: Resource): boolean =>
  (object.metadata.finalizers ?? []).length > 0 || (isNamespaceKind(kind) && specFinalizers(object).length > 0)

function finalizersFor(policy: DeleteOptions['propagationPolicy'], present: string[]): string[] {
  if (policy === undefined) return present
  const others = present.filter((name) => !Object.values<string>(policyFinalizers).includes(name))
  return policy === 'Background' ? others : [...others, policyFinalizers[policy]]
}

function checkPreconditions(
  kind: KindDefinition,
  { metadata }: Resource,
  { uid, resourceVersion }: NonNullable<DeleteOptions['preconditions']> = {},
): void {
  const differs = (what: string, wanted: string, actual = ''): string =>
    `the ${what} in the precondition (${wanted}) does not match the ${what} in record (${actual}). `
  if (uid !== undefined && uid !== metadata.uid) {
    const message = `${differs('UID', uid, metadata.uid)}The object might have been deleted and then recreated`
    throw preconditionFailed(kind, metadata.name, message)
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    const message = `${differs('ResourceVersion', resourceVersion, metadata.resourceVersion)}The object might have been modified`
    throw preconditionFailed(kind, metadata.name, message)
  }
}
