// From a request's body to an object of the kind: what it is, what is unknown in it, what has the wrong type.
import { apiVersionOf } from '../../model/kubernetes/resource.ts'
import type { ObjectMeta, Resource } from '../../model/kubernetes/resource.ts'
import type { StatusError } from '../../model/kubernetes/status-error.ts'
import { isNamespaced } from '../kind.ts'
import type { KindDefinition } from '../kind.ts'
import { badRequest, denied, invalid, tooLarge } from './api-errors.ts'
import { isObject, jsonCopy, nestsDeeperThan, own, setOwn } from './json-value.ts'
import type { JsonObject } from './json-value.ts'
import { metadataSchema, schemasOf } from './metadata-schema.ts'
import type { KindTarget, WriteOptions } from './operations.ts'
import { mismatchCause, prune, typeMismatches } from './schema-check.ts'
import type { TypeMismatch } from './schema-check.ts'

/** Largest object that is stored, in bytes of JSON: etcd's default, so that no manifest outgrows a real cluster. */
export const objectBytesMax = 1_572_864

/** Deepest nesting of arrays and objects in a body. */
export const nestingDepthMax = 512

/** Most characters of a body that an error message repeats. */
const echoCharactersMax = 200

export interface Decoded {
  /** A private copy, pruned, of the right types, in the target's version; `metadata.namespace` is the request's. */
  object: Resource
  warnings: string[]
}

export interface Place {
  namespace: string
  /** The name in the URL; absent for a create. */
  name?: string
}

/** @throws {StatusError} 400 or 422 when the body is no object of this kind and place, 413 when it is too large. */
export function decode(
  target: KindTarget,
  body: unknown,
  place: Place,
  fieldValidation: WriteOptions['fieldValidation'] = 'Warn',
): Decoded {
  const { kind, version } = target
  const schemas = schemasOf(kind, version)
  const { apiVersion, kind: kindName, metadata: rawMetadata, ...rawContent } = withHead(target, privateCopy(body))
  // Kubernetes decodes its own kinds and all metadata into Go structs, where null means absent.
  const metadata = withoutNulls(rawMetadata ?? {})
  const content = kind.builtIn === true ? withoutNulls(rawContent) : rawContent
  const pruned = prune({ apiVersion, kind: kindName, metadata, ...(content as JsonObject) }, schemas.whole)
  if (fieldValidation === 'Strict' && pruned.unknown.length > 0) throw strictDecodingError(target, pruned.unknown)
  const object = pruned.value as JsonObject
  refuseUnknownSpecFields(target, object)
  const misfits = typeMismatches(object, schemas.body)
  const goMisfits = [
    ...typeMismatches(object['metadata'], metadataSchema, 'metadata').map((misfit) => goText('ObjectMeta', misfit)),
    ...(kind.builtIn === true ? misfits.map((misfit) => goText(kind.kind, misfit)) : []),
  ]
  if (goMisfits.length > 0) throw cannotBeHandled(target, goMisfits.join(', '))
  const placed = { ...object, metadata: placedMetadata(kind, object['metadata'] as ObjectMeta, place) } as Resource
  if (misfits.length > 0) throw invalid(kind, placed.metadata.name, misfits.map(mismatchCause))
  const warnings = fieldValidation === 'Warn' ? pruned.unknown.map((path) => `unknown field "${path}"`) : []
  return { object: placed, warnings }
}

/** Before anything walks through a body by recursion. @throws {StatusError} 400 */
export function refuseDepth(body: unknown): void {
  if (nestsDeeperThan(body, nestingDepthMax)) throw badRequest(`the body nests deeper than ${nestingDepthMax} levels`)
}

function privateCopy(body: unknown): JsonObject {
  if (!isObject(body)) throw badRequest('the request body is not a JSON object')
  refuseDepth(body)
  const copy = jsonCopy(body)
  if (Buffer.byteLength(JSON.stringify(copy)) > objectBytesMax) {
    throw tooLarge(`Request entity too large: limit is ${objectBytesMax}`)
  }
  return copy
}

/** Built-in kinds may leave apiVersion and kind to the URL; custom ones must say them, and nobody may say others. */
function withHead({ kind, version }: KindTarget, raw: JsonObject): JsonObject {
  const expected = apiVersionOf(kind.group, version)
  const apiVersion = text(own(raw, 'apiVersion'))
  const kindName = text(own(raw, 'kind'))
  if (kind.builtIn !== true) {
    const missing = kindName === '' ? 'Kind' : apiVersion === '' ? 'apiVersion' : undefined
    if (missing !== undefined) throw badRequest(`Object '${missing}' is missing in '${echo(raw)}'`)
  }
  if (apiVersion !== '' && apiVersion !== expected) {
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${expected})`,
    )
  }
  if (kindName !== '' && kindName !== kind.kind) {
    throw badRequest(
      `${kindName} in version "${version}" cannot be handled as a ${kind.kind}: ` +
        `the kind in the data (${kindName}) does not match the expected kind (${kind.kind})`,
    )
  }
  return { ...raw, apiVersion: expected, kind: kind.kind }
}

const text = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined || value === null ? '' : JSON.stringify(value)

const echo = (raw: JsonObject): string => {
  const json = JSON.stringify(raw)
  return json.length <= echoCharactersMax ? json : `${json.slice(0, echoCharactersMax)}…`
}

/** Without fields that are null, at any depth; nulls in lists stay. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (!isObject(value)) return value
  const kept: JsonObject = {}
  for (const [key, child] of Object.entries(value)) if (child !== null) setOwn(kept, key, withoutNulls(child))
  return kept
}

/**
 * A spec whose schema keeps unknown fields leaves typos to the webhook, which decodes strictly and names the field
 * without its path. Source: knative/pkg webhook/resourcesemantics/defaulting.
 */
function refuseUnknownSpecFields({ kind, version }: KindTarget, object: JsonObject): void {
  const schema = schemasOf(kind, version).body.properties?.['spec']
  const spec = object['spec']
  if (kind.webhooks === undefined || schema?.properties === undefined || !isObject(spec)) return
  const unknown = Object.keys(spec).filter((key) => !Object.hasOwn(schema.properties ?? {}, key))
  if (unknown.length === 0) return
  const complaint = unknown.map((key) => `json: unknown field ${JSON.stringify(key)}`).join(', ')
  throw denied(kind.webhooks.mutating, `mutation failed: cannot decode incoming new object: ${complaint}`)
}

/** Fields of metadata that Go's JSON leaves out when they are empty: an empty one is as good as none. */
const emptyIsAbsent = [
  'annotations',
  'finalizers',
  'generateName',
  'labels',
  'ownerReferences',
  'resourceVersion',
  'selfLink',
  'uid',
]

const withoutEmpties = (metadata: Partial<ObjectMeta>): Partial<ObjectMeta> =>
  Object.fromEntries(
    Object.entries(metadata).filter(
      ([field, value]) => !emptyIsAbsent.includes(field) || Object.keys(value as object | string).length > 0,
    ),
  )

function placedMetadata(kind: KindDefinition, metadata: Partial<ObjectMeta>, place: Place): ObjectMeta {
  const { namespace, name = '', ...rest } = withoutEmpties(metadata)
  if (isNamespaced(kind) && namespace !== undefined && namespace !== '' && namespace !== place.namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  }
  if (place.name !== undefined && name === '') {
    throw badRequest(`the name of the object (${place.name} based on URL) was undeterminable: name must be provided`)
  }
  if (place.name !== undefined && name !== place.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${place.name})`)
  }
  const named = { ...rest, name }
  return isNamespaced(kind) ? { ...named, namespace: place.namespace } : named
}

const strictDecodingError = (target: KindTarget, unknown: string[]): StatusError =>
  cannotBeHandled(target, `strict decoding error: ${unknown.map((path) => `unknown field "${path}"`).join(', ')}`)

const cannotBeHandled = ({ kind, version }: KindTarget, why: string): StatusError =>
  badRequest(`${kind.kind} in version "${version}" cannot be handled as a ${kind.kind}: ${why}`)

/** A wrong type in the words of Go's decoder, which kubectl users know. */
function goText(struct: string, { path, expected, actual }: TypeMismatch): string {
  const wanted = expected.map((type) => goTypes[type] ?? type).join(' or ')
  const found = actual === 'integer' ? 'number' : (goTypes[actual] ?? actual)
  return `json: cannot unmarshal ${found} into Go struct field ${struct}.${path} of type ${wanted}`
}

const goTypes: Record<string, string> = { integer: 'int64', boolean: 'bool' }
