import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { columns } from '../../kind.ts'
import type { PrinterColumn } from '../../kind.ts'
import { tableMaker } from './table.ts'
import type { TableOptions } from './table.ts'

const nowMs = Date.UTC(2026, 0, 1, 1)
const anObject = (parts: object = {}): Resource => ({
  apiVersion: 'a.test/v1',
  kind: 'Thing',
  metadata: { name: 'x', creationTimestamp: '2026-01-01T00:00:00Z' },
  ...parts,
})
const made = (columns: PrinterColumn[], objects: Resource[], options: Partial<TableOptions> = {}): any =>
  tableMaker({ name: 'v1', schema: {}, columns }).table(
    objects,
    { resourceVersion: '7' },
    { nowMs, includeObject: 'Metadata', version: 'v1', ...options },
  )
const cells = (columns: PrinterColumn[], object: Resource): unknown[] => made(columns, [object]).rows[0].cells

test('a kind without columns shows name and age', () => {
  const table = made([], [anObject()])
  assert.deepEqual(table.columnDefinitions, [
    {
      name: 'Name',
      type: 'string',
      format: 'name',
      description: 'Name of the object, unique in its namespace.',
      priority: 0,
    },
    { name: 'Age', type: 'date', format: '', description: '', priority: 0 },
  ])
  assert.deepEqual(table.rows[0].cells, ['x', '60m'])
  assert.deepEqual(
    [table.kind, table.apiVersion, table.metadata],
    ['Table', 'meta.k8s.io/v1', { resourceVersion: '7' }],
  )
})

test('cells have the type of their column, and what does not fit is null', () => {
  const spec = { number: 3, half: 1.5, yes: true, text: 'a', list: ['a', 'b'], map: { a: 1 }, nothing: null }
  const of = (type: PrinterColumn['type'], field: string): unknown =>
    cells([{ name: 'X', jsonPath: `.spec.${field}`, ...(type !== undefined && { type }) }], anObject({ spec }))[1]
  assert.deepEqual(
    ['text', 'number', 'yes', 'list', 'map', 'nothing', 'missing'].map((field) => of(undefined, field)),
    ['a', '3', 'true', '["a","b"]', '{"a":1}', null, null],
  )
  assert.deepEqual([of('integer', 'number'), of('integer', 'half'), of('integer', 'text')], [3, 1, null])
  assert.deepEqual([of('number', 'half'), of('boolean', 'yes'), of('boolean', 'text')], [1.5, true, null])
  assert.deepEqual([of('date', 'text'), of('date', 'missing')], ['<invalid>', null])
})

test('conditions are read by type, and a column may compute its cell', () => {
  const status = {
    conditions: [
      { type: 'Other', status: 'True' },
      { type: 'Ready', status: 'False', reason: 'Tired' },
    ],
  }
  const lazy: PrinterColumn = { name: 'Lazy', jsonPath: '', print: ({ metadata }, at) => `${metadata.name}@${at}` }
  const empty: PrinterColumn = { name: 'Empty', jsonPath: '', print: () => undefined }
  assert.deepEqual(cells([columns.ready, columns.reason, lazy, empty], anObject({ status })), [
    'x',
    'False',
    'Tired',
    `x@${nowMs}`,
    null,
  ])
})

test('a column called Name takes the place of the first one', () => {
  const table = made([columns.age, { name: 'Name', jsonPath: '.metadata.name', priority: 1 }], [anObject()])
  assert.deepEqual(
    table.columnDefinitions.map(({ name }: any) => name),
    ['Age', 'Name'],
  )
  assert.equal(table.columnDefinitions[1].format, 'name')
})

test('rows carry as much of the object as asked', () => {
  const object = anObject({ spec: { a: 1 } })
  const rowOf = (includeObject: TableOptions['includeObject']): any => made([], [object], { includeObject }).rows[0]
  assert.deepEqual(rowOf('Metadata').object, {
    kind: 'PartialObjectMetadata',
    apiVersion: 'meta.k8s.io/v1',
    metadata: object.metadata,
  })
  assert.deepEqual(rowOf('Object').object, object)
  assert.deepEqual(Object.keys(rowOf('None')), ['cells'])
})
