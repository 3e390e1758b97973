import assert from 'node:assert/strict'
import { test } from 'node:test'
import { closedEndpoint } from '../reconciler.ts'
import { createEndpointTable } from './endpoint-table.ts'

test('providers are asked in the order they were added, until one answers', () => {
  const table = createEndpointTable()
  const [first, second] = [closedEndpoint('first'), closedEndpoint('second')]
  const removed = table.add({ find: (host) => (host === 'a' ? first : undefined) })
  table.add({ find: () => second })
  assert.equal(table.find('a', '/'), first)
  assert.equal(table.find('b', '/'), second)
  removed[Symbol.dispose]()
  assert.equal(table.find('a', '/'), second)
})

test('a table without providers finds nothing', () => {
  assert.equal(createEndpointTable().find('', '/'), undefined)
})
