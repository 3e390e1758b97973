// What is wrong with an object, with paths, all at once, in Knative's words. Source: knative/pkg apis/field_error.go.

/** One complaint. `paths` are JSON paths from the object's root, e.g. `spec.filters[0].exact[type]`. */
export interface FieldError {
  message: string
  paths: string[]
  /** A second line of explanation. */
  details?: string
  /** `warning` does not refuse the object; it becomes a `Warning:` header. @default 'error' */
  level?: 'error' | 'warning'
}

export const missingField = (...paths: string[]): FieldError => ({ message: 'missing field(s)', paths })
export const disallowedField = (...paths: string[]): FieldError => ({ message: 'must not set the field(s)', paths })

export function invalidValue(value: unknown, path: string, details?: string): FieldError {
  return fieldError(`invalid value: ${String(value)}`, [path], details)
}
export const missingOneOf = (...paths: string[]): FieldError => fieldError('expected exactly one, got neither', paths)
export const multipleOneOf = (...paths: string[]): FieldError => fieldError('expected exactly one, got both', paths)
export const invalidKeyName = (key: string, path: string, details?: string): FieldError =>
  fieldError(`invalid key name "${key}"`, [path], details)
export const outOfBounds = (value: unknown, low: unknown, high: unknown, path: string): FieldError =>
  fieldError(`expected ${String(low)} <= ${String(value)} <= ${String(high)}`, [path])

export function fieldError(message: string, paths: string[], details?: string): FieldError {
  return details === undefined ? { message, paths } : { message, paths, details }
}

/** Puts `prefix` before every path: `at('spec', [missingField('broker')])` → `spec.broker`. */
export function at(prefix: string, errors: FieldError[]): FieldError[] {
  return errors.map((error) => ({ ...error, paths: error.paths.map((path) => joinPath(prefix, path)) }))
}
/** `at` for a list element. */
export const atIndex = (index: number, errors: FieldError[]): FieldError[] => at(`[${index}]`, errors)
/** `at` for a map key. */
export const atKey = (key: string, errors: FieldError[]): FieldError[] => at(`[${key}]`, errors)

function joinPath(prefix: string, path: string): string {
  if (path === '') return prefix
  return path.startsWith('[') ? prefix + path : `${prefix}.${path}`
}

/**
 * Knative's text for a set of errors: equal message and details share one line, lines sorted by message.
 * A missing path leaves the colon: `expected …: `.
 */
export function fieldErrorText(errors: FieldError[]): string {
  const merged = new Map<string, { message: string; details: string; paths: Set<string> }>()
  for (const { message, details = '', paths } of errors) {
    const key = `${message}\u0000${details}`
    const entry = merged.get(key) ?? { message, details, paths: new Set<string>() }
    for (const path of paths) entry.paths.add(path)
    merged.set(key, entry)
  }
  return [...merged.values()]
    .sort((a, b) => compare(a.message, b.message) || compare(a.details, b.details))
    .map(({ message, details, paths }) => {
      const line = `${message}: ${[...paths].sort(compare).join(', ')}`
      return details === '' ? line : `${line}\n${details}`
    })
    .join('\n')
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
