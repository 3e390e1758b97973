// Metadata with less in it.
import type { ObjectMeta } from '../model/kubernetes/resource.ts'

/** A copy without these fields. The name always stays. */
export function without(metadata: ObjectMeta, fields: readonly string[]): ObjectMeta {
  return Object.fromEntries(
    Object.entries(metadata).filter(([name]) => !fields.includes(name)),
  ) as unknown as ObjectMeta
}
