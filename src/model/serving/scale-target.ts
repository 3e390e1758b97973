// What internal kinds of Serving say of the workload behind them. Sources: knative/serving pkg/apis/serving/k8s_validation.go,
// knative/networking pkg/apis/networking/generic_types.go.
import { at, disallowedField, invalidValue, missingField } from '../kubernetes/field-error.ts'
import type { FieldError } from '../kubernetes/field-error.ts'

/** A reference into the object's own namespace. */
export interface ScaleTarget {
  apiVersion?: string
  kind?: string
  name?: string
}

const allowed = new Set(['apiVersion', 'kind', 'name'])
const formats = {
  apiVersion: /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/,
  kind: /^[A-Za-z_][A-Za-z0-9_]*$/,
  name: /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/,
} as const

/** Paths begin at `path`. */
export function validateScaleTarget(target: ScaleTarget | undefined, path: string): FieldError[] {
  const given = target ?? {}
  const surplus = Object.keys(given).filter((name) => !allowed.has(name))
  const errors = surplus.length === 0 ? [] : [disallowedField(...surplus)]
  for (const [name, format] of Object.entries(formats)) {
    const value = given[name as keyof ScaleTarget] ?? ''
    if (value === '') errors.push(missingField(name))
    else if (!format.test(value)) errors.push(invalidValue(value, name))
  }
  return at(path, errors)
}

export function validateProtocol(protocol: string | undefined, path: string): FieldError[] {
  if (protocol === 'http1' || protocol === 'h2c') return []
  return [(protocol ?? '') === '' ? missingField(path) : invalidValue(protocol, path)]
}
