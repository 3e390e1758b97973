// The refusal of an apply that would take fields from others. Source: kubernetes/apimachinery
// pkg/util/managedfields/internal/conflict.go.
import { StatusError } from '../../../model/kubernetes/status-error.ts'
import { pathTexts } from './field-set.ts'
import type { FieldSet } from './field-set.ts'
import type { Manager } from './managers.ts'

/** The fields of one manager that the apply would change. */
export interface Conflict {
  manager: Manager
  fields: FieldSet
}

/** 409 with one cause for each field. */
export function conflictError(conflicts: Conflict[]): StatusError {
  const named = conflicts
    .map(({ manager, fields }) => ({ name: managerText(manager), paths: pathTexts(fields) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  const causes = named.flatMap(({ name, paths }) =>
    paths.map((field) => ({ reason: 'FieldManagerConflict', message: `conflict with ${name}`, field })),
  )
  const [first] = causes
  const message =
    causes.length === 1
      ? `Apply failed with 1 conflict: ${first?.message}: ${first?.field}`
      : `Apply failed with ${causes.length} conflicts: ${named.map(listText).join('\n')}`
  return new StatusError(409, 'Conflict', message, { causes })
}

const listText = ({ name, paths }: { name: string; paths: string[] }): string =>
  [`conflicts with ${name}:`, ...paths.map((path) => `- ${path}`)].join('\n')

function managerText({ name, operation, apiVersion, subresource }: Manager): string {
  const through = subresource === '' ? '' : ` with subresource ${JSON.stringify(subresource)}`
  return `${JSON.stringify(name)}${through}${operation === 'Update' ? ` using ${apiVersion}` : ''}`
}
