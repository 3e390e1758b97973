// Deletes what a selection found, many objects at once, so that they share commits of the store.
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { StatusError } from '../../../model/kubernetes/status-error.ts'
import type { DeleteOptions, KindTarget, Operations } from '../operations.ts'

/** Deletions under way at once. */
const deletionsAtOnceMax = 500

/**
 * Deletes the objects and returns the last, or lingering, state of each; those that others deleted meanwhile are left
 * out. Nothing is under way any more when it returns or throws.
 * @throws {StatusError} the first refusal in the order of `items`; later parts of the list are left alone then.
 */
export async function deleteAll(
  operations: Operations,
  target: KindTarget,
  items: readonly Resource[],
  options: DeleteOptions,
): Promise<Resource[]> {
  const deleted: Resource[] = []
  for (let from = 0; from < items.length; from += deletionsAtOnceMax) {
    const deletions = items
      .slice(from, from + deletionsAtOnceMax)
      .map(({ metadata }) => operations.delete(target, metadata.namespace ?? '', metadata.name, options))
    for (const outcome of await Promise.allSettled(deletions)) {
      if (outcome.status === 'fulfilled') deleted.push(outcome.value.object)
      // Somebody else was faster: that is what was wanted.
      else if (!(outcome.reason instanceof StatusError) || outcome.reason.code !== 404) throw outcome.reason
    }
  }
  return deleted
}
