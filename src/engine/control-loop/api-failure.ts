// Which failures of the API a controller lives with: lost races and objects that are gone.
import { KnodeError } from '../../base/errors.ts'
import { StatusError } from '../../model/kubernetes/status-error.ts'

/** Somebody else was faster (also: created it first). Reading again and repeating helps. */
export const isConflict = (thrown: unknown): boolean =>
  (thrown instanceof KnodeError && thrown.code === 'CONFLICT') || (thrown instanceof StatusError && thrown.code === 409)

export const isNotFound = (thrown: unknown): boolean =>
  (thrown instanceof KnodeError && thrown.code === 'NOT_FOUND') ||
  (thrown instanceof StatusError && thrown.code === 404)
