// What ConfigMaps and Secrets share: keys that can be file names, base64, and a size limit.
// Source: kubernetes/apimachinery pkg/util/validation IsConfigMapKey.
import { invalidValue } from './field-error.ts'
import type { FieldError } from './field-error.ts'

/** Largest sum of all values, in bytes. */
export const dataBytesMax = 1_048_576

const keyCharactersMax = 253
const keyPattern = /^[-._a-zA-Z0-9]+$/

/** What is wrong with one key of `field`. */
export function keyErrors(key: string, field: string): FieldError[] {
  const path = `${field}[${key}]`
  if (key.length > keyCharactersMax) {
    return [invalidValue(key, path, `must be no more than ${keyCharactersMax} characters`)]
  }
  if (!keyPattern.test(key)) {
    const regex = "(e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
    const rule = `a valid config key must consist of alphanumeric characters, '-', '_' or '.' ${regex}`
    return [invalidValue(key, path, rule)]
  }
  if (key === '.') return [invalidValue(key, path, "must not be '.'")]
  if (key.startsWith('..')) {
    return [invalidValue(key, path, key === '..' ? "must not be '..'" : "must not start with '..'")]
  }
  return []
}

/** Whether a text is standard base64 with padding, as Go decodes bytes; line breaks are skipped. */
export function isBase64(text: string): boolean {
  const compact = text.replace(/[\r\n]/g, '')
  return compact.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(compact)
}
