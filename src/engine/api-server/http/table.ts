// Rows for people: what `kubectl get` prints. Source: kubernetes/apiextensions-apiserver
// pkg/registry/customresource/tableconvertor and kubernetes/apimachinery meta/v1 Table.
import { humanAge } from '../../../model/kubernetes/human-duration.ts'
import { parseJsonPath } from '../../../model/kubernetes/json-path.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import type { KindVersion, PrinterColumn } from '../../kind.ts'

export type IncludeObject = 'Metadata' | 'Object' | 'None'
type Cell = string | number | boolean | null

export interface TableMaker {
  /** `metadata` is the list's. Later events of a watch leave the column definitions out. */
  table(objects: readonly Resource[], metadata: object, options: TableOptions): object
}

export interface TableOptions {
  nowMs: number
  includeObject: IncludeObject
  /** @default true */
  withColumns?: boolean
  /** Of the meta.k8s.io envelope. */
  version: 'v1' | 'v1beta1'
}

interface Column {
  definition: { name: string; type: string; format: string; description: string; priority: number }
  cell: (object: Resource, nowMs: number) => Cell
}

const made = new WeakMap<KindVersion, TableMaker>()

/** The table of one version of a kind; its columns are compiled once. */
export function tableMaker(version: KindVersion): TableMaker {
  let maker = made.get(version)
  if (maker === undefined) made.set(version, (maker = createTableMaker(version.columns)))
  return maker
}

function createTableMaker(declared: readonly PrinterColumn[]): TableMaker {
  const shown = declared.length > 0 ? declared : [ageColumn]
  const columns = shown.some(({ name }) => name === 'Name')
    ? shown.map(compileColumn)
    : [nameColumn, ...shown].map(compileColumn)
  const columnDefinitions = columns.map(({ definition }) => definition)
  return {
    table: (objects, metadata, { nowMs, includeObject, withColumns = true, version }) => ({
      kind: 'Table',
      apiVersion: `meta.k8s.io/${version}`,
      metadata,
      columnDefinitions: withColumns ? columnDefinitions : [],
      rows: objects.map((object) => ({
        cells: columns.map(({ cell }) => cell(object, nowMs)),
        ...(includeObject !== 'None' && {
          object: includeObject === 'Object' ? object : partialMetadata(object, version),
        }),
      })),
    }),
  }
}

/** An object reduced to its metadata. */
export const partialMetadata = ({ metadata }: Resource, version: 'v1' | 'v1beta1'): object => ({
  kind: 'PartialObjectMetadata',
  apiVersion: `meta.k8s.io/${version}`,
  metadata,
})

const nameColumn: PrinterColumn = {
  name: 'Name',
  jsonPath: '.metadata.name',
  description: 'Name of the object, unique in its namespace.',
}
const ageColumn: PrinterColumn = { name: 'Age', jsonPath: '.metadata.creationTimestamp', type: 'date' }

function compileColumn(column: PrinterColumn): Column {
  const { name, jsonPath, type = 'string', description = '', priority = 0 } = column
  const format = name === 'Name' ? 'name' : ''
  const definition = { name, type, format, description, priority }
  if (column.print !== undefined) return { definition, cell: (object, nowMs) => column.print?.(object, nowMs) ?? null }
  const read = parseJsonPath(jsonPath)
  return { definition, cell: (object, nowMs) => cellOf(type, read(object)[0], nowMs) }
}

/** A value as the column's type wants it; what does not fit is `null` and prints `<none>` or nothing. */
function cellOf(type: NonNullable<PrinterColumn['type']>, value: unknown, nowMs: number): Cell {
  if (value === undefined || value === null) return null
  switch (type) {
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null
    case 'number':
      return typeof value === 'number' ? value : null
    case 'boolean':
      return typeof value === 'boolean' ? value : null
    case 'date':
      return humanAge(value, nowMs)
    default:
      return typeof value === 'string' ? value : JSON.stringify(value)
  }
}
