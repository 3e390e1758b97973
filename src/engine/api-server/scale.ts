// The `/scale` subresource: how many replicas an object wants, in the same words for every kind that has some.
// Source: kubernetes/api autoscaling/v1 Scale, kubernetes/kubernetes pkg/registry/apps/deployment/storage.
import type { Resource } from '../../model/kubernetes/resource.ts'
import type { KindDefinition } from '../kind.ts'
import { badRequest, invalid, noSuchSubresource, unsupportedPatch } from './api-errors.ts'
import { refuseDepth } from './decode.ts'
import { isObject } from './json-value.ts'
import type { PatchType } from './operations.ts'
import { JsonPatchError, jsonPatch } from './patch/json-patch.ts'
import { mergePatch } from './patch/merge-patch.ts'

export interface Scale extends Resource {
  spec: { replicas?: number }
  status: { replicas: number; selector?: string }
}

/** The scale of an object. @throws {StatusError} 404 for a kind that has none */
export function scaleOf(kind: KindDefinition, object: Resource): Scale {
  if (kind.scale === undefined) throw noSuchSubresource()
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const { replicas = 0 } = (object.spec ?? {}) as { replicas?: number }
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
    },
    // Kubernetes leaves out a wish for 0 here, and kubectl knows it.
    spec: replicas === 0 ? {} : { replicas },
    status: { replicas: kind.scale.replicas(object), selector: kind.scale.selector(object) },
  }
}

/**
 * `live` with the number of replicas that a Scale asks for. A Scale with a resourceVersion is about that state only.
 * @throws {StatusError} 400 or 422 when the body is no Scale
 */
export function rescaled(live: Resource, body: unknown): Resource {
  if (!isObject(body)) throw badRequest('the request body is not a JSON object')
  const { metadata, spec } = body as { metadata?: { name?: unknown; resourceVersion?: unknown }; spec?: unknown }
  const { name } = live.metadata
  if (metadata?.name !== undefined && metadata.name !== '' && metadata.name !== name) {
    throw badRequest(
      `the name of the object (${JSON.stringify(metadata.name)}) does not match the name on the URL (${name})`,
    )
  }
  const replicas = isObject(spec) ? (spec['replicas'] ?? 0) : 0
  if (typeof replicas !== 'number' || !Number.isInteger(replicas) || replicas < 0) {
    const message = `Invalid value: ${JSON.stringify(replicas)}: must be greater than or equal to 0`
    const causes = [{ reason: 'FieldValueInvalid', message, field: 'spec.replicas' }]
    throw invalid({ group: 'autoscaling', kind: 'Scale' }, name, causes)
  }
  const { resourceVersion: _, ...rest } = live.metadata
  const basis = typeof metadata?.resourceVersion === 'string' ? { resourceVersion: metadata.resourceVersion } : {}
  return { ...live, metadata: { ...rest, ...basis }, spec: { ...live.spec, replicas } }
}

/** The Scale that a patch makes of a stored one. @throws {StatusError} 415 for server-side apply */
export function patchedScale(scale: Scale, { type, body }: { type: PatchType; body: unknown }): unknown {
  const { resourceVersion: _, ...metadata } = scale.metadata
  const base = { ...scale, metadata }
  if (type === 'apply') throw unsupportedPatch(['application/json-patch+json', 'application/merge-patch+json'])
  refuseDepth(body)
  if (type !== 'json') {
    if (!isObject(body)) throw badRequest('a JSON merge patch must be an object')
    return mergePatch(base, body)
  }
  try {
    return jsonPatch(base, body)
  } catch (thrown) {
    if (thrown instanceof JsonPatchError) throw badRequest(thrown.message)
    throw thrown
  }
}
