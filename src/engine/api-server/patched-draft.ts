// The object that a patch makes of a stored one, and who manages its fields then.
import { messageOf } from '../../base/errors.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { StatusError } from '../../model/kubernetes/status-error.ts'
import { badRequest, invalid, unsupportedPatch } from './api-errors.ts'
import { applyConfig } from './apply/server-side-apply.ts'
import { trackUpdate } from './apply/track-update.ts'
import type { Writer } from './apply/track-update.ts'
import { decode, refuseDepth } from './decode.ts'
import type { Place } from './decode.ts'
import { isObject } from './json-value.ts'
import type { Draft } from './object-writer.ts'
import type { KindTarget, PatchType, WriteOptions } from './operations.ts'
import { JsonPatchError, jsonPatch } from './patch/json-patch.ts'
import { mergePatch } from './patch/merge-patch.ts'
import { strategicMerge } from './patch/strategic-merge.ts'
import { structureOf } from './patch/structure.ts'

export interface PatchRequest {
  type: PatchType
  body: unknown
}

/**
 * The draft that `patch` makes of `live`, which is in the target's version.
 * @throws {StatusError} 400 for a patch that is none, 415 for a type the kind does not take, 422 for one that fails.
 */
export function patchedDraft(
  target: KindTarget,
  live: Resource,
  place: Place,
  patch: PatchRequest,
  writer: Writer,
  options: WriteOptions,
): Draft {
  if (patch.type === 'apply') return appliedDraft(target, live, place, patch.body, writer, options)
  refuseDepth(patch.body)
  if (options.force === true)
    throw invalidOptions('force', 'FieldValueForbidden', 'Forbidden: may not be specified for non-apply patch')
  const decoded = decode(target, patched(target, live, patch), place, options.fieldValidation)
  return { ...decoded, managedFields: trackUpdate(writer, live, decoded.object) }
}

/** The draft that applying `body` makes of `live`, or of nothing. @throws {StatusError} also 409 for conflicts. */
export function appliedDraft(
  target: KindTarget,
  live: Resource | undefined,
  place: Place,
  body: unknown,
  writer: Writer,
  { fieldManager = '', fieldValidation, force = false }: WriteOptions,
): Draft {
  if (fieldManager === '') {
    throw invalidOptions('fieldManager', 'FieldValueRequired', 'Required value: is required for apply patch')
  }
  const { object: config, warnings } = decode(target, body, place, fieldValidation)
  if (config.metadata.managedFields !== undefined) throw badRequest('metadata.managedFields must be nil')
  return { ...applyConfig(writer, live, config, force), warnings }
}

function patched({ kind, version }: KindTarget, live: Resource, { type, body }: PatchRequest): unknown {
  switch (type) {
    case 'merge':
      if (!isObject(body)) throw badRequest('a JSON merge patch must be an object')
      return mergePatch(live, body)
    case 'json':
      return jsonPatched(live, body)
    case 'strategic':
      if (kind.builtIn !== true) throw unsupportedPatch(customPatches)
      if (!isObject(body)) throw badRequest('a strategic merge patch must be an object')
      try {
        return strategicMerge(live, body, structureOf(kind, version))
      } catch (thrown) {
        throw badRequest(messageOf(thrown))
      }
    default:
      throw new Error(`${type} patches do not come here`)
  }
}

const customPatches = ['application/json-patch+json', 'application/merge-patch+json', 'application/apply-patch+yaml']

function jsonPatched(live: Resource, body: unknown): unknown {
  try {
    return jsonPatch(live, body)
  } catch (thrown) {
    if (!(thrown instanceof JsonPatchError)) throw thrown
    if (thrown.kind === 'malformed') throw badRequest(thrown.message)
    const message = 'the server rejected our request due to an error in our request'
    const causes = [{ reason: 'UnexpectedServerResponse', message: thrown.message, field: 'patch' }]
    throw new StatusError(422, 'Invalid', message, { causes })
  }
}

const invalidOptions = (field: string, reason: string, message: string): StatusError =>
  invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [{ reason, message, field }])
