// Lists: which state, which objects, how many at once. Source: kubernetes/apiserver pkg/endpoints/handlers/get.go.
import { apiVersionOf } from '../../../model/kubernetes/resource.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { StatusError } from '../../../model/kubernetes/status-error.ts'
import type { StoreRevision } from '../../../ports/resource-store/port.ts'
import { badRequest } from '../api-errors.ts'
import type { KindTarget, Operations } from '../operations.ts'
import type { AnswerForm } from './accept.ts'
import { expired } from './answers.ts'
import type { Chunks } from './chunks.ts'
import { invalidOptions } from './request-options.ts'
import { readSelection } from './selection.ts'
import { partialMetadata, tableMaker } from './table.ts'
import type { IncludeObject } from './table.ts'

export interface ListDeps {
  operations: Operations
  chunks: Chunks
  nowMs: number
}

/** The answer to a GET of a collection. */
export async function listAnswer(
  target: KindTarget,
  namespace: string | undefined,
  query: URLSearchParams,
  form: AnswerForm,
  { operations, chunks, nowMs }: ListDeps,
): Promise<object> {
  refuseWatchOptions(query)
  const limit = readLimit(query)
  const token = query.get('continue') ?? ''
  const selection = readSelection(target.kind, query)
  const chunk = token === '' ? await firstChunk() : chunks.next(token, limit)
  // With a selector Kubernetes does not tell how many are left.
  const remaining = selection.isNarrow || chunk.remaining === 0 ? {} : { remainingItemCount: chunk.remaining }
  const metadata = {
    resourceVersion: chunk.revision,
    ...(chunk.next !== undefined && { continue: chunk.next }),
    ...remaining,
  }
  return listBody(target, chunk.items, metadata, form, query, nowMs)

  async function firstChunk() {
    const { items, revision } = await operations.list(target, namespace)
    checkRevision(query, revision)
    return chunks.first(selection.isNarrow ? items.filter(selection.matches) : items, revision, limit)
  }
}

/** Objects in the asked form: a list, a table or a list of metadata. */
export function listBody(
  { kind, version }: KindTarget,
  items: readonly Resource[],
  metadata: object,
  form: AnswerForm,
  query: URLSearchParams,
  nowMs: number,
): object {
  switch (form.shape) {
    case 'table': {
      const maker = tableMaker(kind.versions.find(({ name }) => name === version)!)
      return maker.table(items, metadata, { nowMs, includeObject: readIncludeObject(query), version: form.version })
    }
    case 'partial':
      return {
        kind: 'PartialObjectMetadataList',
        apiVersion: `meta.k8s.io/${form.version}`,
        metadata,
        items: items.map((item) => partialMetadata(item, form.version)),
      }
    default:
      return { kind: `${kind.kind}List`, apiVersion: apiVersionOf(kind.group, version), metadata, items }
  }
}

/** One object in the asked form. */
export function objectBody(
  { kind, version }: KindTarget,
  object: Resource,
  form: AnswerForm,
  query: URLSearchParams,
  nowMs: number,
): object {
  switch (form.shape) {
    case 'table': {
      const maker = tableMaker(kind.versions.find(({ name }) => name === version)!)
      const metadata = { resourceVersion: object.metadata.resourceVersion }
      return maker.table([object], metadata, { nowMs, includeObject: readIncludeObject(query), version: form.version })
    }
    case 'partial':
      return partialMetadata(object, form.version)
    default:
      return object
  }
}

/** @throws {StatusError} 400 for another word. */
export function readIncludeObject(query: URLSearchParams): IncludeObject {
  const text = query.get('includeObject') ?? ''
  if (text === '') return 'Metadata'
  if (text === 'Metadata' || text === 'Object' || text === 'None') return text
  throw badRequest(`unrecognized includeObject value: "${text}"`)
}

/**
 * Checks what `resourceVersion` and `resourceVersionMatch` ask of a list that shows `current`.
 * @throws {StatusError} 422 for options that make no sense, 504 for a future state, 410 for a past one with Exact.
 */
function checkRevision(query: URLSearchParams, current: StoreRevision): void {
  const wanted = readRevision(query)
  const match = query.get('resourceVersionMatch') ?? ''
  if (match !== '' && match !== 'Exact' && match !== 'NotOlderThan') {
    throw badMatch(
      'FieldValueNotSupported',
      `Unsupported value: "${match}": supported values: "Exact", "NotOlderThan", ""`,
    )
  }
  if (match !== '' && wanted === undefined) {
    throw badMatch(
      'FieldValueForbidden',
      'Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
    )
  }
  if (match === 'Exact' && wanted === 0n) {
    throw badMatch(
      'FieldValueForbidden',
      'Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
    )
  }
  if (wanted === undefined) return
  if (wanted > BigInt(current)) throw tooLargeRevision(wanted, current)
  if (match === 'Exact' && wanted < BigInt(current))
    throw expired(`The resourceVersion for the provided list is too old.`)
}

/** The `resourceVersion` of the query. @throws {StatusError} 400 when it is no number. */
export function readRevision(query: URLSearchParams): bigint | undefined {
  const text = query.get('resourceVersion') ?? ''
  if (text === '') return undefined
  if (/^\d{1,20}$/.test(text)) return BigInt(text)
  throw badRequest(`resourceVersion: Invalid value: "${text}": must be a decimal number`)
}

const tooLargeRevision = (wanted: bigint, current: StoreRevision): StatusError =>
  new StatusError(504, 'Timeout', `Timeout: Too large resource version: ${wanted}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  })

const badMatch = (reason: string, message: string): StatusError =>
  invalidOptions('ListOptions', [{ reason, message, field: 'resourceVersionMatch' }])

function refuseWatchOptions(query: URLSearchParams): void {
  if (!query.has('sendInitialEvents')) return
  throw invalidOptions('ListOptions', [
    {
      reason: 'FieldValueForbidden',
      message: 'Forbidden: sendInitialEvents is forbidden for list',
      field: 'sendInitialEvents',
    },
  ])
}

function readLimit(query: URLSearchParams): number {
  const text = query.get('limit') ?? ''
  if (text === '') return 0
  if (/^\d{1,18}$/.test(text)) return Number(text)
  throw badRequest(`limit: Invalid value: "${text}": must be a whole number that is not negative`)
}
