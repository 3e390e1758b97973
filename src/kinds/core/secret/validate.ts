// Rules of a Secret. Source: kubernetes/kubernetes pkg/apis/core/validation ValidateSecret.
import { isDeepStrictEqual } from 'node:util'
import type { AdmissionContext } from '../../../engine/kind.ts'
import { dataBytesMax, isBase64, keyErrors } from '../../../model/kubernetes/config-data.ts'
import { disallowedField, fieldError, invalidValue, missingField } from '../../../model/kubernetes/field-error.ts'
import type { FieldError } from '../../../model/kubernetes/field-error.ts'
import type { Secret } from './schema.ts'

export function validateSecret(secret: Secret, { old }: AdmissionContext<Secret>): FieldError[] {
  const { data = {} } = secret
  const errors: FieldError[] = []
  let bytes = 0
  for (const [key, value] of Object.entries(data)) {
    errors.push(...keyErrors(key, 'data'))
    // The value stays out of the message: it is a secret.
    if (!isBase64(value)) errors.push(fieldError('Invalid value: must be base64', [`data[${key}]`]))
    bytes += Buffer.byteLength(value, 'base64')
  }
  if (bytes > dataBytesMax) errors.push(fieldError(`Too long: may not be more than ${dataBytesMax} bytes`, ['data']))
  errors.push(...typeErrors(secret))
  if (old !== undefined) errors.push(...changeErrors(secret, old))
  return errors
}

/** Keys that a type must have; with `anyOf` one of them is enough. */
const keysOfType = new Map<string, { anyOf?: true; keys: string[] }>(
  Object.entries({
    'kubernetes.io/basic-auth': { anyOf: true, keys: ['username', 'password'] },
    'kubernetes.io/dockercfg': { keys: ['.dockercfg'] },
    'kubernetes.io/dockerconfigjson': { keys: ['.dockerconfigjson'] },
    'kubernetes.io/ssh-auth': { keys: ['ssh-privatekey'] },
    'kubernetes.io/tls': { keys: ['tls.crt', 'tls.key'] },
  }),
)
const jsonTypes = ['kubernetes.io/dockercfg', 'kubernetes.io/dockerconfigjson']
const accountAnnotation = 'kubernetes.io/service-account.name'

function typeErrors({ type = '', data = {}, metadata }: Secret): FieldError[] {
  if (type === 'kubernetes.io/service-account-token') {
    const named = (metadata.annotations?.[accountAnnotation] ?? '') !== ''
    return named ? [] : [missingField(`metadata.annotations[${accountAnnotation}]`)]
  }
  const wanted = keysOfType.get(type)
  if (wanted === undefined) return []
  const missing = wanted.keys.filter((key) => !Object.hasOwn(data, key))
  if (missing.length > 0 && !(wanted.anyOf === true && missing.length < wanted.keys.length)) {
    return missing.map((key) => missingField(`data[${key}]`))
  }
  if (!jsonTypes.includes(type)) return []
  const key = wanted.keys[0]!
  return isJson(data[key]!)
    ? []
    : [fieldError('Invalid value: "<secret contents redacted>": must be JSON', [`data[${key}]`])]
}

function changeErrors(secret: Secret, old: Secret): FieldError[] {
  const errors = secret.type === old.type ? [] : [invalidValue(secret.type, 'type', 'field is immutable')]
  if (old.immutable !== true) return errors
  const frozen = 'field is immutable when `immutable` is set'
  if (secret.immutable !== true) errors.push({ ...disallowedField('immutable'), details: frozen })
  if (!isDeepStrictEqual(secret.data ?? {}, old.data ?? {}))
    errors.push({ ...disallowedField('data'), details: frozen })
  return errors
}

function isJson(base64: string): boolean {
  try {
    JSON.parse(Buffer.from(base64, 'base64').toString('utf8'))
    return true
  } catch {
    return false
  }
}
