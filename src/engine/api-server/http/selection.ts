// Which objects a request is about: label and field selectors together.
import { KnodeError } from '../../../base/errors.ts'
import { matchesFields, parseFieldSelector } from '../../../model/kubernetes/field-selector.ts'
import { parseLabelSelector } from '../../../model/kubernetes/label-selector.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import type { KindDefinition } from '../../kind.ts'
import { badRequest } from '../api-errors.ts'

export interface Selection {
  matches: (object: Resource) => boolean
  /** False when everything matches. */
  readonly isNarrow: boolean
}

const everyKind: Readonly<Record<string, string>> = {
  'metadata.name': 'metadata.name',
  'metadata.namespace': 'metadata.namespace',
}

/** Reads `labelSelector` and `fieldSelector`. @throws {StatusError} 400 for one that does not parse. */
export function readSelection(kind: KindDefinition, query: URLSearchParams): Selection {
  const labelText = query.get('labelSelector') ?? ''
  const fieldText = query.get('fieldSelector') ?? ''
  const matchesLabels = orBadRequest(() => parseLabelSelector(labelText))
  const requirements = orBadRequest(() => parseFieldSelector(fieldText))
  const paths = { ...everyKind, ...kind.selectableFields }
  for (const { field } of requirements) {
    if (!Object.hasOwn(paths, field)) throw badRequest(`field label not supported: ${field}`)
  }
  return {
    isNarrow: labelText !== '' || requirements.length > 0,
    matches: (object) =>
      matchesLabels(object.metadata.labels) &&
      matchesFields(requirements, (field) => textAt(object, paths[field]!.split('.'))),
  }
}

function textAt(object: object, path: readonly string[]): string | undefined {
  let value: unknown = object
  for (const name of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = (value as Record<string, unknown>)[name]
  }
  if (value === undefined || value === null) return undefined
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function orBadRequest<Value>(parse: () => Value): Value {
  try {
    return parse()
  } catch (error) {
    throw error instanceof KnodeError ? badRequest(error.message) : error
  }
}
