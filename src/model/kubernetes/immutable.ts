// Refuses changes to fields that must not change, with the difference. Source: knative/pkg kmp.ShortDiff's text.
import { isDeepStrictEqual } from 'node:util'
import type { FieldError } from './field-error.ts'

/**
 * The refusal when `before` and `after` differ, leaf by leaf:
 * `{v1.BrokerSpec}.Config.Name:\n\t-: "x"\n\t+: "y"`. `goType` is upstream's type name.
 */
export function immutableField(goType: string, before: unknown, after: unknown, ...paths: string[]): FieldError[] {
  if (isDeepStrictEqual(before, after)) return []
  const details = leaves(before, after, `{${goType}}`).join('')
  return [{ message: 'Immutable fields changed (-old +new)', paths, details }]
}

function leaves(before: unknown, after: unknown, path: string): string[] {
  if (isDeepStrictEqual(before, after)) return []
  if (!isRecord(before) || !isRecord(after)) return [`${path}:\n\t-: ${shown(before)}\n\t+: ${shown(after)}\n`]
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return names.flatMap((name) => leaves(before[name], after[name], `${path}.${goName(name)}`))
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Go prints an absent string as an empty one. */
const shown = (value: unknown): string => JSON.stringify(value ?? '')

const goNames: Readonly<Record<string, string>> = { apiVersion: 'APIVersion', uri: 'URI', uid: 'UID' }
const goName = (name: string): string => goNames[name] ?? name.charAt(0).toUpperCase() + name.slice(1)
