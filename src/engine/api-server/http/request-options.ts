// Options of writes and deletes, from query, headers and body. Source: kubernetes/apimachinery
// pkg/apis/meta/v1/validation/validation.go.
import type { IncomingMessage } from 'node:http'
import { boolean, integer, list, object, string } from '../../../model/kubernetes/schema.ts'
import { StatusError } from '../../../model/kubernetes/status-error.ts'
import type { StatusCause } from '../../../model/kubernetes/status-error.ts'
import type { UserInfo } from '../../kind.ts'
import { badRequest } from '../api-errors.ts'
import type { DeleteOptions, WriteOptions } from '../operations.ts'
import { typeMismatches } from '../schema-check.ts'

const fieldManagerCharactersMax = 128
const validations = ['Ignore', 'Strict', 'Warn'] as const
const policies = ['Foreground', 'Background', 'Orphan'] as const

/** Write options of a create, update or patch. @throws {StatusError} 422 naming every option that is wrong. */
export function readWriteOptions(
  kind: 'CreateOptions' | 'UpdateOptions' | 'PatchOptions',
  request: IncomingMessage,
  query: URLSearchParams,
  user: UserInfo,
  isApply = false,
): WriteOptions {
  const causes: StatusCause[] = []
  const fieldManager = query.get('fieldManager') ?? ''
  if (isApply && fieldManager === '') causes.push(required('fieldManager', 'is required for apply patch'))
  if (fieldManager.length > fieldManagerCharactersMax) {
    causes.push(cause('FieldValueTooLong', 'fieldManager', `Too long: may not be more than 128 bytes`))
  }
  const force = query.get('force')
  if (force !== null && kind === 'PatchOptions' && !isApply) {
    causes.push(cause('FieldValueForbidden', 'force', 'Forbidden: may not be specified for non-apply patch'))
  }
  const fieldValidation = validations.find((known) => known === query.get('fieldValidation'))
  if (fieldValidation === undefined && (query.get('fieldValidation') ?? '') !== '') {
    causes.push(notSupported('fieldValidation', query.get('fieldValidation')!, ['', ...validations]))
  }
  const dryRun = readDryRun(query.getAll('dryRun'), causes)
  if (causes.length > 0) throw invalidOptions(kind, causes)
  return {
    user,
    dryRun,
    fieldManager: fieldManager === '' ? managerOfAgent(request.headers['user-agent']) : fieldManager,
    ...(fieldValidation !== undefined && { fieldValidation }),
    ...(force !== null && { force: isTrue(force) }),
  }
}

/** Delete options: the body's, else the query's. @throws {StatusError} 400 for a wrong type, 422 for a wrong value. */
export function readDeleteOptions(body: unknown, query: URLSearchParams, user: UserInfo): DeleteOptions {
  const given = body === undefined ? optionsOfQuery(query) : checkedOptions(body)
  const causes: StatusCause[] = []
  const dryRun = readDryRun([...query.getAll('dryRun'), ...strings(given['dryRun'])], causes)
  const text = given['propagationPolicy'] ?? orphanPolicy(given['orphanDependents'])
  const propagationPolicy = policies.find((known) => known === text)
  if (propagationPolicy === undefined && text !== undefined && text !== null) {
    causes.push(notSupported('propagationPolicy', textOf(text), [...policies, 'nil']))
  }
  if (causes.length > 0) throw invalidOptions('DeleteOptions', causes)
  const grace = given['gracePeriodSeconds']
  const preconditions = isObject(given['preconditions']) ? given['preconditions'] : {}
  const { uid, resourceVersion } = preconditions
  const wanted = {
    ...(typeof uid === 'string' && { uid }),
    ...(typeof resourceVersion === 'string' && { resourceVersion }),
  }
  return {
    user,
    dryRun,
    ...(propagationPolicy !== undefined && { propagationPolicy }),
    ...(typeof grace === 'number' && { gracePeriodSeconds: grace }),
    ...(Object.keys(wanted).length > 0 && { preconditions: wanted }),
  }
}

const deleteOptions = object('How to delete.', {
  dryRun: list('All: everything but deleting.', string('All.'), { nullable: true }),
  gracePeriodSeconds: integer('Seconds until it goes.', { nullable: true }),
  orphanDependents: boolean('Old form of Orphan.', { nullable: true }),
  preconditions: object(
    'What it must still be.',
    {
      uid: string('Its uid.', { nullable: true }),
      resourceVersion: string('Its revision.', { nullable: true }),
    },
    { nullable: true },
  ),
  propagationPolicy: string('What becomes of dependents.', { nullable: true }),
})

/** An option that is not understood must not be left out: one may ask that nothing be deleted at all. */
function checkedOptions(body: unknown): Record<string, unknown> {
  const [misfit] = typeMismatches(body, deleteOptions)
  if (misfit === undefined) return body as Record<string, unknown>
  const { path, expected, actual } = misfit
  const place = path === '' ? 'the body' : path
  throw badRequest(`DeleteOptions cannot be read: ${place} must be of type ${expected.join(' or ')}, not ${actual}`)
}

/** The default field manager: the user agent up to its first slash. */
const managerOfAgent = (userAgent: string | undefined): string =>
  (userAgent ?? '').split('/', 1)[0]!.slice(0, fieldManagerCharactersMax) || 'unknown'

/**
 * A parameter that is there is true, however it reads, unless it is `false` or `0`: `?watch` watches.
 * Source: kubernetes/apimachinery pkg/runtime/converter, Convert_Slice_string_To_bool.
 */
export const isTrue = (text: string | null): boolean => text !== null && text !== '0' && !/^false$/i.test(text)

/** 422 on one of the meta.k8s.io option kinds. */
export function invalidOptions(kind: string, causes: StatusCause[]): StatusError {
  const lines = causes.map(({ field, message }) => `${field}: ${message}`)
  const text = lines.length === 1 ? lines[0]! : `[${lines.join(', ')}]`
  return new StatusError(422, 'Invalid', `${kind}.meta.k8s.io "" is invalid: ${text}`, {
    group: 'meta.k8s.io',
    kind,
    causes,
  })
}

function optionsOfQuery(query: URLSearchParams): Record<string, unknown> {
  const grace = query.get('gracePeriodSeconds')
  const policy = query.get('propagationPolicy')
  const orphan = query.get('orphanDependents')
  return {
    ...(grace !== null && /^\d+$/.test(grace) && { gracePeriodSeconds: Number(grace) }),
    ...(policy !== null && policy !== '' && { propagationPolicy: policy }),
    ...(orphan !== null && { orphanDependents: isTrue(orphan) }),
  }
}

const orphanPolicy = (orphan: unknown): 'Orphan' | 'Background' | undefined =>
  typeof orphan === 'boolean' ? (orphan ? 'Orphan' : 'Background') : undefined

function readDryRun(values: string[], causes: StatusCause[]): boolean {
  const wrong = values.filter((value) => value !== 'All' && value !== '')
  for (const value of wrong) causes.push(notSupported('dryRun', value, ['All']))
  return values.includes('All')
}

const cause = (reason: string, field: string, message: string): StatusCause => ({ reason, message, field })
const required = (field: string, detail: string): StatusCause =>
  cause('FieldValueRequired', field, `Required value: ${detail}`)
const notSupported = (field: string, value: string, supported: readonly string[]): StatusCause =>
  cause(
    'FieldValueNotSupported',
    field,
    `Unsupported value: "${value}": supported values: ${supported.map((word) => `"${word}"`).join(', ')}`,
  )
const strings = (value: unknown): string[] => (Array.isArray(value) ? value.map(textOf) : [])
const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
