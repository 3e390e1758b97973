// What a structural schema says about a value: what it does not know, what is wrong, what is missing. All errors at once.
// Messages: kubernetes/apiextensions-apiserver pkg/apiserver/validation and kubernetes/kube-openapi pkg/validation.
import type { Schema } from '../../model/kubernetes/schema.ts'
import type { StatusCause } from '../../model/kubernetes/status-error.ts'
import { isObject, own, setOwn, typeName } from './json-value.ts'
import type { JsonObject } from './json-value.ts'

export interface Pruned {
  value: unknown
  /** Paths of the fields that were left out, e.g. `spec.filters[0].foo`. */
  unknown: string[]
}

/** Leaves out what the schema does not know. The result shares what it keeps with `value`. */
export function prune(value: unknown, schema: Schema, path = ''): Pruned {
  const unknown: string[] = []
  return { value: known(value, schema, path, unknown), unknown }
}

function known(value: unknown, schema: Schema, path: string, unknown: string[]): unknown {
  if (Array.isArray(value)) {
    const { items } = schema
    return items === undefined ? value : value.map((item, at) => known(item, items, `${path}[${at}]`, unknown))
  }
  // A value of the wrong type stays whole, so that it can be complained about.
  if (!isObject(value) || schema.type !== 'object') return value
  const keepsUnknown = schema['x-kubernetes-preserve-unknown-fields'] === true
  const kept: JsonObject = {}
  for (const [key, child] of Object.entries(value)) {
    const childSchema = fieldSchema(schema, key)
    if (childSchema !== undefined) setOwn(kept, key, known(child, childSchema, joined(path, key), unknown))
    else if (keepsUnknown) setOwn(kept, key, child)
    else unknown.push(joined(path, key))
  }
  return kept
}

/** A value whose JSON type the schema does not allow. */
export interface TypeMismatch {
  path: string
  /** JSON Schema's names of the types that would do. */
  expected: string[]
  actual: string
}

/** Values of the wrong JSON type. `null` is one unless the schema says `nullable`. */
export const typeMismatches = (value: unknown, schema: Schema, path = ''): TypeMismatch[] =>
  [...walk(value, schema, path)].filter((found) => 'expected' in found)

/** Everything wrong with the value: types, required fields, enums, bounds, duplicates in sets and keyed lists. */
export const schemaErrors = (value: unknown, schema: Schema, path = ''): StatusCause[] =>
  [...walk(value, schema, path)].map((found) => ('expected' in found ? mismatchCause(found) : found))

export function mismatchCause({ path, expected, actual }: TypeMismatch): StatusCause {
  const shown = JSON.stringify(actual)
  const message = `Invalid value: ${shown}: ${path} in body must be of type ${expected.join(',')}: ${shown}`
  return { reason: 'FieldValueTypeInvalid', message, field: path }
}

function* walk(value: unknown, schema: Schema, path: string): Generator<StatusCause | TypeMismatch> {
  const expected = expectedTypes(schema)
  if (value === null && schema.nullable === true) return
  if (expected.length > 0 && !expected.some((type) => isOfType(value, type))) {
    yield { path, expected, actual: typeName(value) }
    return
  }
  yield* valueErrors(value, schema, path)
  if (Array.isArray(value)) {
    if (schema.items === undefined) return
    for (const [at, item] of value.entries()) yield* walk(item, schema.items, `${path}[${at}]`)
    yield* duplicates(value, schema, path)
  } else if (isObject(value)) {
    for (const [key, child] of Object.entries(value)) {
      const childSchema = fieldSchema(schema, key)
      if (childSchema !== undefined) yield* walk(child, childSchema, joined(path, key))
    }
  }
}

function* valueErrors(value: unknown, schema: Schema, path: string): Generator<StatusCause> {
  const field = path
  if (typeof value === 'string' && schema.enum !== undefined && !schema.enum.includes(value)) {
    const allowed = schema.enum.map((text) => JSON.stringify(text)).join(', ')
    const message = `Unsupported value: ${JSON.stringify(value)}: supported values: ${allowed}`
    yield { reason: 'FieldValueNotSupported', message, field }
  }
  if (typeof value === 'number') {
    const { minimum, maximum } = boundsOf(schema)
    if (value < minimum) yield outOfBounds(value, `greater than or equal to ${minimum}`, path)
    if (value > maximum) yield outOfBounds(value, `less than or equal to ${maximum}`, path)
  }
  if (!isObject(value)) return
  for (const key of schema.required ?? []) {
    if (Object.hasOwn(value, key)) continue
    yield { reason: 'FieldValueRequired', message: 'Required value', field: joined(path, key) }
  }
}

function* duplicates(items: unknown[], schema: Schema, path: string): Generator<StatusCause> {
  const keys = listKeys(schema)
  if (keys === undefined) return
  const seen = new Set<string>()
  for (const [at, item] of items.entries()) {
    const identity = keys === 'value' ? item : Object.fromEntries(keys.map((key) => [key, fieldOf(item, key)]))
    const text = JSON.stringify(identity)
    if (seen.has(text)) {
      yield { reason: 'FieldValueDuplicate', message: `Duplicate value: ${text}`, field: `${path}[${at}]` }
    }
    seen.add(text)
  }
}

function listKeys(schema: Schema): readonly string[] | 'value' | undefined {
  if (schema['x-kubernetes-list-type'] === 'set') return 'value'
  return schema['x-kubernetes-list-type'] === 'map' ? (schema['x-kubernetes-list-map-keys'] ?? []) : undefined
}

/** A copy with the schema's `default`s where fields are absent, or `null` without being allowed to. */
export function withDefaults(value: unknown, schema: Schema): unknown {
  if (Array.isArray(value)) {
    const { items } = schema
    return items === undefined ? value : value.map((item) => withDefaults(item, items))
  }
  if (!isObject(value)) return value
  const filled: JsonObject = {}
  for (const [key, child] of Object.entries(value)) {
    const childSchema = fieldSchema(schema, key)
    setOwn(filled, key, childSchema === undefined ? child : withDefaults(child, childSchema))
  }
  for (const [key, childSchema] of Object.entries(schema.properties ?? {})) {
    const present = own(filled, key) ?? (childSchema.nullable === true ? own(filled, key) : undefined)
    if (childSchema.default === undefined || present !== undefined) continue
    setOwn(filled, key, withDefaults(structuredClone(childSchema.default), childSchema))
  }
  return filled
}

/** The schema of one field, named or of a map. */
export function fieldSchema(schema: Schema, key: string): Schema | undefined {
  const { properties, additionalProperties } = schema
  return properties !== undefined && Object.hasOwn(properties, key) ? properties[key] : additionalProperties
}

const expectedTypes = (schema: Schema): string[] => {
  if (schema['x-kubernetes-int-or-string'] === true) return ['integer', 'string']
  return schema.type === undefined ? [] : [schema.type]
}

const isOfType = (value: unknown, type: string): boolean =>
  typeName(value) === type || (type === 'number' && typeof value === 'number')

const int32Max = 2 ** 31 - 1

function boundsOf({ minimum, maximum, format }: Schema): { minimum: number; maximum: number } {
  const [low, high] = format === 'int32' ? [-int32Max - 1, int32Max] : [-Infinity, Infinity]
  return { minimum: minimum ?? low, maximum: maximum ?? high }
}

const outOfBounds = (value: number, bound: string, field: string): StatusCause => ({
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${value}: ${field} in body should be ${bound}`,
  field,
})

const fieldOf = (value: unknown, key: string): unknown => (isObject(value) ? own(value, key) : undefined)
const joined = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`)
