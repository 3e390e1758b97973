// The API's refusals, in Kubernetes' words. Source: kubernetes/apimachinery pkg/api/errors/errors.go.
import type { FieldError } from '../../model/kubernetes/field-error.ts'
import { fieldErrorText } from '../../model/kubernetes/field-error.ts'
import { StatusError } from '../../model/kubernetes/status-error.ts'
import type { StatusCause, StatusDetails } from '../../model/kubernetes/status-error.ts'
import { kindId, resourceName } from '../kind.ts'
import type { KindDefinition } from '../kind.ts'

type Named = Pick<KindDefinition, 'group' | 'kind' | 'plural'>

/** 404 for an object. */
export const notFound = (kind: Named, name: string): StatusError =>
  new StatusError(404, 'NotFound', `${resourceName(kind)} "${name}" not found`, byPlural(kind, name))

/** 404 for a subresource the kind does not have. */
export const noSuchSubresource = (): StatusError =>
  new StatusError(404, 'NotFound', 'the server could not find the requested resource')

export const alreadyExists = (kind: Named, name: string): StatusError =>
  new StatusError(409, 'AlreadyExists', `${resourceName(kind)} "${name}" already exists`, byPlural(kind, name))

const staleMessage = 'the object has been modified; please apply your changes to the latest version and try again'

/** 409 for a write that is based on an older state. */
export function conflict(kind: Named, name: string, message = staleMessage): StatusError {
  const text = `Operation cannot be fulfilled on ${resourceName(kind)} "${name}": ${message}`
  return new StatusError(409, 'Conflict', text, byPlural(kind, name))
}

/** 409 for a delete whose precondition does not hold; here, unlike elsewhere, Kubernetes names the Kind. */
export function preconditionFailed(kind: Named, name: string, message: string): StatusError {
  const text = `Operation cannot be fulfilled on ${kindId(kind)} "${name}": ${message}`
  return new StatusError(409, 'Conflict', text, byKind(kind, name))
}

/** 422 with every cause. */
export function invalid(kind: Pick<Named, 'group' | 'kind'>, name: string, causes: StatusCause[]): StatusError {
  const lines = [...new Set(causes.map(({ field, message }) => `${field}: ${message}`))]
  const text = lines.length === 1 ? lines[0] : `[${lines.join(', ')}]`
  return new StatusError(422, 'Invalid', `${kindId(kind)} "${name}" is invalid: ${text}`, {
    ...byKind(kind, name),
    causes,
  })
}

export function forbidden(kind: Named, name: string, message: string, causes?: StatusCause[]): StatusError {
  const details = causes === undefined ? byPlural(kind, name) : { ...byPlural(kind, name), causes }
  return new StatusError(403, 'Forbidden', `${resourceName(kind)} "${name}" is forbidden: ${message}`, details)
}

export const badRequest = (message: string): StatusError => new StatusError(400, 'BadRequest', message)

/** 413 for what no store should have to keep. */
export const tooLarge = (message: string): StatusError => new StatusError(413, 'RequestEntityTooLarge', message)

/** 415 naming the patch types that would do. */
export const unsupportedPatch = (accepted: string[]): StatusError =>
  new StatusError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  )

/** What kubectl users know from an admission webhook that says no: 400, as knative/pkg's webhooks answer. */
export const denied = (webhook: string, message: string): StatusError =>
  badRequest(`admission webhook "${webhook}" denied the request: ${message}`)

/** `invalid` or `denied`, as the kind has webhooks or not. */
export function refusal(kind: KindDefinition, name: string, errors: FieldError[]): StatusError {
  if (kind.webhooks === undefined) return invalid(kind, name, errors.flatMap(causesOf))
  return denied(kind.webhooks.validating, `validation failed: ${fieldErrorText(errors)}`)
}

/** Knative's complaint as Kubernetes' causes, one for each path. */
export function causesOf({ message, paths, details = '' }: FieldError): StatusCause[] {
  const { reason, text } = causeText(message, details)
  return paths.map((field) => ({ reason, message: text, field }))
}

function causeText(message: string, details: string): { reason: string; text: string } {
  const suffix = details === '' ? '' : `: ${details}`
  if (message === 'missing field(s)') return { reason: 'FieldValueRequired', text: `Required value${suffix}` }
  if (message === 'must not set the field(s)') return { reason: 'FieldValueForbidden', text: `Forbidden${suffix}` }
  const value = /^invalid value: (.*)$/s.exec(message)?.[1]
  const shown = value === undefined ? message : `Invalid value: ${JSON.stringify(value)}`
  return { reason: 'FieldValueInvalid', text: `${shown}${suffix}` }
}

const byPlural = ({ group, plural }: Named, name: string): StatusDetails => withGroup(group, { name, kind: plural })
const byKind = ({ group, kind }: Pick<Named, 'group' | 'kind'>, name: string): StatusDetails =>
  withGroup(group, { name, kind })
const withGroup = (group: string, details: StatusDetails): StatusDetails =>
  group === '' ? details : { ...details, group }
