// Destinations that name no namespace mean the object's own. Source: knative/pkg apis/duck/v1 Destination.SetDefaults.
import type { Destination } from './types.ts'

/** Fills the namespace of `destination.ref`, in place. */
export function setReferenceNamespace(destination: Destination | undefined, namespace: string | undefined): void {
  const ref = destination?.ref
  if (ref === undefined || ref === null || namespace === undefined) return
  if (ref.namespace === undefined || ref.namespace === '') ref.namespace = namespace
}
